-- Mistakes in a call raise an error that names the file and line of the call itself.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\\\])") .. "helper.lua")
local ffi = require("ffi")
local vkd = helper.vkd()
local blames_caller = helper.blames_caller

local four = { 1, 2, 3, 4 }

describe("misuse of embeddings:", function()
  local cases = {
    { "embeddings must be cdata, a table", nil, 2 },
    { "embeddings must be cdata, a table", "text", 2 },
    { "embeddings must be cdata, a table", 7, 2 },
    { "embeddings must point to float, double or uint16_t", ffi.new("int[4]"), 2 },
    { "embeddings must point to float, double or uint16_t", ffi.new("float *[4]"), 2 },
    { "embeddings must point to float, double or uint16_t", ffi.new("float", 1), 2 },
    { "NULL pointer", ffi.cast("float *", nil), 2, { dim = 2 } },
    { "num_items is needed", ffi.cast("float *", ffi.new("float[4]")), nil, { dim = 2 } },
    { "option dim is needed", ffi.cast("float *", ffi.new("float[4]")), 2 },
    { "element_type = \"f16\"", ffi.new("uint16_t[4]"), 2 },
    { "element_type is \"f64\"", ffi.new("float[4]"), 2, { element_type = "f64" } },
    { "needs uint16_t cdata", four, 2, { element_type = "f16" } },
    { "\"f32\", \"f16\" or \"f64\"", four, 2, { element_type = "f8" } },
    { "cannot be split into 3 items", four, 3 },
    { "cannot be split into 3 items", ffi.new("float[4]"), 3 },
    { "cannot be split into items of 3 dimensions", four, nil, { dim = 3 } },
    { "2 items of 3 dimensions are 6 numbers, but the array holds 4", ffi.new("float[4]"), 2,
      { dim = 3 } },
    { "2 items of 1 dimension are 2 numbers, but the table holds 4", four, 2, { dim = 1 } },
    { "1 item of 3 dimensions are 3 numbers, but the table holds 4", four, 1, { dim = 3 } },
    { "embeddings[2] is nil, but embeddings[4] is not", { 1, nil, 3, 4 }, 2 },
    { "embeddings[5] is nil, but embeddings[6] is not", { 1, 2, 3, 4, [6] = 6 }, 2 },
    { "embeddings[0] is no place of a list", { [0] = 0, 1, 2, 3, 4 }, 2 },
    { "embeddings[2] is nil", { { 1, 2 }, nil, { 3, 4 } } },
    { "embeddings[2][2] is nil, but embeddings[2][3] is not", { { 1, 2 }, { 3, [3] = 4 } } },
    { "num_items must be an integer from 0 to 4,294,967,295, not", four, 2 ^ 32 },
    { "num_items is needed with the table", four },
    { "num_items must be an integer", four, 1.5 },
    { "num_items must be an integer", four, -1 },
    { "num_items must be an integer", four, "2" },
    { "embeddings[3] must be a number", { 1, 2, "x", 4 }, 2 },
    { "embeddings[2] has 3 numbers, but embeddings[1] has 2", { { 1, 2 }, { 1, 2, 3 } } },
    { "embeddings[2] must be a table", { { 1, 2 }, 3 } },
    { "embeddings[2][1] must be a number", { { 1, 2 }, { {}, 2 } } },
    { "num_items is 3, but the table has 2 rows", { { 1, 2 }, { 3, 4 } }, 3 },
    { "option dim is 3", { { 1, 2 }, { 3, 4 } }, 2, { dim = 3 } },
    { "need the integers num_items and dim", { data = ffi.new("float[4]") } },
  }
  for i, case in ipairs(cases) do
    it(("%d: %s"):format(i, case[1]), function()
      blames_caller(case[1], function() local _ = vkd.batch_compute(case[2], case[3], case[4]) end)
      blames_caller(case[1], function() local _ = vkd.start(case[2], case[3], case[4]) end)
    end)
  end

  it("what load_npy returned contradicts the other arguments", function()
    local embeddings = assert(vkd.load_npy(helper.root .. "tests/golden/two_items.npy"))
    blames_caller("num_items is 3", function() local _ = vkd.batch_compute(embeddings, 3) end)
    blames_caller("option dim is 4", function()
      local _ = vkd.batch_compute(embeddings, { dim = 4 })
    end)
    blames_caller("element_type is", function()
      local _ = vkd.batch_compute(embeddings, { element_type = "f16" })
    end)
  end)
end)

