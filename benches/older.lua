-- The older interface beside vkd's own: all sequences of a corpus as existing scripts ask for them,
-- and by one `batch_compute`.
--
--     luajit benches/older.lua [CORPUS.npy [ROUNDS]]      default: the Psalms, 5 rounds
--
-- Each run opens a device, takes floats and ends with all items in memory. In `batches` a script
-- converts to halves, tries ten places, and goes on in chunks, batch after batch; in `one by one`
-- it asks for one start after the other. The runs take turns; what counts is the median of the
-- ratios of each round. VKD_DEVICE chooses the device.

local ffi = require("ffi")
local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
package.path = here .. "../lua/?.lua;" .. package.path
local vkd = require("vkd")

-- As scripts declare them.
ffi.cdef([[
  typedef struct VKCContext VKCContext;
  typedef struct VKDDiversity VKDDiversity;
  typedef struct VKDBatch VKDBatch;
  VKCContext *vkc_init(bool);
  void vkc_destroy(VKCContext *);
  void vkc_fp32_to_fp16(const float *, uint16_t *, uint32_t);
  float vkc_fp16_to_fp32(uint16_t);
  VKDDiversity *vkd_init(VKCContext *, const float *, uint32_t, uint32_t);
  int vkd_compute_sequence(VKDDiversity *, uint32_t, uint32_t *);
  void vkd_destroy(VKDDiversity *);
  VKDBatch *vkd_batch_init(VKCContext *, const uint16_t *, uint32_t, uint32_t, uint32_t,
    const uint32_t *);
  int vkd_batch_compute_chunk(VKDBatch *, uint32_t, uint32_t);
  int vkd_batch_download_sequences(VKDBatch *, uint32_t *);
  void vkd_batch_destroy(VKDBatch *);
]])
local older = ffi.load(os.getenv("VKD_LIBRARY") or here .. "../target/release/libvkd.so")

local now = dofile(here .. "clock.lua")

local embeddings = assert(vkd.load_npy(arg[1] or here .. "../examples/data/psalms.npy"))
local rounds = tonumber(arg[2] or 5)
local n, dim = embeddings.num_items, embeddings.dim
-- Scripts take 3,584 starts at a time: 7,797 texts are three batches. So are fewer here.
local BATCH = math.min(3584, math.ceil(n / 3))

local function checked(result) assert(result == 0, result) end

-- Floats that halves hold exactly, so that all runs give the same sequences.
local floats = ffi.new("float[?]", n * dim)
for i = 1, n do
  local row = embeddings:row(i)
  for d = 1, dim do floats[(i - 1) * dim + d - 1] = row[d] end
end
do
  local halves = ffi.new("uint16_t[?]", n * dim)
  older.vkc_fp32_to_fp16(floats, halves, n * dim)
  for i = 0, n * dim - 1 do floats[i] = older.vkc_fp16_to_fp32(halves[i]) end
end

local function with_context(work)
  local context = older.vkc_init(false)
  assert(context ~= nil)
  work(context)
  older.vkc_destroy(context)
end

-- Chunks are as long as the first ten places say, 0.9 s each.
local function batch(context, halves, first, count, out)
  local starts = ffi.new("uint32_t[?]", count)
  for i = 0, count - 1 do starts[i] = first + i end
  local handle = older.vkd_batch_init(context, halves, n, dim, count, starts)
  assert(handle ~= nil)
  local begin = now()
  checked(older.vkd_batch_compute_chunk(handle, 1, 10))
  local most = math.max(1, math.floor(10 * 0.9 / (now() - begin)))
  local slot = 11
  while slot < n do
    local slots = math.min(most, n - slot)
    checked(older.vkd_batch_compute_chunk(handle, slot, slots))
    slot = slot + slots
  end
  checked(older.vkd_batch_download_sequences(handle, out))
  older.vkd_batch_destroy(handle)
end

local function batches(out)
  local halves = ffi.new("uint16_t[?]", n * dim)
  older.vkc_fp32_to_fp16(floats, halves, n * dim)
  with_context(function(context)
    for first = 0, n - 1, BATCH do
      batch(context, halves, first, math.min(BATCH, n - first), out + first * n)
    end
  end)
end

local function one_by_one(out)
  with_context(function(context)
    local handle = older.vkd_init(context, floats, n, dim)
    assert(handle ~= nil)
    for start = 0, n - 1 do checked(older.vkd_compute_sequence(handle, start, out + start * n)) end
    older.vkd_destroy(handle)
  end)
end

local function timed(work, ...)
  collectgarbage()
  local begin = now()
  local found = work(...)
  return now() - begin, found
end

local function own()
  local context = assert(vkd.context())
  local sequences = assert(context:batch_compute(floats, n, { dim = dim }))
  context:free()
  return sequences
end

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

print(("%d texts of %d dimensions, batches of %d, %d rounds"):format(n, dim, BATCH, rounds))
local out = ffi.new("uint32_t[?]", n * n)
local older_ways = { { "batches", batches }, { "one by one", one_by_one } }
local ratios, seconds = { {}, {} }, { {}, {}, {} }
local function same(sequences)
  for row = 1, n do
    local mine, theirs = sequences:pointer(row), out + (row - 1) * n
    for place = 0, n - 1 do
      if mine[place] ~= theirs[place] then return false end
    end
  end
  return true
end
-- The first round only warms up: kernels are compiled, files and memory are there.
for round = 0, rounds do
  local took, sequences = timed(own)
  if round > 0 then table.insert(seconds[3], took) end
  for number, way in ipairs(older_ways) do
    ffi.fill(out, n * n * 4)
    local older_took = timed(way[2], out)
    assert(same(sequences), way[1] .. " gave other sequences")
    if round > 0 then
      table.insert(seconds[number], older_took)
      table.insert(ratios[number], older_took / took)
    end
  end
end
print(("%-12s %8.3f s"):format("own", median(seconds[3])))
for number, way in ipairs(older_ways) do
  print(("%-12s %8.3f s, %.3f times as long (%.3f to %.3f)"):format(way[1],
    median(seconds[number]), median(ratios[number]), ratios[number][1], ratios[number][rounds]))
end
