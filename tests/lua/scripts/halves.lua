-- A module of the older interface as later scripts declare it: halves in chunks whose size the
-- first one decides, rankings with a limit, a progress line. `tile` says whether chunks have a
-- fourth argument. Returns functions that the specs call.

local ffi = require("ffi")

return function(tile)
  local declarations = [[
    enum { VKC_SUCCESS = 0, VKC_ERROR_OUT_OF_MEMORY = -7 };
    typedef int VkComputeResult;
    typedef struct VKCContext VKCContext;
    typedef struct VKDBatch VKDBatch;
    VKCContext *vkc_init(bool);
    void vkc_destroy(VKCContext *);
    void vkc_fp32_to_fp16(const float *, uint16_t *, uint32_t);
    float vkc_fp16_to_fp32(uint16_t);
    void vkc_progress_update_ex(const char *, uint64_t, uint64_t, const char *);
    void vkc_progress_finish(void);
    int vkc_progress_mode(void);
    VKDBatch *vkd_batch_init(VKCContext *, const uint16_t *, uint32_t, uint32_t, uint32_t,
      const uint32_t *);
    int vkd_batch_compute_chunk(VKDBatch *, uint32_t, uint32_t TILE);
    int vkd_batch_compute_chunk_pipelined(VKDBatch *, uint32_t, uint32_t, uint32_t);
    int vkd_batch_download_sequences(VKDBatch *, uint32_t *);
    void vkd_batch_destroy(VKDBatch *);
    int vks_write_rankings_cache_parallel(const float *, uint32_t, const uint32_t *,
      const char *, uint32_t, uint32_t);
  ]]
  ffi.cdef((declarations:gsub("TILE", tile and ", uint32_t" or "")))

  local lib = ffi.load(_G.VK_COMPUTE_LIB or os.getenv("VK_COMPUTE_LIB"))
  local script = { lib = lib, most_slots = 17 }

  local function chunk(batch, first, count)
    local result
    if tile then
      result = lib.vkd_batch_compute_chunk(batch, first, count, tile)
    else
      result = lib.vkd_batch_compute_chunk(batch, first, count)
    end
    assert(result == 0, result)
  end

  ---Converts floats; also what the halves stand for.
  function script.halves(floats, count)
    local halves, widened = ffi.new("uint16_t[?]", count), {}
    lib.vkc_fp32_to_fp16(floats, halves, count)
    for i = 0, count - 1 do widened[i + 1] = lib.vkc_fp16_to_fp32(halves[i]) end
    return halves, widened
  end

  ---The sequences of all starts in batches of `size`: ten places first, then by the time it took.
  function script.batches(halves, n, dim, size)
    local context = lib.vkc_init(false)
    assert(context ~= nil)
    local rows = {}
    for first = 0, n - 1, size do
      local count = math.min(size, n - first)
      local starts, out = ffi.new("uint32_t[?]", count), ffi.new("uint32_t[?]", count * n)
      for i = 0, count - 1 do starts[i] = first + i end
      local batch = lib.vkd_batch_init(context, halves, n, dim, count, starts)
      assert(batch ~= nil)
      local begin = os.clock()
      chunk(batch, 1, 10)
      local slot = math.min(11, n)
      local most = math.max(1, math.min(n, math.floor(10 * 0.9 / (os.clock() - begin))))
      while slot < n do
        -- A slow first chunk makes many small ones, in a loop that LuaJIT compiles.
        local slots = math.min(most, n - slot, script.most_slots)
        chunk(batch, slot, slots)
        slot = slot + slots
        lib.vkc_progress_update_ex("Sequences", slot, n, "batch")
      end
      lib.vkc_progress_finish()
      assert(lib.vkd_batch_download_sequences(batch, out) == 0)
      lib.vkd_batch_destroy(batch)
      for row = 0, count - 1 do
        local items = {}
        for place = 0, n - 1 do items[place + 1] = out[row * n + place] end
        rows[#rows + 1] = table.concat(items, " ")
      end
    end
    lib.vkc_destroy(context)
    return table.concat(rows, "\n")
  end

  return script
end
