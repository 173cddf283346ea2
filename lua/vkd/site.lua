-- The JSON files that sites are built from, as a kind of work (see vkd/calls.lua).

local ffi = require("ffi")
local check = require("vkd.check")
local input = require("vkd.input")
local library = require("vkd.library")
local contexts = require("vkd.context")
local sequences = require("vkd.sequences")
local neighbors = require("vkd.neighbors")
local search = require("vkd.search")
local jobs = require("vkd.job")
local plans = require("vkd.plan")
local misuse, describe = check.misuse, check.describe
local c, sized, hold = library.c, library.sized, library.hold

local site = { kind = "site" }

local FILES = { directory = "string", rankings = "string", ids = "table", metadata = "table",
  list = "string", top = "number", threads = "number", sync = "boolean" }
-- The options of embeddings, which mean nothing where results are given.
local COMPUTING = check.join(input.OPTIONS, { k = "number", num_items = "number",
  center = "boolean" })

site.OPTIONS = check.join(FILES, COMPUTING)
site.PLAN_OPTIONS = check.join(FILES, { k = "number", center = "boolean" })

function site.arguments(source, options)
  return options, source
end

function site.plan_arguments(num_items, dim, options)
  return options, num_items, dim
end

-- A list of texts as C reads it.
local function texts(raw, list, count, name)
  if #list ~= count then
    misuse("option %s holds %d texts, but there are %d items", name, #list, count)
  end
  local pointers = hold(raw, ffi.new("const char *[?]", math.max(count, 1)))
  hold(raw, list)
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

-- The options of the files as C reads them. `ids` are those of the embeddings, if they have any.
local function raw_options(options, num_items, ids)
  local raw = sized("vkd_site_options")
  raw.flags = options.sync == false and ffi.C.VKD_NO_SYNC or 0
  raw.top = check.optional_count(options, "top", 1) or 0
  raw.threads = check.optional_count(options, "threads", 1) or 0
  if options.directory then
    raw.directory = hold(raw, check.path(options.directory, "option directory"))
  end
  if options.rankings then
    raw.rankings_path = hold(raw, check.path(options.rankings, "option rankings"))
  end
  if options.list then
    if options.list:find("\0", 1, true) then misuse("option list holds a NUL character") end
    raw.list = hold(raw, options.list)
  end
  raw.ids = texts(raw, options.ids or ids or numbers(num_items), num_items, "ids")
  raw.num_items = num_items
  if options.metadata then raw.metadata = texts(raw, options.metadata, num_items, "metadata") end
  return raw
end

local function check_k(options)
  if options.k == nil then misuse("option k is needed with embeddings: how many neighbours") end
  return search.check_k(options.k)
end

local function search_options(options)
  return search.raw_options({ center = options.center, zero_rows = options.zero_rows })
end

local function started(place, status, out)
  return jobs.new(site.kind, place, status, out, function() return true end)
end

-- Results as C reads them.
local function raw_source(source)
  local raw = sized("vkd_site_source")
  if neighbors.is(source) and not source.own then
    misuse("a site is of the items themselves, these are neighbours of other queries")
  end
  local file = rawget(source, "_file")
  if file then
    -- The file that is open, whatever has its path by now.
    raw[neighbors.is(source) and "neighbors_file" or "sequences_file"] = hold(raw, file)
    return raw
  end
  raw.num_rows, raw.num_items = source.count, source.num_items
  if neighbors.is(source) then
    raw.row_length = source.k
    raw.indices, raw.similarities = source.indices, source.similarities
  else
    raw.row_length, raw.sequences = source.length, source.data
    raw.rule = sequences.RULES[source.rule]
  end
  return raw
end

local function start_from_results(source, options)
  if rawget(source, "_freed") then misuse("these results have been freed") end
  for name in pairs(check.join(COMPUTING, contexts.OPTIONS)) do
    if options[name] ~= nil then
      misuse("option %s goes with embeddings, not with results", name)
    end
  end
  local results, raw = raw_source(source), raw_options(options, source.num_items)
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_site_write_start(results, raw, out)
  return started({ device = "none", on_lost = function() end }, status, out)
end

---@param context vkd.Context?
---@param options table
---@param source any Results, or embeddings.
---@return vkd.Job? job
---@return string? message
---@return string? status
function site.start(context, options, source)
  if neighbors.is(source) or sequences.is(source) then
    return start_from_results(source, options)
  end
  local corpus, message, name = input.corpus(source, options.num_items, options)
  if not corpus then return nil, message, name end
  local k, wanted = check_k(options), search_options(options)
  wanted.element_type = corpus.element_type
  local raw = raw_options(options, corpus.num_items, input.ids(source, options.ids))
  local place
  place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_site_start(place.handle, corpus.pointer, corpus.num_items, corpus.dim, k,
    wanted, raw, out)
  return started(place, status, out)
end

---@param context vkd.Context?
---@param options table
---@param num_items integer
---@param dim integer
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function site.plan(context, options, num_items, dim)
  input.check_shape(num_items, dim)
  local k, wanted = check_k(options), search_options(options)
  local raw = raw_options(options, num_items)
  local place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  return plans.make(function(plan)
    return c.vkd_site_plan(place.handle, num_items, dim, k, wanted, raw, plan)
  end)
end

return site
