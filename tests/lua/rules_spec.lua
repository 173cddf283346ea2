-- Rules, heads and values through LuaJIT: the committed cases bit for bit on the device of
-- VKD_DEVICE, in memory, from jobs and in files; and what cannot be asked for.

local ffi = require("ffi")
local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()
local blames_caller, failed = helper.blames_caller, helper.failed

local FOLDER = helper.root .. "tests/golden/"
local PSALMS = helper.root .. "examples/data/psalms.npy"

local cases = helper.json(helper.read_file(FOLDER .. "rules.json"))
local files, by_file = {}, {}
for _, case in ipairs(cases) do
  if not by_file[case.file] then
    by_file[case.file] = {}
    files[#files + 1] = case.file
  end
  table.insert(by_file[case.file], case)
end

-- Items of a case, which counts from 0, as Lua counts them.
local function from_one(items)
  local list = {}
  for i, item in ipairs(items) do list[i] = item + 1 end
  return list
end

local function options_of(case)
  local options = { rule = case.rule, lambda = case.lambda, center = case.center,
    length = case.length, values = true }
  if case.heads then
    options.heads = {}
    for i, head in ipairs(case.heads) do options.heads[i] = from_one(head) end
  elseif type(case.starts) == "table" then
    options.starts = from_one(case.starts)
  end
  return options
end

-- SHA-256 of all values as little-endian floats.
local function hash_of_values(sequences)
  local all = ffi.new("float[?]", sequences.count * sequences.length)
  for i = 1, sequences.count do
    for place, value in ipairs(sequences:values(i)) do
      all[(i - 1) * sequences.length + place - 1] = value
    end
  end
  return helper.sha256(all, ffi.sizeof(all))
end

describe("committed cases of the rules:", function()
  local context

  setup(function() context = assert(vkd.context()) end)
  teardown(function() context:free() end)

  it("are all there", function() assert.equal(312, #cases) end)

  for _, file in ipairs(files) do
    it(file, function()
      local path = file == "psalms.npy" and PSALMS or FOLDER .. file
      local embeddings = assert(vkd.load_npy(path))
      for number, case in ipairs(by_file[file]) do
        local sequences = assert(context:batch_compute(embeddings, options_of(case)))
        local name = ("%s, case %d, %s"):format(file, number, case.rule)
        assert.equal(case.items_sha256, helper.hash(sequences), name)
        assert.equal(case.values_sha256, hash_of_values(sequences), name)
        sequences:free()
      end
    end)
  end
end)

describe("rules, heads and values", function()
  local ROWS = helper.nested(helper.numbers(40, 5, 7), 5)
  local HEADS = { { 3, 1 }, { 40, 2 }, { 7, 8 } }
  local path

  before_each(function()
    path = os.tmpname()
    os.remove(path)
  end)
  after_each(function()
    os.remove(path)
    os.remove(path .. ".partial")
  end)

  local function same(a, b)
    for i = 1, a.count do
      assert.same(a:row(i), b:row(i))
      assert.same(a:values(i), b:values(i))
    end
    for _, field in ipairs({ "rule", "lambda", "head_length", "has_values", "count", "length" }) do
      assert.equal(a[field], b[field])
    end
  end

  it("are the same in memory, from a job and in a file", function()
    for _, rule in ipairs({ "centroid", "farthest", "mmr", "chain" }) do
      local options = { rule = rule, lambda = rule == "mmr" and 0.7 or nil, heads = HEADS,
        length = 9, values = true }
      local memory = assert(vkd.batch_compute(ROWS, options))
      assert.equal(rule, memory.rule)
      assert.equal(rule == "mmr" and 22938 / 32768 or nil, memory.lambda)
      assert.equal(2, memory.head_length)
      assert.same({ 40, 2 }, { memory:row(2)[1], memory:row(2)[2] })
      assert.same({ 0, 0 }, { memory:values(2)[1], memory:values(2)[2] })
      assert.equal(9, #memory:values(3))
      local job = assert(vkd.start(ROWS, options))
      assert(job:wait())
      same(memory, assert(job:result()))
      same(memory, assert(job:result()))
      job:free()
      options.output, options.overwrite = path, true
      same(memory, assert(vkd.batch_compute(ROWS, options)))
      same(memory, assert(vkd.open(path)))
    end
  end)

  it("are told by results that ask for none", function()
    local sequences = assert(vkd.batch_compute(ROWS, { length = 3, output = path }))
    local here = assert(vkd.batch_compute(ROWS, { length = 3 }))
    for _, results in ipairs({ sequences, here }) do
      assert.equal("centroid", results.rule)
      assert.is_nil(results.lambda)
      assert.equal(1, results.head_length)
      assert.is_false(results.has_values)
      blames_caller("compute them with option values = true", function()
        local _ = results:values(1)
      end)
    end
  end)

  it("of a file that holds others are refused by name", function()
    local options = { rule = "mmr", heads = HEADS, length = 4, values = true, output = path }
    assert(vkd.batch_compute(ROWS, options))
    local function refused(expected, change)
      local other = setmetatable(change, { __index = options })
      local asked = {}
      for _, name in ipairs({ "rule", "lambda", "heads", "length", "values", "output" }) do
        asked[name] = other[name]
      end
      failed("VKD_ERROR_FILE_MISMATCH", expected, vkd.batch_compute(ROWS, asked))
    end
    refused("its rule is mmr, not chain", { rule = "chain" })
    refused("its lambda is 0.5, not 0.25", { lambda = 0.25 })
    refused("its kind of rows is items and values, not items", { values = false })
    refused("its number of items in a head is 2, not 1", { heads = { { 3 }, { 40 }, { 7 } } })
    refused("its head is 39, 1 at 1, not 39, 2 at 1", { heads = { { 3, 1 }, { 40, 3 }, { 7, 8 } } })
  end)

  it("are planned: bytes of values, steps, and which matrix", function()
    local plain = assert(vkd.plan(40, 5, { length = 9 }))
    local valued = assert(vkd.plan(40, 5, { length = 9, values = true, rule = "chain" }))
    assert.equal(plain.output_bytes * 2, valued.output_bytes)
    assert.equal("contributions", plain.row_values)
    assert.equal("similarities", valued.row_values)
    assert.equal(3 * 7, assert(vkd.plan(40, 5, { length = 9, heads = HEADS })).steps)
    assert.is_nil(assert(vkd.plan_neighbors(40, 5, 3)).row_values)
  end)

  it("that cannot be are misuse", function()
    local misuses = {
      { "option rule must be \"centroid\", \"farthest\", \"mmr\" or \"chain\", not \"median\"",
        { rule = "median" } },
      { "option rule must be a string", { rule = 2 } },
      { "option lambda must be a number from 0 to 1, not -", { rule = "mmr", lambda = -0.001 } },
      { "option lambda must be a number from 0 to 1", { rule = "mmr", lambda = 1.5 } },
      { "option lambda must be a number from 0 to 1", { rule = "mmr", lambda = 0 / 0 } },
      { "option lambda goes with rule = \"mmr\", not \"chain\"", { rule = "chain", lambda = 0.5 } },
      { "option lambda goes with rule = \"mmr\", not \"centroid\"", { lambda = 0 } },
      { "option values must be a boolean", { values = 1 } },
      { "option heads must be a table", { heads = 3 } },
      { "option heads is empty", { heads = {} } },
      { "heads[1] must be a list of item numbers, not 3", { heads = { 3 } } },
      { "heads[2] is empty", { heads = { { 1 }, {} } } },
      { "heads[3] has 2 items, but heads[1] has 1", { heads = { { 1 }, { 2 }, { 3, 4 } } } },
      { "heads[2] is nil, but heads[3] is not", { heads = { { 1 }, nil, { 2 } } } },
      { "heads[1][2] is nil, but heads[1][3] is not", { heads = { { 1, nil, 2 } } } },
      { "heads[2][1] must be an item number, not \"2\"", { heads = { { 1 }, { "2" } } } },
      { "heads and starts exclude each other", { heads = HEADS, starts = { 1, 2, 3 } } },
    }
    for _, case in ipairs(misuses) do
      case[2].output = path
      blames_caller(case[1], function() local _ = vkd.batch_compute(ROWS, case[2]) end)
      blames_caller(case[1], function() local _ = vkd.start(ROWS, case[2]) end)
      blames_caller(case[1], function() local _ = vkd.plan(40, 5, case[2]) end)
    end
    assert.is_nil(io.open(path))
    assert.is_nil(io.open(path .. ".partial"))
  end)

  it("that fail are told, counted from 1", function()
    local function refused(expected, heads, length)
      failed("VKD_ERROR_BAD_HEADS", expected,
        vkd.batch_compute(ROWS, { heads = heads, length = length, output = path }))
    end
    refused("heads[2][1] is 41; item numbers in a Lua table run from 1 to 40", { { 1 }, { 41 } })
    refused("heads[1][2] is 0; item numbers", { { 1, 0 } })
    refused("heads[2][3] is 5, as heads[2][1] is: give each item once",
      { { 1, 2, 3 }, { 5, 4, 5 } })
    refused("the heads have 3 items, more than the length, 2", { { 1, 2, 3 } }, 2)
    assert.is_nil(io.open(path .. ".partial"))
  end)

  it("are no values of a sequence that is none", function()
    local sequences = assert(vkd.batch_compute(ROWS, { length = 3, values = true }))
    for _, i in ipairs({ 0, 41, 1.5, "1" }) do
      blames_caller("there is no sequence", function() local _ = sequences:values(i) end)
    end
    blames_caller("values is a method", function() local _ = sequences.values(1) end)
    sequences:free()
    blames_caller("have been freed", function() local _ = sequences:values(1) end)
  end)
end)