describe("misuse of options:", function()
  local cases = {
    { "options must be a table", 5 },
    { "there is no option \"centre\" here; there are: center,", { centre = true } },
    { "there is no option 1 here", { "center" } },
    { "option center must be a boolean", { center = 1 } },
    { "option length must be an integer", { length = 0 } },
    { "option length must be an integer", { length = 1.5 } },
    { "option dim must be an integer", { dim = 0 } },
    { "option starts must be a table or a cdata", { starts = 1 } },
    { "option starts is empty", { starts = {} } },
    { "starts[2] must be an item number", { starts = { 1, "2" } } },
    { "starts[1] must be an item number", { starts = { 1.5 } } },
    { "option starts must be a table or uint32_t", { starts = ffi.new("int[1]") } },
    { "num_starts is needed", { starts = ffi.cast("uint32_t *", ffi.new("uint32_t[1]")) } },
    { "num_starts is 3, but starts holds 2", { starts = ffi.new("uint32_t[2]"), num_starts = 3 } },
    { "num_starts goes with", { num_starts = 1 } },
    { "starts is a NULL pointer", { starts = ffi.cast("uint32_t *", nil), num_starts = 1 } },
    { "option progress must be", { progress = 1 } },
    { "option progress must be", { progress = {} } },
    { "option device must be a name or an index", { device = -1 } },
    { "option device[2] must be a name or an index", { device = { "cpu", true } } },
    { "option device must not be an empty list", { device = {} } },
    { "option device[2] is nil, but option device[3] is not", { device = { "cpu", nil, "cpu" } } },
    { "option device must be a list, but has the key \"x\"", { device = { "cpu", x = "cpu" } } },
    { "starts[2] is nil", { starts = { 1, nil, 2 } } },
    { "starts[2] is nil, but starts[3] is not", { starts = { 1, [3] = 2 } } },
    { "starts[1.5] is no place of a list", { starts = { 1, [1.5] = 2 } } },
    { "option device[2] is empty", { device = { "cpu", "" } } },
    { "option context must come from vkd.context", { context = {} } },
  }
  for i, case in ipairs(cases) do
    it(("%d: %s"):format(i, case[1]), function()
      blames_caller(case[1], function() local _ = vkd.batch_compute(four, 2, case[2]) end)
    end)
  end

  it("context and device exclude each other", function()
    local context = assert(vkd.context())
    blames_caller("exclude each other", function()
      local _ = vkd.batch_compute(four, 2, { context = context, device = "reference" })
    end)
    context:free()
  end)

  it("start has no progress option", function()
    blames_caller("there is no option \"progress\"", function()
      local _ = vkd.start(four, 2, { progress = true })
    end)
  end)
end)

