-- Files of results: opened for reading by any number of Lua states and processes at once.

local ffi = require("ffi")
local support = require("vkd_support")
support.own_file()
local library = require("vkd_library")
local new_sequences = require("vkd_sequences")
local rows = require("vkd_neighbor_rows")
local input = require("vkd_input")
local misuse, describe = support.misuse, support.describe
local c, sized, failure = library.c, library.sized, library.failure

local results = {}

---Checks a path for C, which ends it at its first NUL.
---@param path any
---@param name string
---@return ffi.cdata* text
function results.path(path, name)
  if type(path) ~= "string" or path == "" then
    misuse("%s must be the path of a file, not %s", name, describe(path))
  end
  if path:find("\0", 1, true) then misuse("%s holds a NUL character", name) end
  return ffi.new("char[?]", #path + 1, path)
end

---What `Results:verify` found.
---@class vkd.VerifyReport
---@field sequences_checked integer
---@field picks_checked number 0 where only checksums were checked.
---@field worst_regret number In cosine distance: up to some 0.001 is right, a wrong file shows 0.1 and more.
---@field mean_regret number
---@field worst_sequence integer 1-based.
---@field worst_pick integer Place in that sequence, 1-based.

---Sequences in a file. All that `vkd.Sequences` can do, without a copy; `data` points into the mapped file.
---@class vkd.Results: vkd.Sequences
---@field num_items integer Items of the corpus.
---@field centered boolean
---@field fingerprint string Equal embeddings have equal ones.
---@field version string The library that wrote the file.
---@field item_type "uint16_t"|"uint32_t" What `data` and `pointer` point to.
local methods = {}

local function handle_of(self, method)
  local handle = type(self) == "table" and rawget(self, "_handle")
  if not handle then
    if type(self) ~= "table" or not rawget(self, "count") then
      misuse("%s is a method: call it as results:%s(...)", method, method)
    end
    misuse("these results have been freed")
  end
  return handle
end

---The first sequence that begins with an item.
---@param item integer 1-based.
---@return integer? i Sequence number, 1-based.
---@return string? message
---@return string? status
function methods:find(item)
  local handle = handle_of(self, "find")
  if not support.is_integer(item, 1, 4294967296) then
    misuse("item must be an item number from 1, not %s", describe(item))
  end
  local out = ffi.new("uint32_t[1]")
  local status = c.vkd_sequences_file_find(handle, item - 1, out)
  if status ~= 0 then return failure(status) end
  return out[0] + 1
end

local VERIFY = { dim = "number", element_type = "string", sequences = "number", picks = "number" }

---Checks every row of the file; with the embeddings it was computed from also a sample of its picks, anew and in f64.
---@param embeddings? ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param options? { dim?: integer, element_type?: string, sequences?: integer, picks?: integer } How many to check; default 16 sequences and 64 picks of each.
---@return vkd.VerifyReport? report
---@return string? message
---@return string? status
function methods:verify(embeddings, options)
  local handle = handle_of(self, "verify")
  options = input.options(options, VERIFY)
  if embeddings == nil then
    local status = c.vkd_sequences_file_verify(handle)
    if status ~= 0 then return failure(status) end
    return { sequences_checked = self.count, picks_checked = 0, worst_regret = 0, mean_regret = 0,
      worst_sequence = 1, worst_pick = 1 }
  end
  local raw, report = sized("vkd_verify_options"), sized("vkd_verify_report")
  raw.num_sequences = input.count(options, "sequences", 1) or 0
  raw.num_picks = input.count(options, "picks", 1) or 0
  local request, message, name = input.request(embeddings, nil,
    { dim = options.dim, element_type = options.element_type })
  if not request then return nil, message, name end
  raw.element_type = request.element_type
  local status = c.vkd_sequences_file_verify_against(handle, request.pointer, request.num_items, request.dim, raw, report)
  if status ~= 0 then return failure(status) end
  return {
    sequences_checked = report.sequences_checked,
    picks_checked = tonumber(report.picks_checked),
    worst_regret = report.worst_regret,
    mean_regret = report.mean_regret,
    worst_sequence = report.worst_sequence + 1,
    worst_pick = report.worst_pick + 1,
  }
end

---Closes the file. Pointers into it must not be used afterwards; without this it is closed when the last one is collected.
function methods:free()
  local handle = rawget(self, "_handle")
  if handle then
    self._handle, self.data = nil, nil
    c.vkd_sequences_file_free(ffi.gc(handle, nil))
  end
end

local function open_sequences(path, text)
  local out = ffi.new("vkd_sequences_file *[1]")
  local status = c.vkd_sequences_file_open(text, out)
  if status ~= 0 then return failure(status) end
  local handle = ffi.gc(out[0], c.vkd_sequences_file_free)
  local info, row = sized("vkd_sequences_file_info"), ffi.new("const void *[1]")
  status = c.vkd_sequences_file_get_info(handle, info)
  if status == 0 then status = c.vkd_sequences_file_row(handle, 0, row) end
  if status ~= 0 then return failure(status) end
  local item_type = info.item_bytes == 2 and "uint16_t" or "uint32_t"
  -- The rows lie one behind the other.
  local data = ffi.cast("const " .. item_type .. " *", row[0])
  return new_sequences(data, info.count, info.length, {
    _handle = handle,
    path = path,
    item_type = item_type,
    num_items = info.num_items,
    centered = info.flags % 2 == 1,
    fingerprint = ffi.string(info.fingerprint),
    version = ffi.string(info.version),
  }, methods)
end

local function open_neighbors(path, text)
  local out = ffi.new("vkd_neighbors_file *[1]")
  local status = c.vkd_neighbors_file_open(text, out)
  if status ~= 0 then return failure(status) end
  local handle = ffi.gc(out[0], c.vkd_neighbors_file_free)
  local info, row = sized("vkd_neighbors_file_info"), ffi.new("const void *[1]")
  local similarities = ffi.new("const float *[1]")
  status = c.vkd_neighbors_file_get_info(handle, info)
  if status == 0 then status = c.vkd_neighbors_file_row(handle, 0, row, similarities) end
  if status ~= 0 then return failure(status) end
  local item_type = info.item_bytes == 2 and "uint16_t" or "uint32_t"
  return rows.new({
    path = path,
    count = info.count,
    k = info.k,
    num_items = info.num_items,
    own = info.queries_fingerprint[0] == 0,
    indices = ffi.cast("const " .. item_type .. " *", row[0]),
    similarities = similarities[0],
    item_type = item_type,
    centered = info.flags % 2 == 1,
    fingerprint = ffi.string(info.fingerprint),
    version = ffi.string(info.version),
    _free = function() c.vkd_neighbors_file_free(ffi.gc(handle, nil)) end,
    _verify = function()
      local found = c.vkd_neighbors_file_verify(handle)
      if found ~= 0 then return failure(found) end
      return true
    end,
  })
end

---Opens a finished file of results: sequences or neighbours, whichever it holds. Nothing is copied and nothing is locked; all
---readers share one copy in memory.
---@param path string
---@return vkd.Results|vkd.Neighbors|nil results
---@return string? message
---@return string? status
function results.open(path)
  local text, kind = results.path(path, "path"), ffi.new("uint32_t[1]")
  local status = c.vkd_results_identify(text, kind)
  if status ~= 0 then return failure(status) end
  local open = kind[0] == ffi.C.VKD_RESULTS_NEIGHBORS and open_neighbors or open_sequences
  return open(path, text)
end

return results
