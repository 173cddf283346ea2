-- Files of results through LuaJIT: written by a run, opened by many, checked against the
-- embeddings.

local ffi = require("ffi")
local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

describe("files of results", function()
  local path, other
  before_each(function()
    path, other = os.tmpname(), os.tmpname()
    os.remove(path)
    os.remove(other)
  end)
  after_each(function()
    for _, file in ipairs({ path, other, path .. ".partial" }) do os.remove(file) end
  end)

  local function corpus(count)
    local rows = {}
    for i = 1, count do rows[i] = { math.sin(i), math.cos(i * 1.7), math.sin(i * 0.3), 0.2 } end
    return rows
  end

  it("hold what the same run gives in memory", function()
    local rows = corpus(60)
    local memory = assert(vkd.batch_compute(rows, 60, { length = 20 }))
    local results, report = assert(vkd.batch_compute(rows, 60, { length = 20, output = path }))
    assert.equal(60, results.count)
    assert.equal(20, results.length)
    assert.equal(60, results.num_items)
    assert.equal("uint16_t", results.item_type)
    assert.is_false(results.centered)
    assert.equal(32, #results.fingerprint)
    assert.equal(vkd.version, results.version)
    assert.is_true(report.seconds > 0)
    for i, items in results:rows() do assert.same(memory[i], items) end
    assert.is_nil(results[61])
    local pointer = results:pointer(7)
    assert.equal(memory:pointer(7)[19], pointer[19])
    assert.equal(2, ffi.sizeof(pointer[0] and "uint16_t"))
  end)

  it("are extended, and found again without a run", function()
    local rows = corpus(50)
    local options = { starts = { 50, 3 }, length = 10, output = path }
    assert(vkd.batch_compute(rows, options))
    options.length = 30
    local results, report = assert(vkd.batch_compute(rows, options))
    assert.equal(30, results.length)
    assert.equal(2 * 20, report.steps)
    assert.same(assert(vkd.batch_compute(rows, { starts = { 50, 3 }, length = 30 }))[2], results[2])
    options.length = 5
    local again, none = assert(vkd.batch_compute(rows, options))
    assert.equal(30, again.length)
    assert.equal(0, none.steps)
    assert.equal(2, again:find(3))
    local nothing, message, status = again:find(4)
    assert.is_nil(nothing)
    assert.equal("VKD_ERROR_START_OUT_OF_RANGE", status)
    assert.matches("begins with item 4 (1-based)", message, 1, true)
  end)

  it("of other results are refused by name", function()
    assert(vkd.batch_compute(corpus(30), { length = 4, output = path }))
    local result, message, status = vkd.batch_compute(corpus(31), { length = 4, output = path })
    assert.is_nil(result)
    assert.equal("VKD_ERROR_FILE_MISMATCH", status)
    assert.matches("number of items is 30, not 31", message, 1, true)
    assert(vkd.batch_compute(corpus(31), { length = 4, output = path, overwrite = true }))
    assert.equal(31, assert(vkd.open(path)).num_items)
  end)

  it("are checked against their embeddings", function()
    local rows = corpus(40)
    local results = assert(vkd.batch_compute(rows, { output = path }))
    local report = assert(results:verify(rows, { sequences = 3, picks = 10 }))
    assert.equal(30, report.picks_checked)
    assert.is_true(report.worst_regret < 0.001)
    assert.equal(40, assert(results:verify()).sequences_checked)
    rows[1][1] = 5
    local refused, _, status = results:verify(rows)
    assert.is_nil(refused)
    assert.equal("VKD_ERROR_FILE_MISMATCH", status)
    rows[1][1] = math.sin(1)
    local pointer = ffi.cast("double *", ffi.new("double[160]"))
    helper.blames_caller("num_items is needed with a pointer", function()
      local _ = results:verify(pointer, { dim = 4 })
    end)
    helper.failed("VKD_ERROR_FILE_MISMATCH", "number of items is 40, theirs is 41",
      results:verify(corpus(41)))
  end)

  it("that are something else are named for it", function()
    assert(vkd.neighbors(corpus(9), 9, 2, { output = path }))
    local npy = helper.root .. "tests/golden/two_items.npy"
    helper.failed("VKD_ERROR_FILE_MISMATCH", "holds neighbours, not sequences",
      vkd.batch_compute(corpus(9), { output = path }))
    helper.failed("VKD_ERROR_BAD_FILE", "a numpy array (.npy), no file of vkd's results; "
      .. "it is embeddings: vkd.load reads it in Lua", vkd.open(npy))
    assert(vkd.batch_compute(corpus(9), { output = other }))
    helper.failed("VKD_ERROR_FILE_MISMATCH", "holds sequences, not neighbours",
      vkd.neighbors(corpus(9), 9, 2, { output = other }))
  end)

  it("stay readable through a pointer when all else is collected", function()
    local pointer = assert(vkd.batch_compute(corpus(30), { output = path })):pointer(30)
    for _ = 1, 3 do collectgarbage() end
    assert.equal(29, pointer[0])
  end)

  it("can be freed, and say so afterwards", function()
    local results = assert(vkd.batch_compute(corpus(20), { output = path }))
    results:free()
    results:free()
    assert.error_matches(function() return results:row(1) end, "have been freed")
    assert.error_matches(function() return results:find(1) end, "have been freed")
  end)

  it("that are missing, foreign or damaged are errors", function()
    local function refused(status)
      local result, message, name = vkd.open(path)
      assert.is_nil(result)
      assert.equal(status, name)
      return message
    end
    assert.matches(path, refused("VKD_ERROR_FILE"), 1, true)
    local file = assert(io.open(path, "wb"))
    file:write(("not a file of results"):rep(10))
    file:close()
    refused("VKD_ERROR_BAD_FILE")
    assert.error_matches(function() vkd.open() end, "path must be the path of a file, not nil")
    assert.error_matches(function() vkd.open("a\0b") end, "NUL")
    assert.error_matches(function()
      vkd.batch_compute(corpus(3), { overwrite = true })
    end, "overwrite goes with option output")
    local result, message, status =
      vkd.batch_compute(corpus(3), { output = "/no/such/folder/file" })
    assert.is_nil(result)
    assert.equal("VKD_ERROR_FILE", status)
    assert.matches("/no/such/folder: No such file", message, 1, true)
  end)
end)

describe("plans", function()
  it("tell bytes, groups and steps before a run", function()
    local plan = assert(vkd.plan(7797, 384))
    assert.equal(7797 * 7796, plan.steps)
    assert.equal(7797 * 7797 * 4, plan.output_bytes)
    assert.is_true(plan.host_bytes + plan.device_bytes > 7797 * 7797 * 2)
    assert.is_true(plan.groups >= 1)
    local part = assert(vkd.plan(7797, 384, { starts = { 1, 2 }, length = 100, output = "file" }))
    assert.equal(2 * 100 * 2, part.output_bytes)
    assert.equal(2, part.rows)
    assert.equal(2 * 99, part.steps)
  end)

  it("refuse what cannot fit, with the numbers", function()
    local context = assert(vkd.context({ memory_limit = 1000000 }))
    local plan, message, status = context:plan(3000, 400)
    assert.is_nil(plan)
    assert.equal("VKD_ERROR_TOO_LARGE", status)
    assert.matches("1.0 MB (1,000,000 bytes) may be used", message, 1, true)
  end)

  it("say how many rows of a matrix that does not fit are held", function()
    local context = assert(vkd.context({ device = "llvmpipe", memory_limit = 500000 }))
    local plan = assert(context:plan(700, 8))
    assert.is_true(plan.held_rows < 700 and plan.device_bytes <= 500000)
    local numbers = helper.numbers(700, 8)
    local options = { starts = { 1, 350, 700 }, length = 60 }
    local expected = helper.text(assert(vkd.batch_compute(numbers, 700, { device = "cpu",
      starts = options.starts, length = 60 })))
    assert.equal(expected, helper.text(assert(context:batch_compute(numbers, 700, options))))
    assert.equal(700, assert(vkd.plan(700, 8)).held_rows)
  end)

  it("say how rows come, and what that takes", function()
    local context = assert(vkd.context({ device = "cpu" }))
    local function plan(count, options) return assert(context:plan(count, 384, options)) end
    local one = { starts = { 1 }, length = 200 }
    assert.equal("cache", plan(100000, one).row_source)
    -- Rows that the next steps likely need are computed beside, and some of them are not needed.
    local needed = 199 * 100000 * 384
    local planned = plan(100000, one).multiply_adds
    assert.is_true(needed <= planned and planned < 2 * needed)
    assert.equal("lazy", plan(100000, { starts = { 1 }, length = 200, rule = "mmr" }).row_source)
    assert.equal("cache", plan(30000, { starts = { 1, 2, 3 }, length = 600 }).row_source)
    assert.equal("matrix", plan(2461).row_source)
    assert.equal(2461 * 2461 * 384 / 2, plan(2461).multiply_adds)
    assert.is_nil(assert(context:plan_neighbors(40, 5, 3)).row_source)
  end)

  it("take every option of their run, and check it", function()
    local path = os.tmpname()
    os.remove(path)
    local numbers, folder = helper.numbers(40, 4), os.tmpname()
    os.remove(folder)
    local shown = 0
    local progress = function() shown = shown + 1 end
    local common = { dim = 4, element_type = "f64", center = true, progress = progress }
    local function with(more)
      local all = {}
      for _, options in ipairs({ common, more }) do
        for name, value in pairs(options) do all[name] = value end
      end
      return all
    end
    local batch = with({ starts = { 1, 40 }, length = 9, output = path, overwrite = true })
    assert.equal(2, assert(vkd.plan(40, 4, batch)).rows)
    assert(vkd.batch_compute(numbers, 40, batch))
    local search = with({ output = path, overwrite = true, queries = { 1, 2, 3, 4, 5, 6, 7, 8 } })
    assert.equal(2, assert(vkd.plan_neighbors(40, 4, 3, search)).rows)
    assert(vkd.neighbors(numbers, 40, 3, search))
    local pairs_of = with({ upper = true })
    assert.equal(40 * 39 / 2 * 4, assert(vkd.plan_similarity(40, 4, pairs_of)).output_bytes)
    assert(vkd.similarity(numbers, 40, pairs_of))
    local site = with({ num_items = 40, k = 2, directory = folder, top = 1, threads = 1,
      sync = false })
    assert.equal(40, assert(vkd.plan_site(40, 4, site)).rows)
    assert(vkd.site(numbers, site))
    assert.is_true(shown >= 4)
    os.remove(path)
    os.execute("rm -r " .. folder)

    helper.blames_caller("option dim is 5, but dim is 4", function()
      local _ = vkd.plan(40, 4, { dim = 5 })
    end)
    helper.blames_caller("option num_items is 41, but num_items is 40", function()
      local _ = vkd.plan_site(40, 4, { k = 2, directory = folder, num_items = 41 })
    end)
    helper.blames_caller("option element_type must be", function()
      local _ = vkd.plan(40, 4, { element_type = "f8" })
    end)
    helper.blames_caller("overwrite goes with option output", function()
      local _ = vkd.plan(40, 4, { overwrite = true })
    end)
    helper.blames_caller("option progress must be", function()
      local _ = vkd.plan(40, 4, { progress = {} })
    end)
    helper.blames_caller("option queries has 3 dimensions, the embeddings have 4", function()
      local _ = vkd.plan_neighbors(40, 4, 2, { queries = { { 1, 2, 3 } } })
    end)
  end)

  it("check their arguments", function()
    assert.error_matches(function() vkd.plan("x", 3) end, "num_items must be an integer")
    assert.error_matches(function() vkd.plan(3) end, "dim must be an integer")
    local plan, _, status = vkd.plan(5, 3, { length = 6 })
    assert.is_nil(plan)
    assert.equal("VKD_ERROR_LENGTH_OUT_OF_RANGE", status)
  end)
end)