describe("numbers", function()
  -- Every numeric argument and option, as a function of its value.
  local pointer = ffi.cast("float *", ffi.new("float[4]", 1, 2, 3, 4))
  local starts = ffi.new("uint32_t[2]")
  local results = { memory = assert(vkd.batch_compute(four, 2)) }
  local path = os.tmpname()
  os.remove(path)
  results.file = assert(vkd.batch_compute(four, 2, { output = path }))
  os.remove(path)
  local folder = "/no/such/folder"
  local uses = {
    ["num_items"] = function(value) return vkd.batch_compute(pointer, value, { dim = 2 }) end,
    ["num_items of a plan"] = function(value) return vkd.plan(value, 2) end,
    ["dim of a plan"] = function(value) return vkd.plan(2, value) end,
    ["option dim"] = function(value) return vkd.batch_compute(pointer, 2, { dim = value }) end,
    ["option length"] = function(value) return vkd.plan(2, 2, { length = value }) end,
    ["option num_starts"] = function(value)
      return vkd.plan(2, 2, { starts = starts, num_starts = value })
    end,
    ["starts[1]"] = function(value) return vkd.plan(2, 2, { starts = { value } }) end,
    ["k"] = function(value) return vkd.neighbors(four, 2, value) end,
    ["k of a plan"] = function(value) return vkd.plan_neighbors(2, 2, value) end,
    ["option num_queries"] = function(value)
      return vkd.neighbors(four, 2, 1, { queries = pointer, num_queries = value })
    end,
    ["option num_queries of a plan"] = function(value)
      return vkd.plan_neighbors(2, 2, 1, { num_queries = value })
    end,
    ["option k"] = function(value)
      return vkd.site(four, { num_items = 2, k = value, directory = folder })
    end,
    ["option num_items"] = function(value)
      return vkd.site(four, { num_items = value, k = 1, directory = folder })
    end,
    ["option top"] = function(value)
      return vkd.plan_site(2, 2, { k = 1, top = value, directory = folder })
    end,
    ["option threads of a site"] = function(value)
      return vkd.plan_site(2, 2, { k = 1, threads = value, directory = folder })
    end,
    ["option threads"] = function(value) return vkd.context({ threads = value }) end,
    ["option memory_limit"] = function(value) return vkd.context({ memory_limit = value }) end,
    ["option submit_target_ms"] = function(value)
      return vkd.context({ submit_target_ms = value })
    end,
    ["option device"] = function(value) return vkd.context({ device = value }) end,
    ["option device[1]"] = function(value) return vkd.context({ device = { value } }) end,
    ["option sequences"] = function(value)
      return results.file:verify(four, { sequences = value })
    end,
    ["option picks"] = function(value) return results.file:verify(four, { picks = value }) end,
    ["item in memory"] = function(value) return results.memory:find(value) end,
    ["item in a file"] = function(value) return results.file:find(value) end,
    ["i of a row"] = function(value) return results.memory:row(value) end,
    ["i of a pointer"] = function(value) return results.file:pointer(value) end,
  }
  local WRONG = { 0 / 0, 1.5, -1, 2 ^ 53 + 2, 1e308, math.huge, -math.huge, "1", true }
  -- Limits that are reached only beyond 32 bits.
  local LARGE = { ["option memory_limit"] = true }

  local blamed = { ["starts[1]"] = { [-1] = true } }
  for name, use in pairs(uses) do
    it("that are none are refused at the caller's line: " .. name, function()
      for _, value in ipairs(WRONG) do
        if not (blamed[name] and blamed[name][value]) and not (name:match("device") and
          value == "1") then
          blames_caller("", function() local _ = use(value) end)
        end
      end
      if not LARGE[name] then
        for _, value in ipairs({ 2 ^ 32, 2 ^ 53 }) do
          if name:match("^item") and value == 2 ^ 32 then value = 2 ^ 32 + 1 end
          if name ~= "starts[1]" or value > 2 ^ 32 then
            blames_caller("", function() local _ = use(value) end)
          end
        end
      end
    end)
  end

  it("tell both limits", function()
    blames_caller("option length must be an integer from 1 to 4,294,967,295, not 0", function()
      local _ = vkd.plan(2, 2, { length = 0 })
    end)
    blames_caller("k must be an integer from 0 to 4,294,967,295, not -1", function()
      local _ = vkd.neighbors(four, 2, -1)
    end)
    helper.failed("VKD_ERROR_ZERO_SIZE", "k is 0; it must be at least 1",
      vkd.neighbors(four, 2, 0))
    blames_caller("memory_limit must be an integer from 1 to 9,007,199,254,740,992", function()
      local _ = vkd.context({ memory_limit = 2 ^ 54 })
    end)
  end)

  it("of a start beyond the items are told in the table's count", function()
    helper.failed("VKD_ERROR_START_OUT_OF_RANGE", "run from 1 to 2",
      vkd.plan(2, 2, { starts = { 4294967295 } }))
    helper.failed("VKD_ERROR_ZERO_SIZE", "num_items is 0", vkd.plan(0, 2, { starts = { 1 } }))
  end)
end)

describe("texts with a NUL", function()
  local embedded = { "a\0b", "\0", "cpu\0" }
  local uses = {
    open = function(text) return vkd.open(text) end,
    load_npy = function(text) return vkd.load_npy(text) end,
    output = function(text) return vkd.batch_compute(four, 2, { output = text }) end,
    ["output of a plan"] = function(text) return vkd.plan(2, 2, { output = text }) end,
    ["output of neighbours"] = function(text)
      return vkd.neighbors(four, 2, 1, { output = text })
    end,
    device = function(text) return vkd.context({ device = text }) end,
    ["device of a call"] = function(text) return vkd.plan(2, 2, { device = text }) end,
    ["device in a list"] = function(text) return vkd.context({ device = { "cpu", text } }) end,
    directory = function(text)
      return vkd.site(four, { num_items = 2, k = 1, directory = text })
    end,
    rankings = function(text) return vkd.site(four, { num_items = 2, k = 1, rankings = text }) end,
    ids = function(text)
      return vkd.site(four, { num_items = 2, k = 1, directory = "x", ids = { "a", text } })
    end,
    metadata = function(text)
      return vkd.site(four, { num_items = 2, k = 1, directory = "x", metadata = { "1", text } })
    end,
  }
  for name, use in pairs(uses) do
    it("are refused at the caller's line: " .. name, function()
      for _, text in ipairs(embedded) do
        blames_caller("holds a NUL character", function() local _ = use(text) end)
      end
    end)
  end
end)

