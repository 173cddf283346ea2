-- What can fail in a correct program returns nil, a message and the name of the status, and leaves
-- everything usable.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\\\])") .. "helper.lua")
local ffi = require("ffi")
local vkd = helper.vkd()
local failed = helper.failed

describe("bad data:", function()
  it("a NaN", function()
    failed("VKD_ERROR_NOT_FINITE", "item 1 has a NaN in dimension 0",
      vkd.batch_compute({ 1, 2, 0 / 0, 4 }, 2))
  end)

  it("an infinity, also one that only f32 cannot hold", function()
    failed("VKD_ERROR_NOT_FINITE", "item 0", vkd.batch_compute({ 1, math.huge, 3, 4 }, 2))
    failed("VKD_ERROR_NOT_FINITE", "item 1", vkd.batch_compute({ 1, 2, 3, -1e100 }, 2))
    assert(vkd.batch_compute({ 1, 2, 3, -1e100 }, 2, { element_type = "f64" }))
  end)

  it("counts from 0 and says so", function()
    failed("VKD_ERROR_ZERO_NORM", "(0-based)", vkd.batch_compute({ 1, 2, 0, 0 }, 2))
  end)

  it("a zero vector, given or after centring", function()
    failed("VKD_ERROR_ZERO_NORM", "item 1 (0-based) has zero length",
      vkd.batch_compute({ 1, 2, 0, 0 }, 2))
    failed("VKD_ERROR_ZERO_NORM_CENTERED", "item 0 (0-based) has zero length after centring",
      vkd.batch_compute({ 1, 2, 1, 2 }, 2, { center = true }))
  end)

  it("nothing at all", function()
    failed("VKD_ERROR_ZERO_SIZE", "num_items is 0", vkd.batch_compute({}))
    failed("VKD_ERROR_ZERO_SIZE", "num_items is 0", vkd.batch_compute(ffi.new("float[1]"), 0))
    failed("VKD_ERROR_ZERO_SIZE", "dim is 0", vkd.batch_compute({ {}, {} }))
  end)

  it("too many dimensions", function()
    failed("VKD_ERROR_DIM_TOO_LARGE", "65,537", vkd.batch_compute(ffi.new("float[65537]", 1), 1))
  end)
end)

describe("values out of range:", function()
  it("starts in a table, counted from 1", function()
    failed("VKD_ERROR_START_OUT_OF_RANGE",
      "starts[2] is 3; item numbers in a Lua table run from 1 to 2",
      vkd.batch_compute({ 1, 2, 3, 4 }, 2, { starts = { 1, 3 } }))
    failed("VKD_ERROR_START_OUT_OF_RANGE", "starts[1] is 0",
      vkd.batch_compute({ 1, 2, 3, 4 }, 2, { starts = { 0 } }))
  end)

  it("starts in cdata, counted from 0", function()
    failed("VKD_ERROR_START_OUT_OF_RANGE", "starts[0] is 2",
      vkd.batch_compute({ 1, 2, 3, 4 }, 2, { starts = ffi.new("uint32_t[1]", 2) }))
  end)

  it("length", function()
    failed("VKD_ERROR_LENGTH_OUT_OF_RANGE", "length is 3",
      vkd.batch_compute({ 1, 2, 3, 4 }, 2, { length = 3 }))
  end)

  it("submit target", function()
    failed("VKD_ERROR_BAD_OPTION", "submit_target_ms is 1,001",
      vkd.context({ submit_target_ms = 1001 }))
  end)
end)

describe("devices:", function()
  it("one that does not exist", function()
    failed("VKD_ERROR_DEVICE_NOT_FOUND", "no such card", vkd.context({ device = "no such card" }))
    failed("VKD_ERROR_DEVICE_NOT_FOUND", "no such card",
      vkd.batch_compute({ 1, 2, 3, 4 }, 2, { device = "no such card" }))
    failed("VKD_ERROR_DEVICE_NOT_FOUND", "no such card",
      vkd.start({ 1, 2, 3, 4 }, 2, { device = "no such card" }))
  end)

  it("one that may not use enough memory", function()
    local context = assert(vkd.context({ memory_limit = 1000 }))
    if assert(context:info()).kind == "reference" then
      return pending("the reference engine has no limit")
    end
    failed("VKD_ERROR_TOO_LARGE", "bytes", context:batch_compute(helper.numbers(300, 4), 300))
    assert(context:info())
    context:free()
  end)
end)

describe("after a failure", function()
  it("the same context and the inputs are as before", function()
    local numbers = helper.numbers(20, 4)
    local array = helper.float_array(numbers)
    local expected = helper.text(assert(vkd.batch_compute(array, 20)))
    local kept = assert(vkd.batch_compute(array, 20))
    for _ = 1, 5 do
      failed("VKD_ERROR_LENGTH_OUT_OF_RANGE", "length",
        vkd.batch_compute(array, 20, { length = 21 }))
      failed("VKD_ERROR_NOT_FINITE", "NaN", vkd.batch_compute({ 0 / 0, 1 }, 1))
    end
    for i, number in ipairs(numbers) do assert.equal(number, array[i - 1]) end
    assert.equal(expected, helper.text(kept))
    assert.equal(expected, helper.text(assert(vkd.batch_compute(array, 20))))
  end)

  it("the output of the C functions is untouched", function()
    local library = ffi.load(os.getenv("VKD_LIBRARY") or helper.root .. "target/release/libvkd.so")
    local out = ffi.new("uint32_t[4]", 7, 7, 7, 7)
    local handle = ffi.new("vkd_context *[1]")
    assert.equal(0, library.vkd_context_create(nil, handle))
    local context = ffi.gc(handle[0], library.vkd_context_free)
    local values = ffi.new("float[4]", 1, 2, 0, 0)
    assert.equal(-102, library.vkd_batch_compute(context, values, 2, 2, nil, out))
    local job = ffi.new("vkd_job *[1]")
    assert.equal(-102, library.vkd_batch_start(context, values, 2, 2, nil, job))
    assert.is_true(job[0] == nil)
    for i = 0, 3 do assert.equal(7, out[i]) end
  end)
end)
