-- Results in the shapes of older programs, each one file: the method `export` of all results.

local ffi = require("ffi")
local check = require("vkd.check")
local library = require("vkd.library")
local jobs = require("vkd.job")
local run = require("vkd.run")
local texts = require("vkd.texts")
local misuse, describe = check.misuse, check.describe
local c, sized, hold = library.c, library.sized, library.hold

local export = {}

local FORMATS = {
  diversity_cache = ffi.C.VKD_EXPORT_DIVERSITY_CACHE,
  rankings = ffi.C.VKD_EXPORT_RANKINGS,
  sequences_bin = ffi.C.VKD_EXPORT_SEQUENCES_BIN,
}
local KEYS = { index = ffi.C.VKD_KEYS_INDEX, id = ffi.C.VKD_KEYS_ID }

---How results are exported.
---@class vkd.ExportOptions
---The shape of the file. "diversity_cache": JSON, of each sequence its items, the start first.
---"rankings": JSON, of each item its neighbours, nearest first. "sequences_bin": 32-bit numbers, n
---and then n full sequences in the order of their starts. Default: of sequences the first, of
---neighbours the second.
---@field format? "diversity_cache"|"rankings"|"sequences_bin"
---What stands for each item, as a key and in the lists. "index", the default: its number, counted
---from 0, or of option numbers. "id": its id.
---@field keys? "index"|"id"
---With keys "id": one for each item, each only once. Default: those of the results.
---@field ids? string[]
---With keys "index": the number that the readers have for each item, such as their poem_index from
---1; each only once.
---@field numbers? integer[]
---@field top? integer Entries of each list, of a sequence the start among them. Default: all.
---@field model? string Of a diversity cache: what made the embeddings; up to 256 bytes.
---@field overwrite? boolean Replace a file of the same format; no other is replaced.
---@field progress? vkd.ShowProgress Not with wait = false.
---@field wait? boolean false: return a job at once instead of waiting for it.

---What an export gives: true, or the job.
---@alias vkd.Exported true|vkd.Job

local OPTIONS = check.join(run.OPTIONS, { format = "string", keys = "string", ids = "table",
  numbers = "table", top = "number", model = "string", overwrite = "boolean", wait = "boolean" })

-- The number of an option that is one of some names; 0, the default, without it.
local function named(options, name, numbers)
  local value = options[name]
  if value == nil then return 0 end
  if not numbers[value] then
    local names = {}
    for each in pairs(numbers) do names[#names + 1] = each end
    table.sort(names)
    misuse("option %s must be one of %s, not %s", name, table.concat(names, ", "), describe(value))
  end
  return numbers[value]
end

-- The id of every item, for keys "id"; nil: a file of results has them.
local function ids_of(options, results)
  if options.ids then return options.ids end
  if not results.has_ids then misuse("keys \"id\" needs option ids: an id for each item") end
  return rawget(results, "_ids")
end

local function numbers_of(raw, list, count)
  if check.list(list, "option numbers") ~= count then
    misuse("option numbers holds %d, but there are %d items", #list, count)
  end
  local numbers = hold(raw, ffi.new("uint32_t[?]", math.max(count, 1)))
  for i = 1, count do numbers[i - 1] = check.count(list[i], ("numbers[%d]"):format(i), 0) end
  return numbers
end

local function raw_options(path, options, results)
  local num_items = results.num_items
  local raw = sized("vkd_export_options")
  raw.path = hold(raw, check.path(path, "path"))
  raw.flags = options.overwrite and ffi.C.VKD_OVERWRITE or 0
  raw.format, raw.keys = named(options, "format", FORMATS), named(options, "keys", KEYS)
  raw.top = check.optional_count(options, "top", 1) or 0
  if options.model then raw.model = hold(raw, check.text(options.model, "option model")) end
  if raw.keys == KEYS.id then
    if options.numbers then misuse("option numbers goes with keys \"index\"") end
    local ids = ids_of(options, results)
    if ids then raw.ids, raw.num_items = texts.pointers(raw, ids, num_items, "ids"), num_items end
  elseif options.ids then
    misuse("option ids goes with keys = \"id\"")
  elseif options.numbers then
    raw.numbers, raw.num_items = numbers_of(raw, options.numbers, num_items), num_items
  end
  return raw
end

---Writes results into a file. Rows of a results file are checked as they are read; a failed or
---cancelled export leaves nothing.
---@param source ffi.cdata* `vkd_site_source`
---@param results vkd.Sequences|vkd.Neighbors What it is made of.
---@param path string
---@param options? vkd.ExportOptions
---@return vkd.Exported? exported
---@return vkd.Report|string|nil report Or the message; nil with a job.
---@return string? status
function export.write(source, results, path, options)
  options = check.options(options, OPTIONS)
  local raw = raw_options(path, options, results)
  local function start()
    local out = ffi.new("vkd_job *[1]")
    local status = c.vkd_export_write_start(source, raw, out)
    return jobs.new("export", { device = "none", on_lost = function() end }, status, out,
      function() return true end)
  end
  return run.waited(options, start)
end

return export