describe("misuse of contexts:", function()
  it("unknown and wrong options", function()
    blames_caller("there is no option \"gpu\"", function() local _ = vkd.context({ gpu = 1 }) end)
    blames_caller("option sequence_kernel", function()
      local _ = vkd.context({ sequence_kernel = "fast" })
    end)
    blames_caller("option memory_limit", function()
      local _ = vkd.context({ memory_limit = -1 })
    end)
    blames_caller("option submit_target_ms", function()
      local _ = vkd.context({ submit_target_ms = 0.5 })
    end)
    blames_caller("options must be a table", function() local _ = vkd.context("reference") end)
  end)

  it("methods blame the caller too", function()
    local context = assert(vkd.context())
    blames_caller("cannot be split", function() local _ = context:batch_compute(four, 3) end)
    blames_caller("there is no option \"device\"", function()
      local _ = context:batch_compute(four, 2, { device = "reference" })
    end)
    blames_caller("there is no option \"x\"", function()
      local _ = context:start(four, 2, { x = 1 })
    end)
    blames_caller("call it as context:info", function() local _ = context.info() end)
    blames_caller("call it as context:batch_compute", function()
      local _ = context.batch_compute(four, 2)
    end)
    context:free()
  end)

  it("every function that computes is a method, too", function()
    local context = assert(vkd.context())
    -- How many arguments come before the options.
    local before = { batch_compute = 2, start = 2, plan = 2, neighbors = 3, start_neighbors = 3,
      plan_neighbors = 3, similarity = 2, start_similarity = 2, plan_similarity = 2, site = 1,
      start_site = 1, plan_site = 2 }
    for name, count in pairs(before) do
      assert.is_function(vkd[name])
      blames_caller(("call it as context:%s("):format(name), function()
        local _ = context[name](four, 2)
      end)
      for _, option in ipairs({ "device", "context", "sorted" }) do
        local arguments = { four, 2, 1 }
        arguments[count + 1] = { [option] = "cpu" }
        blames_caller(("there is no option %q"):format(option), function()
          local _ = context[name](context, unpack(arguments, 1, count + 1))
        end)
      end
      blames_caller('there is no option "sorted"', function()
        local arguments = { four, 2, 1 }
        arguments[count + 1] = { sorted = true }
        local _ = vkd[name](unpack(arguments, 1, count + 1))
      end)
    end
    context:free()
  end)

  it("use after free", function()
    local context = assert(vkd.context())
    context:free()
    context:free()
    blames_caller("this context has been freed", function() local _ = context:info() end)
    blames_caller("this context has been freed", function()
      local _ = context:batch_compute(four, 2)
    end)
    blames_caller("this context has been freed", function() local _ = context:start(four, 2) end)
    blames_caller("this context has been freed", function()
      local _ = vkd.batch_compute(four, 2, { context = context })
    end)
  end)
end)

describe("misuse of jobs, results and files:", function()
  it("use after free", function()
    local job = assert(vkd.start(four, 2))
    job:free()
    job:free()
    for _, method in ipairs({ "poll", "wait", "cancel", "result" }) do
      blames_caller("this job has been freed", function() local _ = job[method](job) end)
      blames_caller("call it as job:" .. method, function() local _ = job[method]() end)
    end
  end)

  it("wrong timeouts", function()
    local job = assert(vkd.start(four, 2))
    for _, seconds in ipairs({ -1, 0 / 0, "1" }) do
      blames_caller("seconds must be", function() local _ = job:wait(seconds) end)
    end
    job:free()
  end)

  it("rows that do not exist", function()
    local sequences = assert(vkd.batch_compute(four, 2))
    for _, i in ipairs({ 0, 3, 1.5, "1" }) do
      blames_caller("there is no sequence", function() local _ = sequences:row(i) end)
      blames_caller("there is no sequence", function() local _ = sequences:pointer(i) end)
    end
    blames_caller("call it as sequences:row", function() local _ = sequences.row(1) end)
  end)

  it("paths, items and streams of a wrong type", function()
    blames_caller("path must be the path of a file", function() local _ = vkd.load_npy(nil) end)
    local embeddings = assert(vkd.load_npy(helper.root .. "tests/golden/two_items.npy"))
    blames_caller("item must be an integer from 1 to 2", function()
      local _ = embeddings:row(3)
    end)
    blames_caller("stream must be an open file", function()
      local _ = vkd.progress_line("stderr")
    end)
  end)

  it("blame the very line", function()
    local line = debug.getinfo(1, "l").currentline + 2
    local fine, message = pcall(function()
      local _ = vkd.batch_compute(four, 2, { length = 1.5 })
    end)
    assert.is_false(fine)
    assert.matches("misuse_spec%.lua:" .. line .. ": vkd: option length", message)
  end)

  it("a call straight from pcall still has a line", function()
    local _, message = pcall(vkd.batch_compute, four, 3)
    assert.matches("misuse_spec%.lua:%d+: ", message)
  end)
end)
