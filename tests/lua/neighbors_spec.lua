-- Neighbours through LuaJIT.

local ffi = require("ffi")
local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

describe("neighbours", function()
  local rows = { { 1, 0 }, { 1, 0.1 }, { 0, 1 }, { -1, 0 }, { 1, 0.1 } }
  local context
  before_each(function() context = assert(vkd.context({ device = "cpu" })) end)

  it("are the most similar others, nearest first, the lower number first on ties", function()
    local found = assert(context:neighbors(rows, 5, 4))
    assert.equal(5, found.count)
    assert.equal(4, found.k)
    local items, similarities = found:row(1)
    assert.same({ 2, 5, 3, 4 }, items)
    assert.is_true(similarities[1] == similarities[2] and similarities[1] > 0.99)
    assert.is_true(math.abs(similarities[4] + 1) < 1e-4)
    assert.equal(4, found.indices[0 * 4 + 1])
    assert.same({ 5, 1, 3, 4 }, (found:row(2)))
  end)

  it("of other queries may be any item", function()
    local found = assert(vkd.neighbors(rows, nil, 1,
      { device = "cpu", queries = { { 0, 2 }, { -3, 0 } } }))
    assert.equal(2, found.count)
    assert.same({ 3 }, (found:row(1)))
    assert.same({ 4 }, (found:row(2)))
  end)

  it("are the same on the reference engine", function()
    local numbers = helper.numbers(90, 6)
    local one = assert(vkd.neighbors(numbers, 90, 7, { device = "cpu", center = true }))
    local other = assert(vkd.neighbors(numbers, 90, 7, { device = "reference", center = true }))
    for i = 1, 90 do assert.same({ one:row(i) }, { other:row(i) }) end
  end)

  it("refuse what cannot be, and mistakes at the caller's line", function()
    local function refused(status, ...)
      local result, _, name = context:neighbors(...)
      assert.is_nil(result)
      assert.equal(status, name)
    end
    refused("VKD_ERROR_ZERO_SIZE", rows, 5, 0)
    refused("VKD_ERROR_TOO_MANY_NEIGHBORS", rows, 5, 5)
    refused("VKD_ERROR_NOT_FINITE", { { 1, 0 }, { 0 / 0, 1 } }, 2, 1)
    assert.error_matches(function() context:neighbors(rows, 5) end, "k must be an integer")
    local wrong = { queries = { { 1, 2, 3 } } }
    assert.error_matches(function() context:neighbors(rows, 5, 1, wrong) end,
      "queries has 3 dimensions")
    local found = assert(context:neighbors(rows, 5, 1))
    assert.error_matches(function() found:row(6) end, "numbered from 1 to 5")
    assert.error_matches(function() found.row(1) end, "row is a method")
  end)

  it("run as jobs, with a plan, and into a file that vkd.open maps", function()
    local numbers = helper.numbers(60, 5)
    local plan = assert(vkd.plan_neighbors(60, 5, 7))
    assert.equal(60, plan.rows)
    assert.equal(3600, plan.steps)
    local job = assert(vkd.start_neighbors(numbers, 60, 7))
    assert(job:wait())
    local found, report = assert(job:result())
    assert.equal(3600, report.steps)
    assert.equal(60, report.rows)
    job:free()
    local path = os.tmpname()
    os.remove(path)
    local told = 0
    local opened = assert(vkd.neighbors(numbers, 60, 7,
      { output = path, progress = function(progress) told = progress.fraction end }))
    assert.equal(1, told)
    assert.equal("uint16_t", opened.item_type)
    local other = assert(vkd.open(path))
    assert.equal(60, assert(other:verify()).rows_checked)
    for i = 1, 60 do
      assert.same({ found:row(i) }, { opened:row(i) })
      assert.same({ found:row(i) }, { other:row(i) })
    end
    local result, _, status = vkd.neighbors(helper.numbers(60, 4), 60, 7, { output = path })
    assert.is_nil(result)
    assert.equal("VKD_ERROR_FILE_MISMATCH", status)
    opened:free()
    assert.error_matches(function() opened:row(1) end, "freed")
    os.remove(path)
  end)

  it("of queries take as many as num_queries says", function()
    local array = ffi.new("float[6]", 0, 2, -3, 0, 1, 1)
    local embeddings = ffi.new("float[10]", 1, 0, 1, 0.1, 0, 1, -1, 0, 1, 0.1)
    local options = { queries = ffi.cast("float *", array), num_queries = 2, device = "cpu" }
    local found = assert(vkd.neighbors(embeddings, 5, 1, options))
    assert.equal(2, found.count)
    assert.same({ 3 }, (found:row(1)))
    -- The embeddings tell the dimensions of flat queries.
    options = { queries = { 0, 2, -3, 0 }, device = "cpu" }
    assert.same({ 4 }, (assert(vkd.neighbors(rows, 5, 1, options)):row(2)))
    helper.blames_caller("option num_queries goes with option queries", function()
      local _ = vkd.neighbors(rows, 5, 1, { num_queries = 2 })
    end)
    helper.blames_caller("option num_queries is needed with a pointer", function()
      local _ = vkd.neighbors(embeddings, 5, 1, { queries = ffi.cast("float *", array) })
    end)
    helper.blames_caller("queries[2][1] is nil", function()
      local _ = vkd.neighbors(rows, 5, 1, { queries = { { 1, 2 }, { nil, 2 } } })
    end)
  end)

  it("refuse plans that cannot be", function()
    local plan, message, status = vkd.plan_neighbors(5, 2, 5)
    assert.is_nil(plan)
    assert.matches("4 other items", message)
    assert.equal("VKD_ERROR_TOO_MANY_NEIGHBORS", status)
    assert.is_truthy(vkd.plan_neighbors(5, 2, 5, { num_queries = 3 }))
  end)

  it("come with the similarities of all pairs", function()
    local all, report = assert(vkd.similarity(rows))
    assert.equal(5, report.rows)
    local upper = assert(vkd.similarity(rows, { upper = true }))
    for i = 0, 4 do
      for j = i + 1, 4 do
        assert.equal(all[i * 5 + j], upper[i * 5 - i * (i + 1) / 2 + j - i - 1])
      end
    end
    local result, _, status = vkd.similarity({ { 1, 0 }, { 0, 0 } })
    assert.is_nil(result)
    assert.equal("VKD_ERROR_ZERO_NORM", status)
  end)
end)

