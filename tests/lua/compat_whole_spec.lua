-- A whole script of the older interface, from an embeddings.json of 8,000 texts to the files that
-- it leaves. On another device than the CPU engine every file has the same bytes; there are 2,000
-- texts then, since 8,000 take llvmpipe a minute and a half.
--
-- COMPAT_LENGTH is how many places each sequence has, COMPAT_PAGES how many pages there are:
-- enough here to see that all is right, and few enough for some seconds.

local ffi = require("ffi")
local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

local ON_CPU = (os.getenv("VKD_DEVICE") or "cpu") == "cpu"
local N, DIM, TOP = ON_CPU and 8000 or 2000, 32, 100
local LENGTH = tonumber(os.getenv("COMPAT_LENGTH") or ON_CPU and 100 or 20)
local PAGES = tonumber(os.getenv("COMPAT_PAGES") or 200)

local function sh(command, ...)
  local status = os.execute(command:format(...))
  assert(status == 0 or status == true, command)
end

-- Numbers that halves hold exactly, so that vkd can be given floats.
local function write_embeddings(path)
  local numbers, items = helper.numbers(N, DIM), {}
  local floats = ffi.new("float[?]", N * DIM)
  for i = 0, N * DIM - 1 do floats[i] = numbers[i + 1] / 512 end
  for i = 1, N do
    local values = {}
    for d = 1, DIM do values[d] = ("%.9f"):format(floats[(i - 1) * DIM + d - 1]) end
    items[i] = ('{"poem_index":%d,"id":"poem-%d","embedding":[%s]}'):format(i, i,
      table.concat(values, ", "))
  end
  local file = assert(io.open(path, "wb"))
  local head = '{"metadata":{"model":"test","embedding_dimension":%d},\n"embeddings":[\n'
  file:write(head:format(DIM), table.concat(items, ",\n"), "\n]}\n")
  file:close()
  return floats
end

-- The others of item `row` (0-based) as files have them: by number, nearest first.
local function nearest(triangle, n, row)
  local others = {}
  local function similarity(other)
    local i, j = math.min(row, other), math.max(row, other)
    return triangle[i * n - i * (i + 1) / 2 + j - i - 1]
  end
  for other = 0, n - 1 do
    if other ~= row then others[#others + 1] = { at = other, similarity = similarity(other) } end
  end
  table.sort(others, function(a, b)
    if a.similarity ~= b.similarity then return a.similarity > b.similarity end
    return a.at < b.at
  end)
  for place, other in ipairs(others) do others[place] = other.at + 1 end
  return others
end

describe("a whole script", function()
  local folder, floats, out
  -- Lets the script write its files into a new folder.
  local function run(name, environment)
    local into = folder .. "/" .. name
    sh("mkdir '%s' '%s/pages'", into, into)
    local library = os.getenv("VKD_LIBRARY") or helper.root .. "target/release/libvkd.so"
    local text = helper.run(([[
      _G.VK_COMPUTE_LIB = %q
      local script = dofile(%q .. "tests/lua/scripts/whole.lua")
      script(%q, %q, { length = %d, top = %d, pages = %d })
    ]]):format(library, helper.root, folder .. "/embeddings.json", into, LENGTH, TOP, PAGES),
      environment)
    assert.equal("exit 0\n", text)
    return into
  end
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    sh("mkdir '%s'", folder)
    floats = write_embeddings(folder .. "/embeddings.json")
    out = run("cpu", "VKD_DEVICE=cpu")
  end)
  teardown(function() sh("rm -r '%s'", folder) end)

  it("goes from embeddings in JSON to pages and caches", function()
    local options = { dim = DIM, length = LENGTH, device = "cpu" }
    local sequences = assert(vkd.batch_compute(floats, N, options))
    local binary = helper.read_file(out .. "/sequences.bin")
    assert.equal(4 + N * LENGTH * 4, #binary)
    assert(binary == ffi.string(ffi.new("uint32_t[1]", N), 4)
      .. ffi.string(sequences.data, N * LENGTH * 4))
    local lines = {}
    for row = 1, N do
      local items = sequences:row(row)
      for place = 1, LENGTH do items[place] = items[place] - 1 end
      lines[row] = ('"%d":[%s]'):format(row - 1, table.concat(items, ","))
    end
    local head = ('{"metadata":{"model":"test","num_poems":%d,"top_k":%d},"sequences":{'):format(
      N, LENGTH)
    assert(helper.read_file(out .. "/diversity_cache.json")
      == head .. table.concat(lines, ",") .. "}}")

    local triangle = assert(vkd.similarity(floats, N, { dim = DIM, upper = true, device = "cpu" }))
    local rankings = helper.read_file(out .. "/similarity_rankings_cache.json")
    for row = 0, N - 1, 1999 do
      local others = table.concat(nearest(triangle, N, row), ", ", 1, TOP)
      assert(rankings:find(('\n    "%d": [%s]'):format(row + 1, others), 1, true), row)
    end
    local few = assert(vkd.similarity(floats, PAGES, { dim = DIM, upper = true, device = "cpu" }))
    for row = 0, PAGES - 1, 37 do
      local page = helper.read_file(("%s/pages/poem_index_%d.json"):format(out, row + 1))
      local others = table.concat(nearest(few, PAGES, row), ", ")
      assert(page:find(('\n  "sorted_indices": [%s]\n}\n'):format(others), 1, true), row)
      assert(page:find(('"poem_id": "poem-%d"'):format(row + 1), 1, true), row)
    end
    local pipe = assert(io.popen(("ls '%s/pages' | wc -l"):format(out)))
    assert.equal(PAGES, pipe:read("*n"))
    pipe:close()
  end)

  it("leaves the same bytes on another device", function()
    if ON_CPU then return end
    sh("diff -r '%s' '%s'", out, run("other"))
  end)
end)
