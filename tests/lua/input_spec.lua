-- Every form of embeddings and starts gives the same sequences; lengths, prefixes and results.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\\\])") .. "helper.lua")
local ffi = require("ffi")
local vkd = helper.vkd()

local N, DIM = 23, 6
local numbers = helper.numbers(N, DIM)

local function half_bits(number)
  if number == 0 then return 0 end
  local fraction, exponent = math.frexp(math.abs(number))
  return (number < 0 and 0x8000 or 0) + (exponent + 14) * 1024 + (fraction * 2 - 1) * 1024
end

local function rows_of(...)
  return helper.text(assert(vkd.batch_compute(...)))
end

describe("embeddings", function()
  local expected = rows_of(helper.float_array(numbers), N)

  it("as float[?], dim inferred or given", function()
    local array = helper.float_array(numbers)
    assert.equal(expected, rows_of(array, N, { dim = DIM }))
    assert.equal(expected, rows_of(array, nil, { dim = DIM }))
    assert.equal(expected, rows_of(array, { dim = DIM }))
  end)

  it("as float *, const float *, float[n][m] and a float array in a struct", function()
    local array = helper.float_array(numbers)
    assert.equal(expected, rows_of(ffi.cast("float *", array), N, { dim = DIM }))
    assert.equal(expected, rows_of(ffi.cast("const float *", array), N, { dim = DIM }))
    local grid = ffi.new("float[23][6]")
    ffi.copy(grid, array, ffi.sizeof(grid))
    assert.equal(expected, rows_of(grid, N))
    local struct = ffi.new("struct { int before; float values[138]; }")
    ffi.copy(struct.values, array, ffi.sizeof(grid))
    assert.equal(expected, rows_of(struct.values, N))
  end)

  it("as a buffer that is larger than the items", function()
    local large = ffi.new("float[?]", #numbers + 10, numbers)
    assert.equal(expected, rows_of(large, N, { dim = DIM }))
  end)

  it("as double and as f16", function()
    assert.equal(expected, rows_of(ffi.new("double[?]", #numbers, numbers), N))
    local halves = ffi.new("uint16_t[?]", #numbers)
    for i, number in ipairs(numbers) do halves[i - 1] = half_bits(number) end
    assert.equal(expected, rows_of(halves, N, { element_type = "f16" }))
    assert.equal(expected,
      rows_of(ffi.cast("uint16_t *", halves), N, { element_type = "f16", dim = DIM }))
  end)

  it("as a flat table, in f32 and f64", function()
    assert.equal(expected, rows_of(numbers, N))
    assert.equal(expected, rows_of(numbers, N, { dim = DIM }))
    assert.equal(expected, rows_of(numbers, nil, { dim = DIM }))
    assert.equal(expected, rows_of(numbers, N, { element_type = "f64" }))
  end)

  it("as a table of tables, with and without num_items", function()
    local rows = helper.nested(numbers, DIM)
    assert.equal(expected, rows_of(rows))
    assert.equal(expected, rows_of(rows, N))
    assert.equal(expected, rows_of(rows, nil, { dim = DIM, element_type = "f64" }))
  end)

  it("as an object with data, num_items and dim", function()
    local object = { data = helper.float_array(numbers), num_items = N, dim = DIM }
    assert.equal(expected, rows_of(object))
    assert.equal(expected, rows_of(object, N))
  end)

  it("make tables of JSON numbers equal to the f32 values they were", function()
    local floats, decimals = ffi.new("float[?]", #numbers), {}
    for i, number in ipairs(numbers) do
      floats[i - 1] = number / 511
      decimals[i] = tonumber(("%.9g"):format(floats[i - 1]))
    end
    assert.equal(rows_of(floats, N), rows_of(decimals, N))
  end)

  it("may be dropped and overwritten as soon as start has returned", function()
    local array = helper.float_array(numbers)
    local job = assert(vkd.start(array, N))
    ffi.fill(array, ffi.sizeof(array), 0xFF)
    assert(job:wait())
    assert.equal(expected, helper.text(assert(job:result())))
    job:free()
  end)

  it("centred give other sequences", function()
    assert.not_equal(expected, rows_of(numbers, N, { center = true }))
    assert.equal(expected, rows_of(numbers, N, { center = false }))
  end)
end)

describe("starts and length", function()
  local all = assert(vkd.batch_compute(numbers, N))

  it("are all items and all of them by default", function()
    assert.equal(N, all.count)
    assert.equal(N, all.length)
    for i, items in all:rows() do
      assert.equal(i, items[1])
      local sorted = { unpack(items) }
      table.sort(sorted)
      for k = 1, N do assert.equal(k, sorted[k]) end
    end
  end)

  it("in a table count from 1, duplicates allowed", function()
    local some = assert(vkd.batch_compute(numbers, N, { starts = { 23, 1, 7, 7 } }))
    assert.equal(4, some.count)
    for i, start in ipairs({ 23, 1, 7, 7 }) do assert.same(all:row(start), some:row(i)) end
  end)

  it("in cdata count from 0", function()
    local starts = ffi.new("uint32_t[3]", 22, 0, 6)
    for _, options in ipairs({
      { starts = starts },
      { starts = ffi.cast("const uint32_t *", starts), num_starts = 3 },
    }) do
      local some = assert(vkd.batch_compute(numbers, N, options))
      assert.equal(3, some.count)
      for i, start in ipairs({ 23, 1, 7 }) do assert.same(all:row(start), some:row(i)) end
    end
    local two = assert(vkd.batch_compute(numbers, N, { starts = starts, num_starts = 2 }))
    assert.equal(2, two.count)
  end)

  it("shorter is a prefix of longer", function()
    for _, length in ipairs({ 1, 2, 10, N }) do
      local some = assert(vkd.batch_compute(numbers, N, { length = length, starts = { 5, 9 } }))
      assert.equal(length, some.length)
      for i, start in ipairs({ 5, 9 }) do
        assert.same({ unpack(all:row(start), 1, length) }, some:row(i))
      end
    end
  end)
end)

describe("results", function()
  local sequences, report = assert(vkd.batch_compute(numbers, N))

  it("are 1-based in tables and 0-based in cdata", function()
    local items, pointer = sequences:row(4), sequences:pointer(4)
    for k = 1, N do
      assert.equal(items[k], pointer[k - 1] + 1)
      assert.equal(items[k], sequences.data[3 * N + k - 1] + 1)
    end
  end)

  it("can be indexed like a list", function()
    assert.same(sequences:row(2), sequences[2])
    assert.is_nil(sequences[0])
    assert.is_nil(sequences[N + 1])
    assert.is_nil(sequences[1.5])
    local seen = 0
    for i in sequences:rows() do seen = i end
    assert.equal(N, seen)
  end)

  it("stay alive as long as a pointer into them", function()
    local kept, expected = {}, sequences:row(3)
    for i = 1, 50 do kept[i] = assert(vkd.batch_compute(numbers, N)):pointer(3) end
    collectgarbage()
    collectgarbage()
    for i = 1, 50 do
      for k = 1, N do assert.equal(expected[k], kept[i][k - 1] + 1) end
    end
  end)

  it("come with a report", function()
    assert.equal(N * (N - 1), report.steps)
    assert.equal(N, report.rows)
    assert.is_true(report.bytes_read > 0)
    assert.is_true(report.seconds > 0)
    for _, phase in ipairs({ "prepare", "upload", "matrix", "steps", "download" }) do
      assert.is_true(report[phase .. "_seconds"] >= 0)
    end
    assert.is_true(#report.device > 0)
  end)
end)
