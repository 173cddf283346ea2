-- Embeddings from files through LuaJIT: every format, ids, what is written, errors by name; every
-- call takes them; rows of zeros.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local ffi = require("ffi")
local vkd = helper.vkd()
local failed, blames_caller, with_file = helper.failed, helper.blames_caller, helper.with_file

-- Two items of three dimensions, which every format holds exactly.
local VALUES = { 1, -2, 0.5, 3.25, -0.125, 8 }
local HALVES = { 0x3c00, 0xc000, 0x3800, 0x4280, 0xb000, 0x4800 }

local function bytes_of(ctype, values)
  local array = ffi.new(ctype .. "[?]", #values, values)
  return ffi.string(array, ffi.sizeof(array))
end

local F32 = bytes_of("float", VALUES)

local function npy(described, data)
  local header = ("{'descr': '%s', 'fortran_order': False, 'shape': (2, 3), }"):format(described)
  header = header .. (" "):rep(117 - #header) .. "\n"
  return "\147NUMPY\1\0" .. string.char(#header, 0) .. header .. data
end

local function number(value, bytes)
  local text = ""
  for _ = 1, bytes do
    text, value = text .. string.char(value % 256), math.floor(value / 256)
  end
  return text
end

local function safetensors(header, data) return number(#header, 8) .. header .. data end

-- A zip archive of one stored member.
local function npz(name, data)
  local function crc(text)
    local value = bit.bnot(0)
    for i = 1, #text do
      value = bit.bxor(value, text:byte(i))
      for _ = 1, 8 do
        local odd = bit.band(value, 1) == 1
        value = bit.rshift(value, 1)
        if odd then value = bit.bxor(value, 0xedb88320) end
      end
    end
    return bit.bnot(value) % 2 ^ 32
  end
  local about = number(20, 2) .. number(0, 2) .. number(0, 2) .. number(0, 4)
    .. number(crc(data), 4) .. number(#data, 4) .. number(#data, 4) .. number(#name, 2)
    .. number(0, 2)
  local member = "PK\3\4" .. about .. name .. data
  local entry = "PK\1\2" .. number(20, 2) .. about .. number(0, 2) .. number(0, 2)
    .. number(0, 2) .. number(0, 4) .. number(0, 4) .. name
  return member .. entry .. "PK\5\6" .. number(0, 4) .. number(1, 2) .. number(1, 2)
    .. number(#entry, 4) .. number(#member, 4) .. number(0, 2)
end

local function check(bytes, options, ids, element_type)
  with_file(bytes, function(path)
    local found = assert(vkd.load(path, options))
    assert.same({ 2, 3, element_type or "f32", path },
      { found.num_items, found.dim, found.element_type, found.path })
    local first, second = found:row(1), found:row(2)
    assert.same(VALUES, { first[1], first[2], first[3], unpack(second) })
    assert.same(ids, found.ids)
    assert.equal(ids ~= nil, found.has_ids)
    for i, id in ipairs(ids or {}) do
      assert.equal(id, found:id(i))
      assert.equal(i, found:find(id))
    end
    failed("VKD_ERROR_NO_SUCH_ID", ids and "nobody" or "no ids", found:find("nobody"))
    if not ids then failed("VKD_ERROR_NO_SUCH_ID", "no ids", found:id(1)) end
    found:free()
  end)
end

describe("embeddings from files", function()
  it("of numpy", function()
    check(npy("<f4", F32))
    check(npy("<f2", bytes_of("uint16_t", HALVES)), nil, nil, "f16")
    check(npy("<f8", bytes_of("double", VALUES)), nil, nil, "f64")
    check(npz("embeddings.npy", npy("<f4", F32)))
    check(npz("x.npy", npy("<f4", F32)), { array = "x" })
  end)

  it("of safetensors", function()
    local header = '{"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'
    check(safetensors(header, F32))
    check(safetensors(header, F32), { array = "x" })
  end)

  it("of JSON and JSON Lines", function()
    check("[[1,-2,0.5],[3.25,-0.125,8]]")
    check('{"embeddings":[{"id":"a","embedding":[1,-2,5e-1]},'
      .. '{"embedding":[3.25,-0.125,8.0],"id":"b \\u00e9"}]}', nil, { "a", "b é" })
    check('{"poem_index":7,"vector":[1,-2,0.5]}\n{"poem_index":8,"vector":[3.25,-0.125,8]}\n', nil,
      { "7", "8" })
    check('{"all":[{"n":1,"e":[1,-2,0.5]},{"n":2,"e":[3.25,-0.125,8]}]}',
      { id_key = "n", embedding_key = "e", list_key = "all" }, { "1", "2" })
  end)

  it("of word2vec, GloVe and fvecs", function()
    check("the 1 -2 0.5\nof 3.25 -0.125 8\n", nil, { "the", "of" })
    check("2 3\nthe 1 -2 0.5\nof 3.25 -0.125 8\n", nil, { "the", "of" })
    check("2 3\nthe " .. F32:sub(1, 12) .. "of " .. F32:sub(13), nil, { "the", "of" })
    check("\3\0\0\0" .. F32:sub(1, 12) .. "\3\0\0\0" .. F32:sub(13))
  end)

  it("of values alone, and with ids from a text file", function()
    check(F32, { dim = 3 })
    check(F32, { dim = 3, element_type = "f32" })
    check(bytes_of("double", VALUES), { dim = 3, element_type = "f64" }, nil, "f64")
    with_file("x\ny z\n", function(ids)
      check(F32, { dim = 3, ids = ids }, { "x", "y z" })
      check("the 1 -2 0.5\nof 3.25 -0.125 8\n", { ids = ids }, { "x", "y z" })
    end)
  end)

  it("are written and read again", function()
    local path = os.tmpname()
    with_file("the 1 -2 0.5\nof 3.25 -0.125 8\n", function(from)
      local found = assert(vkd.load(from))
      for _, options in ipairs({ { format = "npy" }, { format = "safetensors" }, {} }) do
        os.remove(path)
        assert.is_true(assert(found:write(path, options)))
        local again = assert(vkd.load(path))
        assert.same({ found:row(1), found:row(2) }, { again:row(1), again:row(2) })
        assert.same(options.format ~= "npy" and { "the", "of" } or nil, again.ids)
        again:free()
        failed("VKD_ERROR_BAD_FILE", path .. " is not replaced", found:write(path))
      end
      assert(found:write(path, { overwrite = true }))
      failed("VKD_ERROR_BAD_FILE", from, found:write(from, { overwrite = true }))
      assert.equal("the 1", helper.read_file(from):sub(1, 5))
      failed("VKD_ERROR_FILE", "/no/such/folder", found:write("/no/such/folder/file"))
    end)
    os.remove(path)
  end)

  it("keep their memory as long as a pointer to it, or until free", function()
    with_file("[[1,2],[3,4]]", function(path)
      local data = assert(vkd.load(path)).data
      collectgarbage()
      collectgarbage()
      assert.equal(4, data[3])
      for _, found in ipairs({ assert(vkd.load(path)),
        assert(vkd.load_npy(helper.root .. "tests/golden/two_items.npy")) }) do
        found:free()
        found:free()
        assert.is_nil(found.data)
        assert.is_nil(found.ids)
        blames_caller("have been freed", function() local _ = found:row(1) end)
        blames_caller("have been freed", function() local _ = vkd.batch_compute(found) end)
      end
    end)
  end)

  it("with flaws are refused with the place", function()
    local function flawed(status, expected, bytes, options)
      with_file(bytes, function(path)
        failed(status, expected, vkd.load(path, options))
        failed(status, path, vkd.load(path, options))
      end)
    end
    flawed("VKD_ERROR_BAD_EMBEDDINGS", "at line 2, byte 5: item 1 (0-based) has 2 dimensions",
      '[[1,2,3],\n    [4,5]]')
    flawed("VKD_ERROR_BAD_EMBEDDINGS", "a number is expected", '[[1,2],[3,x]]')
    flawed("VKD_ERROR_BAD_EMBEDDINGS", "cut short", npy("<f4", F32:sub(1, 20)))
    flawed("VKD_ERROR_BAD_EMBEDDINGS", "no format that vkd knows", "what is this?")
    flawed("VKD_ERROR_BAD_EMBEDDINGS", "no array \"y\"", npz("x.npy", npy("<f4", F32)),
      { array = "y" })
    flawed("VKD_ERROR_NOT_FINITE", "dimension 1", "[[1,NaN]]")
    flawed("VKD_ERROR_ZERO_SIZE", "no embeddings", "[]")
    flawed("VKD_ERROR_BAD_ID", "items 0 and 1 (0-based) have the same id", "a 1 2\na 3 4\n")
    flawed("VKD_ERROR_DIM_TOO_LARGE", "65,537", F32, { dim = 65537 })
    failed("VKD_ERROR_FILE", "/no/such/file", vkd.load("/no/such/file"))
    with_file("a\n", function(ids)
      with_file("[[1],[2]]", function(path)
        failed("VKD_ERROR_BAD_EMBEDDINGS", ids .. ": there are 1 ids for 2 items",
          vkd.load(path, { ids = ids }))
      end)
    end)
  end)

  it("are misused at the caller's line", function()
    blames_caller("path must be the path of a file", function() local _ = vkd.load(7) end)
    blames_caller("there is no option \"dims\"", function()
      local _ = vkd.load("x", { dims = 1 })
    end)
    blames_caller("option ids must be a string", function()
      local _ = vkd.load("x", { ids = {} })
    end)
    blames_caller("option element_type goes with dim", function()
      local _ = vkd.load("x", { element_type = "f32" })
    end)
    blames_caller("option element_type must be", function()
      local _ = vkd.load("x", { element_type = "i8", dim = 3 })
    end)
    blames_caller("option id_key holds a NUL", function()
      local _ = vkd.load("x", { id_key = "a\0b" })
    end)
    with_file("[[1,2],[3,4]]", function(path)
      local found = assert(vkd.load(path))
      blames_caller("item must be an integer from 1 to 2", function() local _ = found:id(0) end)
      blames_caller("id must be a string", function() local _ = found:find(1) end)
      blames_caller("find is a method", function() local _ = found.find("a") end)
      blames_caller("option format must be", function()
        local _ = found:write("x", { format = "json" })
      end)
    end)
    local npy_file = assert(vkd.load_npy(helper.root .. "tests/golden/two_items.npy"))
    blames_caller("open the file with vkd.load", function() local _ = npy_file:write("x") end)
  end)
end)

describe("calls with embeddings from files", function()
  local N, DIM = 12, 5
  local numbers = helper.numbers(N, DIM)
  local embeddings, path

  before_each(function()
    local items = {}
    for i, row in ipairs(helper.nested(numbers, DIM)) do
      items[i] = ('{"id":"poem %d","embedding":[%s]}'):format(i, table.concat(row, ","))
    end
    path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write('{"embeddings":[', table.concat(items, ","), "]}")
    file:close()
    embeddings = assert(vkd.load(path))
  end)
  after_each(function() os.remove(path) end)

  it("give what they give of tables", function()
    local expected = helper.text(assert(vkd.batch_compute(numbers, N)))
    assert.equal(expected, helper.text(assert(vkd.batch_compute(embeddings))))
    assert.equal(expected, helper.text(assert(vkd.batch_compute(embeddings, N, { dim = DIM }))))
    local job = assert(vkd.start(embeddings, { length = 3 }))
    embeddings:free()
    assert(job:wait())
    assert.equal(3, assert(job:result()).length)
  end)

  it("are neighbours, also of queries, similarities and methods of a context", function()
    local context = assert(vkd.context())
    local expected = assert(vkd.neighbors(numbers, N, 4))
    for _, place in ipairs({ vkd.neighbors, function(...) return context:neighbors(...) end }) do
      local found = assert(place(embeddings, nil, 4))
      assert.same({ expected:row(7) }, { found:row(7) })
    end
    local asked = assert(vkd.neighbors(numbers, N, 1, { dim = DIM, queries = embeddings }))
    assert.same({ 9 }, asked[9])
    local values = assert(vkd.similarity(numbers, N))
    assert.equal(values[N + 3], assert(vkd.similarity(embeddings))[N + 3])
    assert.equal(values[N + 3], assert(context:similarity(embeddings))[N + 3])
    assert.equal(N, assert(context:batch_compute(embeddings)).count)
  end)

  it("are results that can be verified", function()
    local output = os.tmpname()
    os.remove(output)
    local sequences = assert(vkd.batch_compute(embeddings, { output = output }))
    assert.is_true(assert(sequences:verify(embeddings)).picks_checked > 0)
    os.remove(output)
  end)

  it("are sites whose pages have the ids", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(vkd.site(embeddings, { directory = folder, k = 3 }))
    local page = helper.json(helper.read_file(folder .. "/poem 7.json"))
    assert.equal("poem 7", page.id)
    assert.matches("^poem %d+$", page.similar[1].id)
    local ids = {}
    for i = 1, N do ids[i] = "other" .. i end
    assert(vkd.site(embeddings, { directory = folder, k = 3, ids = ids }))
    assert.equal("other7", helper.json(helper.read_file(folder .. "/other7.json")).id)
    os.execute("rm -rf '" .. folder .. "'")
  end)
end)

describe("rows of zeros", function()
  local rows = { { 1, 0 }, { 0, 0 }, { 0, 1 }, { -1, -0.5 }, { 0, 0 } }

  it("are refused with the option's name, and admitted by it", function()
    failed("VKD_ERROR_ZERO_NORM", "zero_rows = true", vkd.batch_compute(rows))
    failed("VKD_ERROR_ZERO_NORM", "zero_rows = true", vkd.neighbors(rows, nil, 2))
    failed("VKD_ERROR_ZERO_NORM", "zero_rows = true", vkd.similarity(rows))
    failed("VKD_ERROR_ZERO_NORM", "zero_rows = true", vkd.site(rows, { k = 2, directory = "x" }))
    failed("VKD_ERROR_ZERO_NORM_CENTERED", "zero_rows = true",
      vkd.batch_compute({ 1, 2, 1, 2 }, 2, { center = true }))
    local options = { zero_rows = true }
    assert.same({ 2, 1, 4, 3, 5 }, { unpack(assert(vkd.batch_compute(rows, options))[2], 1, 5) })
    local items, similarities = assert(vkd.neighbors(rows, nil, 4, options)):row(2)
    assert.same({ { 1, 3, 4, 5 }, { 0, 0, 0, 0 } }, { items, similarities })
    assert.same({ 1, 2 }, assert(vkd.neighbors(rows, nil, 2,
      { zero_rows = true, queries = { { 0, 0 } } }))[1])
    assert.equal(0, assert(vkd.similarity(rows, options))[1])
    assert(vkd.batch_compute({ 1, 2, 1, 2 }, 2, { center = true, zero_rows = true }))
    assert(vkd.plan(5, 2, options))
    assert(vkd.plan_neighbors(5, 2, 2, options))
    assert(vkd.plan_similarity(5, 2, options))
    assert(vkd.plan_site(5, 2, { k = 2, directory = os.tmpname() .. ".site", zero_rows = true }))
  end)

  it("are in files that can be verified, and in sites", function()
    local path = os.tmpname()
    os.remove(path)
    local found = assert(vkd.batch_compute(rows, { output = path, zero_rows = true }))
    assert(found:verify(rows))
    assert(found:verify(rows, { zero_rows = true }))
    assert(vkd.site(rows, { k = 4, directory = path .. ".site", zero_rows = true }))
    assert.equal(0, helper.json(helper.read_file(path .. ".site/2.json")).similar[1].similarity)
    os.execute("rm -rf " .. path .. " " .. path .. ".site")
  end)
end)