describe("similarities", function()
  local numbers = helper.numbers(40, 4)

  it("come from jobs, from contexts and with a plan", function()
    local context = assert(vkd.context())
    local expected = assert(vkd.similarity(numbers, 40, { upper = true }))
    local job = assert(context:start_similarity(numbers, 40, { upper = true }))
    assert.is_true(job:wait())
    assert.equal("similarity", assert(job:poll()).kind)
    local found, report = assert(job:result())
    job:free()
    assert.equal(40, report.rows)
    assert.equal(1600, report.steps)
    for pair = 0, 40 * 39 / 2 - 1 do assert.equal(expected[pair], found[pair]) end
    local half = assert(context:plan_similarity(40, 4, { upper = true }))
    assert.equal(40, half.rows)
    assert.equal(40 * 39 / 2 * 4, half.output_bytes)
    assert.equal(1600 * 4, assert(vkd.plan_similarity(40, 4)).output_bytes)
    helper.failed("VKD_ERROR_ZERO_SIZE", "num_items is 0", vkd.plan_similarity(0, 4))
    context:free()
  end)

  it("tell their progress", function()
    local last
    assert(vkd.similarity(numbers, 40, { progress = function(state) last = state end }))
    assert.equal(40, last.rows_done)
    assert.equal(40, last.rows_total)
    assert.equal("done", last.state)
  end)
end)

describe("golden neighbours", function()
  local FOLDER = helper.root .. "tests/golden/"
  for _, case in ipairs(helper.json(helper.read_file(FOLDER .. "golden.json"))) do
    for _, center in ipairs({ false, true }) do
      for name, hash in pairs(case[center and "centered" or "plain"]) do
        local k = tonumber(name:match("^neighbors_(%d+)_sha256$"))
        if k then
          it(case.file .. ", k " .. k .. (center and " centred" or " plain"), function()
            local embeddings = assert(vkd.load_npy(FOLDER .. case.file))
            local found = assert(vkd.neighbors(embeddings, nil, k, { center = center }))
            assert.equal(hash, helper.sha256(ffi.string(found.indices, found.count * k * 4)))
          end)
        end
      end
    end
  end
end)
