-- The JSON files that sites are built from, as a kind of work (see vkd/calls.lua).

local ffi = require("ffi")
local check = require("vkd.check")
local input = require("vkd.input")
local ids = require("vkd.ids")
local texts = require("vkd.texts")
local library = require("vkd.library")
local contexts = require("vkd.context")
local sequences = require("vkd.sequences")
local neighbors = require("vkd.neighbors")
local search = require("vkd.search")
local jobs = require("vkd.job")
local plans = require("vkd.plan")
local misuse = check.misuse
local c, sized, hold = library.c, library.sized, library.hold

local site = { kind = "site" }

local FILES = { directory = "string", rankings = "string", ids = ids.TYPES, metadata = "table",
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

local function numbers(count)
  local list = {}
  for i = 1, count do list[i] = ("%d"):format(i) end
  return list
end

-- The options of the files as C reads them. Pages are called by `names`; false: by the ids of the
-- file that they come from.
local function raw_options(options, num_items, names)
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
  if names then raw.ids = texts.pointers(raw, names, num_items, "ids") end
  raw.num_items = num_items
  if options.metadata then
    raw.metadata = texts.pointers(raw, options.metadata, num_items, "metadata")
  end
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

-- What pages are called: the ids that are given, else numbers.
local function names_of(options, embeddings, num_items)
  return ids.given(options, embeddings, num_items) or numbers(num_items)
end

-- The same of results, which may have ids.
local function names_of_results(options, source)
  if options.ids == nil and source.has_ids then return rawget(source, "_ids") or false end
  return names_of(options, nil, source.num_items)
end

local function start_from_results(source, options)
  if rawget(source, "_freed") then misuse("these results have been freed") end
  for name in pairs(check.join(COMPUTING, contexts.OPTIONS)) do
    if options[name] ~= nil then
      misuse("option %s goes with embeddings, not with results", name)
    end
  end
  local kind = neighbors.is(source) and neighbors or sequences
  local results = kind.source(source)
  local raw = raw_options(options, source.num_items, names_of_results(options, source))
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
  local names = names_of(options, source, corpus.num_items)
  local raw = raw_options(options, corpus.num_items, names)
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
  local raw = raw_options(options, num_items, names_of(options, nil, num_items))
  local place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  return plans.make(function(plan)
    return c.vkd_site_plan(place.handle, num_items, dim, k, wanted, raw, plan)
  end)
end

return site
