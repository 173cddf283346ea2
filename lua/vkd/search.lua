-- The search for neighbours as a kind of work (see vkd/calls.lua).

local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local input = require("vkd.input")
local ids = require("vkd.ids")
local library = require("vkd.library")
local contexts = require("vkd.context")
local neighbors = require("vkd.neighbors")
local files = require("vkd.files")
local jobs = require("vkd.job")
local plans = require("vkd.plan")
local misuse = check.misuse
local c, failure, sized, hold = library.c, library.failure, library.sized, library.hold

local search = { kind = "neighbors" }

search.OPTIONS = check.join(input.OPTIONS, { center = "boolean", queries = "table cdata",
  num_queries = "number", output = "string", overwrite = "boolean", ids = ids.TYPES })

function search.arguments(embeddings, num_items, k, options)
  return options, embeddings, num_items, k
end

function search.plan_arguments(num_items, dim, k, options)
  return options, num_items, dim, k
end

---Checks the type of k. Whether there are so many neighbours the library says, also of 0: that
---depends on the items.
---@param k any
---@return integer k
function search.check_k(k) return check.count(k, "k", 0) end

---The options as C reads them.
---@param options table
---@return ffi.cdata* options
function search.raw_options(options)
  local raw = sized("vkd_neighbors_options")
  raw.flags = input.flags(options) + (options.overwrite and ffi.C.VKD_OVERWRITE or 0)
  raw.output_path = hold(raw, check.output(options))
  return raw
end

-- The option queries, of `dim` dimensions, as embeddings.
local function queries_of(options, dim)
  local count = check.optional_count(options, "num_queries", 1)
  local queries, message, name = input.queries(options.queries, count, options, dim)
  if not queries then return nil, message, name end
  if queries.dim ~= dim then
    misuse("option queries has %d dimensions, the embeddings have %d", queries.dim, dim)
  end
  return queries
end

-- Adds the queries to the options as C reads them.
local function add_queries(raw, corpus, options)
  local queries, message, name = queries_of(options, corpus.dim)
  if not queries then return nil, message, name end
  if queries.element_type ~= corpus.element_type then
    misuse("option queries has another element type than the embeddings")
  end
  raw.queries, raw.num_queries = hold(raw, queries).pointer, queries.num_items
  return queries
end

-- The result of a finished job as two arrays outside the Lua heap.
local function fetch(handle, fields)
  local count = fields.count * fields.k
  local why, refused
  fields.indices, why, refused = memory.allocate("uint32_t", count)
  if not fields.indices then return nil, why, refused end
  fields.similarities, why, refused = memory.allocate("float", count)
  if not fields.similarities then return nil, why, refused end
  local status = c.vkd_job_neighbors(handle, count, fields.indices, fields.similarities)
  if status ~= 0 then return failure(status) end
  return neighbors.in_memory(fields)
end

---@param context vkd.Context?
---@param options table
---@param embeddings any
---@param num_items integer?
---@param k integer
---@return vkd.Job? job
---@return string? message
---@return string? status
function search.start(context, options, embeddings, num_items, k)
  local corpus, message, name = input.corpus(embeddings, num_items, options)
  if not corpus then return nil, message, name end
  local raw, queries = search.raw_options(options), nil
  search.check_k(k)
  raw.element_type = corpus.element_type
  if options.queries == nil and options.num_queries then
    misuse("option num_queries goes with option queries")
  elseif options.queries ~= nil then
    queries, message, name = add_queries(raw, corpus, options)
    if not queries then return nil, message, name end
  end
  local kept, place
  kept, message, name = ids.place(raw, options, embeddings, corpus.num_items)
  if not kept then return nil, message, name end
  place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_neighbors_start(place.handle, corpus.pointer, corpus.num_items, corpus.dim,
    k, raw, out)
  local count, output = (queries or corpus).num_items, options.output
  local own
  num_items, own = corpus.num_items, queries == nil
  return jobs.new(search.kind, place, status, out, function(handle)
    if output then return files.open(output) end
    return fetch(handle, { count = count, k = k, num_items = num_items, own = own,
      _ids = kept._ids, _item_of = kept._item_of })
  end)
end

---@param context vkd.Context?
---@param options table
---@param num_items integer
---@param dim integer
---@param k integer
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function search.plan(context, options, num_items, dim, k)
  search.check_k(k)
  local raw = search.raw_options(options)
  raw.element_type = input.element_type(options)
  raw.num_queries = check.optional_count(options, "num_queries", 1) or 0
  local queries, kept, place, message, name
  if options.queries ~= nil then
    queries, message, name = queries_of(options, dim)
    if not queries then return nil, message, name end
    raw.num_queries = queries.num_items
  end
  kept, message, name = ids.place(raw, options, nil, num_items)
  if not kept then return nil, message, name end
  place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  return plans.make(function(plan)
    return c.vkd_neighbors_plan(place.handle, num_items, dim, k, raw, plan)
  end)
end

return search
