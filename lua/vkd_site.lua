-- The JSON files that sites are built from.

local ffi = require("ffi")
local support = require("vkd_support")
support.own_file()
local library = require("vkd_library")
local input = require("vkd_input")
local results = require("vkd_results")
local jobs = require("vkd_job")
local rows = require("vkd_neighbor_rows")
local nearest = require("vkd_neighbors")
local misuse, describe = support.misuse, support.describe
local c, sized = library.c, library.sized

local sites = {}

---The options of a site, for checking.
sites.OPTIONS = { directory = "string", rankings = "string", ids = "table", metadata = "table",
  top = "number", threads = "number", sync = "boolean" }

---Whether a value is results, in memory or in a file.
---@param value any
---@return boolean
function sites.is_results(value)
  return rows.is(value) or type(value) == "table" and rawget(value, "length") ~= nil
    and rawget(value, "count") ~= nil
end

-- A list of texts as C reads it; the cdata and the list itself must live until then.
local function texts(list, count, name)
  if #list ~= count then
    misuse("option %s holds %d texts, but there are %d items", name, #list, count)
  end
  local pointers = ffi.new("const char *[?]", math.max(count, 1))
  for i = 1, count do
    if type(list[i]) ~= "string" then
      misuse("%s[%d] must be a string, not %s", name, i, describe(list[i]))
    end
    if list[i]:find("\0", 1, true) then misuse("%s[%d] holds a NUL character", name, i) end
    pointers[i - 1] = list[i]
  end
  return pointers
end

local function numbers(count)
  local ids = {}
  for i = 1, count do ids[i] = ("%d"):format(i) end
  return ids
end

-- The options as C reads them, and what they point to.
local function raw_options(options, num_items)
  local raw, keep = sized("vkd_site_options"), {}
  raw.flags = options.sync == false and ffi.C.VKD_NO_SYNC or 0
  raw.top = input.count(options, "top", 1) or 0
  raw.threads = input.count(options, "threads", 1) or 0
  if options.directory then
    keep.directory = results.path(options.directory, "option directory")
    raw.directory = keep.directory
  end
  if options.rankings then
    keep.rankings = results.path(options.rankings, "option rankings")
    raw.rankings_path = keep.rankings
  end
  keep.id_list = options.ids or numbers(num_items)
  keep.ids = texts(keep.id_list, num_items, "ids")
  raw.ids, raw.num_ids = keep.ids, num_items
  if options.metadata then
    keep.metadata = texts(options.metadata, num_items, "metadata")
    raw.metadata = keep.metadata
  end
  return raw, keep
end

local function started(place, status, out, keep)
  local job, message, name = jobs.new(place, status, out, function() return true end)
  -- C has read the texts; until here they must live.
  if job then job._keep = keep end
  return job, message, name
end

---Starts writing a site from results.
---@param source vkd.Neighbors|vkd.Sequences|vkd.Results
---@param options table
---@return vkd.Job? job
---@return string? message
---@return string? status
function sites.start(source, options)
  for _, name in ipairs({ "k", "num_items", "dim", "element_type", "center", "queries", "device", "context" }) do
    if options[name] ~= nil then misuse("option %s goes with embeddings, not with results", name) end
  end
  local raw_input, text = sized("vkd_site_input"), nil
  if rawget(source, "path") then
    text = results.path(source.path, "the results' path")
    raw_input.path = text
  else
    raw_input.num_rows, raw_input.num_items = source.count, source.num_items
    if rows.is(source) then
      if not source.indices then misuse("these neighbours have been freed") end
      if not source.own then misuse("a site is of the items themselves, these are neighbours of other queries") end
      raw_input.row_length = source.k
      raw_input.indices, raw_input.similarities = source.indices, source.similarities
    else
      raw_input.row_length, raw_input.sequences = source.length, source.data
    end
  end
  local raw, keep = raw_options(options, source.num_items)
  keep.path = text
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_site_write_start(raw_input, raw, out)
  return started({ device = "none", on_lost = function() end }, status, out, keep)
end

---Starts computing neighbours and writing them as a site.
---@param place table { handle, device, on_lost }
---@param request vkd.Request
---@param options table
---@return vkd.Job? job
---@return string? message
---@return string? status
function sites.start_from_embeddings(place, request, options)
  if options.output or options.queries then
    misuse("options output and queries go with vkd.neighbors, not with a site")
  end
  if options.k == nil then misuse("option k is needed with embeddings: how many neighbours") end
  local search = nearest.raw_options(request, options)
  search.element_type = request.element_type
  local raw, keep = raw_options(options, request.num_items)
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_site_start(place.handle, request.pointer, request.num_items, request.dim,
    nearest.check_k(options.k), search, raw, out)
  return started(place, status, out, keep)
end

return sites
