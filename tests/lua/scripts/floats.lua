-- A module of the older interface as the first scripts declare it: floats, step by step, chunks
-- with three arguments, rankings with five. Returns functions that the specs call.

local ffi = require("ffi")

ffi.cdef([[
  typedef enum {
    VKC_SUCCESS = 0,
    VKC_ERROR_INIT = -1,
    VKC_ERROR_COMMAND = -6
  } VkComputeResult;
  typedef struct VkComputeContext VkComputeContext;
  typedef struct VkDiversity VkDiversity;
  typedef struct VkDiversityBatch VkDiversityBatch;
  typedef struct VkSimilarity VkSimilarity;

  VkComputeContext *vkc_init(bool validation);
  void vkc_destroy(VkComputeContext *);
  const char *vkc_get_error_string(VkComputeResult);
  const char *vkc_get_device_name(VkComputeContext *);
  uint64_t vkc_get_device_memory(VkComputeContext *);

  VkDiversity *vkd_init(VkComputeContext *, const float *, uint32_t, uint32_t);
  void vkd_destroy(VkDiversity *);
  VkComputeResult vkd_compute_sequence(VkDiversity *, uint32_t, uint32_t *);

  VkDiversityBatch *vkd_batch_init(VkComputeContext *, const float *, uint32_t, uint32_t,
    uint32_t, const uint32_t *);
  VkComputeResult vkd_batch_step(VkDiversityBatch *, uint32_t, uint32_t *);
  VkComputeResult vkd_batch_download_sequences(VkDiversityBatch *, uint32_t *);
  void vkd_batch_destroy(VkDiversityBatch *);

  VkSimilarity *vks_init(VkComputeContext *, const float *, uint32_t, uint32_t);
  void vks_destroy(VkSimilarity *);
  VkComputeResult vks_compute_similarities_for_poem(VkSimilarity *, uint32_t, float *);
  VkComputeResult vks_compute_all_similarities_parallel(VkSimilarity *, float *);
  VkComputeResult vks_write_similarity_files_parallel(const float *, uint32_t, const uint32_t *,
    const char **, const char *, uint32_t);
  VkComputeResult vks_write_rankings_cache_parallel(const float *, uint32_t, const uint32_t *,
    const char *, uint32_t);
]])

local lib = ffi.load(_G.VK_COMPUTE_LIB or os.getenv("VK_COMPUTE_LIB"))
local script = { lib = lib }

local function check(result)
  if result ~= ffi.C.VKC_SUCCESS then error(ffi.string(lib.vkc_get_error_string(result)), 2) end
end

local function rows_of(out, count, n)
  local rows = {}
  for row = 0, count - 1 do
    local items = {}
    for place = 0, n - 1 do items[place + 1] = out[row * n + place] end
    rows[row + 1] = table.concat(items, " ")
  end
  return table.concat(rows, "\n")
end

function script.context()
  local context = lib.vkc_init(false)
  assert(context ~= nil, "no context")
  return context
end

---The sequence of each start, one call for each.
function script.single(context, floats, n, dim)
  local diversity = lib.vkd_init(context, floats, n, dim)
  assert(diversity ~= nil)
  local out = ffi.new("uint32_t[?]", n * n)
  for start = 0, n - 1 do check(lib.vkd_compute_sequence(diversity, start, out + start * n)) end
  lib.vkd_destroy(diversity)
  return rows_of(out, n, n)
end

---The same in one batch, step by step.
function script.batch(context, floats, n, dim)
  local starts = ffi.new("uint32_t[?]", n)
  for i = 0, n - 1 do starts[i] = i end
  local batch = lib.vkd_batch_init(context, floats, n, dim, n, starts)
  assert(batch ~= nil)
  for iteration = 1, n - 1 do check(lib.vkd_batch_step(batch, iteration, nil)) end
  local out = ffi.new("uint32_t[?]", n * n)
  check(lib.vkd_batch_download_sequences(batch, out))
  lib.vkd_batch_destroy(batch)
  return rows_of(out, n, n)
end

---Pages and rankings of all items, in `folder`.
function script.files(context, floats, n, dim, folder)
  local similarity = lib.vks_init(context, floats, n, dim)
  assert(similarity ~= nil)
  local triangle = ffi.new("float[?]", n * (n - 1) / 2)
  check(lib.vks_compute_all_similarities_parallel(similarity, triangle))
  local row, at = ffi.new("float[?]", n), 0
  for i = 0, n - 1 do
    check(lib.vks_compute_similarities_for_poem(similarity, i, row))
    for k = 0, n - 2 - i do
      assert(row[k] == triangle[at])
      at = at + 1
    end
  end
  lib.vks_destroy(similarity)
  local numbers, ids, texts = ffi.new("uint32_t[?]", n), ffi.new("const char *[?]", n), {}
  for i = 0, n - 1 do
    texts[i] = "poem " .. i
    numbers[i], ids[i] = i + 1, texts[i]
  end
  check(lib.vks_write_similarity_files_parallel(triangle, n, numbers, ids, folder, 4))
  check(lib.vks_write_rankings_cache_parallel(triangle, n, numbers, folder .. "/rankings.json", 4))
  return triangle
end

return script
