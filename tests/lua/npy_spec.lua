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

  it("maps the values, and leaves the file as it is when they are written", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    -- numpy pads headers, so that values lie at a multiple of 64 bytes.
    local header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    local bytes = npy({ header = header .. (" "):rep(-(#header + 11) % 64) .. "\n" })
    file:write(bytes)
    file:close()
    local embeddings = assert(vkd.load_npy(path))
    if jit.os == "Linux" then
      local maps = helper.read_file("/proc/self/maps")
      assert.is_truthy(maps:find(path, 1, true))
    end
    embeddings.data[0] = 77
    assert.equal(77, embeddings:row(1)[1])
    assert.equal(bytes, helper.read_file(path))
    embeddings = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    if jit.os == "Linux" then
      assert.is_nil(helper.read_file("/proc/self/maps"):find(path, 1, true))
    end
    os.remove(path)
  end)

  it("feeds batch_compute", function()
    local embeddings = assert(vkd.load_npy(helper.root .. "tests/golden/two_items.npy"))
    assert.same({ 2, 1 }, assert(vkd.batch_compute(embeddings))[2])
  end)

  it("refuses what follows the array", function()
    refused("2 x 3 values need 24 bytes, but 28 bytes follow its header", npy({}) .. "more")
    refused("it is no single array", npy({}) .. npy({}))
  end)

  it("refuses shapes that no run can take", function()
    for _, shape in ipairs({ "(0, 384)", "(4294967296, 0)", "(7, 0)", "(0, 0)" }) do
      refused("it holds no values: its shape is (", npy({ shape = shape, data = "" }))
    end
    refused("(4,294,967,296, 1), and there can be at most 4,294,967,295 items",
      npy({ shape = "(4294967296, 1)" }))
    refused("(1, 65,537), and there can be at most 65,536 dimensions",
      npy({ shape = "(1, 65537)" }))
  end)

  it("names a file that is something else", function()
    refused("it is empty (0 bytes)", "")
    refused("perhaps .npz", "PK\3\4 and so on")
    local path = os.tmpname()
    os.remove(path)
    assert(vkd.batch_compute({ 1, 2, 3, 4 }, 2, { output = path }))
    local value, message = vkd.load_npy(path)
    assert.is_nil(value)
    assert.matches("open it with vkd.open", message, 1, true)
    os.remove(path)
  end)

  it("does not wait for a writer of a FIFO", function()
    local path = os.tmpname()
    os.remove(path)
    os.execute("mkfifo " .. path)
    local text = helper.run(([[
      package.path = "%slua/?.lua;" .. package.path
      print(require("vkd").load_npy("%s"))]]):format(helper.root, path), "timeout 5")
    assert.equal(("nil\t%s: it is no regular file; name a .npy file\nexit 0\n"):format(path), text)
    os.remove(path)
  end)

  it("refuses what is no embeddings file", function()
    refused("Fortran order", npy({ order = "True" }))
    refused("big-endian", npy({ descr = ">f4" }))
    refused('dtype "<i4"', npy({ descr = "<i4" }))
    refused('dtype "|O"', npy({ descr = "|O" }))
    refused("it holds records", npy({
      header = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }" }))
    refused("it has 1 dimension;", npy({ shape = "(6,)" }))
    refused("it has 3 dimensions;", npy({ shape = "(1, 2, 3)" }))
    refused("it has 0 dimensions;", npy({ shape = "()" }))
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
    refused("it is cut short: 2 x 3 values need 24 bytes, 23 bytes are there", whole:sub(1, -2))
    refused("2,000,000 x 384 values need 3.1 GB (3,072,000,000 bytes), 24 bytes are there",
      npy({ shape = "(2000000, 384)" }))
    refused("there can be at most", npy({ shape = "(99999999999, 99999999999)" }))
  end)

  it("names the file in its message", function()
    local value, message = vkd.load_npy("/no/such/file.npy")
    assert.is_nil(value)
    assert.matches("/no/such/file%.npy", message)
    value, message = vkd.load_npy(helper.root .. "tests")
    assert.is_nil(value)
    assert.matches("it cannot be read: Is a directory", message, 1, true)
    helper.blames_caller("path holds a NUL character", function()
      local _ = vkd.load_npy(helper.root .. "tests/golden/two_items.npy\0.txt")
    end)
  end)
end)
