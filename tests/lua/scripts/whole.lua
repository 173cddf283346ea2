-- A whole script as people run them: embeddings from a JSON file, one file of rankings, a folder of
-- pages, sequences in batches of halves, and the caches that pages are later made from. Returns a
-- function that does it all.

local ffi = require("ffi")

ffi.cdef([[
  typedef struct VkComputeContext VkComputeContext;
  typedef struct VkDiversityBatch VkDiversityBatch;
  typedef struct VkSimilarity VkSimilarity;
  VkComputeContext *vkc_init(bool enable_validation);
  void vkc_destroy(VkComputeContext *ctx);
  const char *vkc_get_error_string(int result);
  void vkc_fp32_to_fp16(const float *src, uint16_t *dst, uint32_t count);
  void vkc_progress_update_ex(const char *, uint64_t, uint64_t, const char *);
  void vkc_progress_finish(void);
  VkDiversityBatch *vkd_batch_init(VkComputeContext *, const uint16_t *, uint32_t, uint32_t,
    uint32_t, const uint32_t *);
  int vkd_batch_compute_chunk_pipelined(VkDiversityBatch *, uint32_t, uint32_t, uint32_t);
  int vkd_batch_download_sequences(VkDiversityBatch *, uint32_t *);
  void vkd_batch_destroy(VkDiversityBatch *);
  VkSimilarity *vks_init(VkComputeContext *, const float *, uint32_t, uint32_t);
  void vks_destroy(VkSimilarity *);
  int vks_compute_all_similarities_parallel(VkSimilarity *, float *);
  int vks_write_similarity_files_parallel(const float *, uint32_t, const uint32_t *,
    const char **, const char *, uint32_t);
  int vks_write_rankings_cache_parallel(const float *, uint32_t, const uint32_t *, const char *,
    uint32_t, uint32_t);
]])
local lib = ffi.load(_G.VK_COMPUTE_LIB or os.getenv("VK_COMPUTE_LIB"))

-- Starts that such scripts compute at once.
local BATCH = 3584

local function check(result)
  if result ~= 0 then error(ffi.string(lib.vkc_get_error_string(result)), 2) end
end

-- No parser for any JSON, but for this file.
local function load_embeddings(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  local dim = tonumber(text:match('"embedding_dimension":%s*(%d+)'))
  local poems = {}
  local pattern = '{%s*"poem_index":%s*(%d+),%s*"id":%s*"(.-)",%s*"embedding":%s*%[(.-)%]%s*}'
  for index, id, values in text:gmatch(pattern) do
    poems[#poems + 1] = { index = tonumber(index), id = id, values = values }
  end
  local floats = ffi.new("float[?]", #poems * dim)
  for i, poem in ipairs(poems) do
    local d = (i - 1) * dim
    for value in poem.values:gmatch("[^,%s]+") do
      floats[d] = tonumber(value)
      d = d + 1
    end
    assert(d == i * dim, "an embedding of other dimensions")
  end
  return poems, floats, dim
end

local function triangle_of(context, floats, n, dim)
  local similarity = lib.vks_init(context, floats, n, dim)
  assert(similarity ~= nil, "vks_init")
  local triangle = ffi.new("float[?]", n * (n - 1) / 2)
  check(lib.vks_compute_all_similarities_parallel(similarity, triangle))
  lib.vks_destroy(similarity)
  return triangle
end

local function names_of(poems, n)
  local numbers, ids = ffi.new("uint32_t[?]", n), ffi.new("const char *[?]", n)
  for i = 0, n - 1 do numbers[i], ids[i] = poems[i + 1].index, poems[i + 1].id end
  return numbers, ids
end

-- The places that one chunk may take, by the time that the first ten took.
local function chunk_size(batch, length)
  local begin = os.clock()
  check(lib.vkd_batch_compute_chunk_pipelined(batch, 1, 10, 256))
  return math.max(1, math.min(length, math.floor(10 * 0.9 / (os.clock() - begin + 1e-9))))
end

local function batch_of(context, halves, n, dim, first, count, length)
  local starts, out = ffi.new("uint32_t[?]", count), ffi.new("uint32_t[?]", count * n)
  for i = 0, count - 1 do starts[i] = first + i end
  local batch = lib.vkd_batch_init(context, halves, n, dim, count, starts)
  assert(batch ~= nil, "vkd_batch_init")
  local most, slot = chunk_size(batch, length), 11
  while slot < length do
    local slots = math.min(most, length - slot)
    check(lib.vkd_batch_compute_chunk_pipelined(batch, slot, slots, 256))
    slot = slot + slots
    lib.vkc_progress_update_ex("Sequences", slot, length, nil)
  end
  lib.vkc_progress_finish()
  check(lib.vkd_batch_download_sequences(batch, out))
  lib.vkd_batch_destroy(batch)
  return out
end

-- Both caches hold the first `length` places of each sequence; the one counts from 0 in text, the
-- other has all places, as 32-bit numbers.
local function write_sequences(context, floats, n, dim, length, folder)
  local halves = ffi.new("uint16_t[?]", n * dim)
  lib.vkc_fp32_to_fp16(floats, halves, n * dim)
  local json = assert(io.open(folder .. "/diversity_cache.json", "wb"))
  local binary = assert(io.open(folder .. "/sequences.bin", "wb"))
  json:write(('{"metadata":{"model":"test","num_poems":%d,"top_k":%d},"sequences":{'):format(
    n, length))
  binary:write(ffi.string(ffi.new("uint32_t[1]", n), 4))
  for first = 0, n - 1, BATCH do
    local count = math.min(BATCH, n - first)
    local out = batch_of(context, halves, n, dim, first, count, length)
    local items = {}
    for row = 0, count - 1 do
      for place = 0, length - 1 do items[place + 1] = out[row * n + place] end
      local separator = first + row > 0 and "," or ""
      json:write(separator, '"', first + row, '":[', table.concat(items, ","), "]")
      binary:write(ffi.string(out + row * n, length * 4))
    end
  end
  json:write("}}")
  json:close()
  binary:close()
end

---@param path string embeddings.json
---@param folder string Where everything is written: the pages into pages/ there.
---@param sizes { length: integer, top: integer, pages: integer } Places of each sequence, numbers
---of each ranking, and of how many poems pages are written.
return function(path, folder, sizes)
  local poems, floats, dim = load_embeddings(path)
  local n = #poems
  local context = lib.vkc_init(false)
  assert(context ~= nil, "vkc_init")
  local numbers, ids = names_of(poems, n)
  local triangle = triangle_of(context, floats, n, dim)
  check(lib.vks_write_rankings_cache_parallel(triangle, n, numbers,
    folder .. "/similarity_rankings_cache.json", 8, sizes.top))
  local few = math.min(sizes.pages, n)
  check(lib.vks_write_similarity_files_parallel(triangle_of(context, floats, few, dim), few,
    numbers, ids, folder .. "/pages", 8))
  write_sequences(context, floats, n, dim, math.min(sizes.length, n), folder)
  lib.vkc_destroy(context)
  return triangle, n
end
