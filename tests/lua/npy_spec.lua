-- Reading .npy files, and refusing what cannot be read with a reason.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\\\])") .. "helper.lua")
local ffi = require("ffi")
local vkd = helper.vkd()

-- The bytes of a .npy file. Everything in `change` replaces a part of a good one.
local function npy(change)
  local header = change.header or ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }"):format(
    change.descr or "<f4", change.order or "False", change.shape or "(2, 3)")
  local size = #header
  local length = change.version == 2 and string.char(size, 0, 0, 0) or string.char(size, 0)
  return (change.magic or "\147NUMPY") .. string.char(change.version or 1, 0) .. length .. header
    .. (change.data or ffi.string(ffi.new("float[6]", 1, 2, 3, 4, 5, 6), 24))
end

local function refused(expected, bytes)
  local value, message = helper.with_file(bytes, vkd.load_npy)
  assert.is_nil(value)
  assert(message:find(expected, 1, true), ("%q does not contain %q"):format(message, expected))
end

describe("load_npy", function()
  it("reads f4 in versions 1 and 2", function()
    for version = 1, 2 do
      local embeddings = helper.with_file(npy({ version = version }), vkd.load_npy)
      assert.equal(2, embeddings.num_items)
      assert.equal(3, embeddings.dim)
      assert.equal("f32", embeddings.element_type)
      assert.same({ 4, 5, 6 }, embeddings:row(2))
      assert.equal(4, embeddings.data[3])
    end
  end)

  it("reads f8", function()
    local data = ffi.string(ffi.new("double[6]", 1, 2, 3, 4, 5, 6.5), 48)
    local embeddings = helper.with_file(npy({ descr = "<f8", data = data }), vkd.load_npy)
    assert.equal("f64", embeddings.element_type)
    assert.same({ 4, 5, 6.5 }, embeddings:row(2))
  end)

  it("reads f2, subnormal numbers too", function()
    local data = ffi.string(ffi.new("uint16_t[6]", 0x3C00, 0xC000, 0x3555, 1, 0x7BFF, 0x8000), 12)
    local embeddings = helper.with_file(npy({ descr = "<f2", data = data }), vkd.load_npy)
    assert.equal("f16", embeddings.element_type)
    assert.same({ 1, -2, 1365 / 4096 }, embeddings:row(1))
    assert.same({ 2 ^ -24, 65504, 0 }, embeddings:row(2))
  end)

  it("feeds batch_compute", function()
    local embeddings = assert(vkd.load_npy(helper.root .. "tests/golden/two_items.npy"))
    assert.same({ 2, 1 }, assert(vkd.batch_compute(embeddings))[2])
  end)

  it("ignores what follows the array", function()
    local embeddings = helper.with_file(npy({}) .. "more", vkd.load_npy)
    assert.same({ 4, 5, 6 }, embeddings:row(2))
  end)

  it("refuses what is no embeddings file", function()
    refused("Fortran order", npy({ order = "True" }))
    refused("big-endian", npy({ descr = ">f4" }))
    refused('dtype "<i4"', npy({ descr = "<i4" }))
    refused('dtype "|O"', npy({ descr = "|O" }))
    refused("it holds records", npy({
      header = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }" }))
    refused("it has 1 dimension(s)", npy({ shape = "(6,)" }))
    refused("it has 3 dimension(s)", npy({ shape = "(1, 2, 3)" }))
    refused("it has 0 dimension(s)", npy({ shape = "()" }))
    refused("not a .npy file", "")
    refused("not a .npy file", "hello, world")
    refused("not a .npy file", npy({ magic = "\147NUMPX" }))
    refused("format version 9", npy({ version = 9 }))
    refused("cannot be understood", npy({ header = "{}" }))
  end)

  it("refuses what is cut short, at any place", function()
    local whole = npy({})
    for size = 0, #whole - 1 do
      local value, message = helper.with_file(whole:sub(1, size), vkd.load_npy)
      assert.is_nil(value)
      assert.is_string(message)
    end
    refused("it is cut short: 2 x 3 values need 24 bytes, 23 are there", whole:sub(1, -2))
    refused("it is cut short", npy({ shape = "(99999999999, 99999999999)" }))
  end)

  it("names the file in its message", function()
    local value, message = vkd.load_npy("/no/such/file.npy")
    assert.is_nil(value)
    assert.matches("/no/such/file%.npy", message)
    value, message = vkd.load_npy(helper.root .. "tests")
    assert.is_nil(value)
    assert.is_string(message)
  end)
end)
