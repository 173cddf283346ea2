-- Searches for neighbours, and the similarities of all pairs.

local ffi = require("ffi")
local support = require("vkd_support")
support.own_file()
local library = require("vkd_library")
local input = require("vkd_input")
local results = require("vkd_results")
local jobs = require("vkd_job")
local rows = require("vkd_neighbor_rows")
local misuse, describe = support.misuse, support.describe
local c, sized, failure = library.c, library.sized, library.failure

local neighbors = {}

---@param k any
---@return integer k
function neighbors.check_k(k)
  if not support.is_integer(k, 0, 4294967295) then
    misuse("k must be an integer of at least 1, not %s", describe(k))
  end
  return k
end

---The options as C reads them. They hold a pointer to the path that `request` gets.
---@param request table
---@param options table
---@return ffi.cdata* options
function neighbors.raw_options(request, options)
  if options.overwrite and not options.output then misuse("option overwrite goes with option output") end
  local raw = sized("vkd_neighbors_options")
  raw.flags = (options.center and ffi.C.VKD_CENTER or 0) + (options.overwrite and ffi.C.VKD_OVERWRITE or 0)
  if options.output then
    request.path = results.path(options.output, "option output")
    raw.output_path = request.path
  end
  return raw
end

-- Adds the queries to the options; `request` holds what these point to.
local function add_queries(raw, request, options)
  local queries, message, name = input.request(options.queries, nil,
    { dim = options.dim, element_type = options.element_type })
  if not queries then return nil, message, name end
  if queries.dim ~= request.dim then
    misuse("option queries has %d dimensions, the embeddings have %d", queries.dim, request.dim)
  elseif queries.element_type ~= request.element_type then
    misuse("option queries has another element type than the embeddings")
  end
  raw.queries, raw.num_queries, request.queries = queries.pointer, queries.num_items, queries
  return queries
end

-- The result of a finished job as two arrays outside the Lua heap.
local function fetch(handle, count, k, num_items, own)
  local indices, why, refused = support.allocate("uint32_t", count * k)
  if not indices then return nil, why, refused end
  local similarities
  similarities, why, refused = support.allocate("float", count * k)
  if not similarities then return nil, why, refused end
  local status = c.vkd_job_neighbors(handle, count * k, indices, similarities)
  if status ~= 0 then return failure(status) end
  return rows.new({ count = count, k = k, num_items = num_items, own = own, indices = indices,
    similarities = similarities })
end

---Starts a search as a job.
---@param place table { handle, device, on_lost }
---@param request vkd.Request
---@param k integer
---@param options table
---@return vkd.Job? job
---@return string? message
---@return string? status
function neighbors.start(place, request, k, options)
  neighbors.check_k(k)
  local raw = neighbors.raw_options(request, options)
  raw.element_type = request.element_type
  local queries, message, name
  if options.queries ~= nil then
    queries, message, name = add_queries(raw, request, options)
    if not queries then return nil, message, name end
  end
  local count, output = (queries or request).num_items, options.output
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_neighbors_start(place.handle, request.pointer, request.num_items, request.dim, k,
    raw, out)
  local own = queries == nil
  return jobs.new(place, status, out, function(handle)
    if output then return results.open(output) end
    return fetch(handle, count, k, request.num_items, own)
  end)
end

---Computes the similarities of all pairs.
---@param place table { handle, device, on_lost }
---@param request vkd.Request
---@param options { center?: boolean, upper?: boolean }
---@return ffi.cdata*? similarities
---@return integer|string count
---@return string? status
function neighbors.similarity(place, request, options)
  local raw, n = sized("vkd_similarity_options"), request.num_items
  raw.flags = (options.center and ffi.C.VKD_CENTER or 0)
    + (options.upper and ffi.C.VKD_UPPER_TRIANGLE or 0)
  raw.element_type = request.element_type
  local count = options.upper and n * (n - 1) / 2 or n * n
  local values, message, name = support.allocate("float", count)
  if not values then return nil, message, name end
  local status = c.vkd_similarity_compute(place.handle, request.pointer, n, request.dim, raw, values)
  if status ~= 0 then
    if status == ffi.C.VKD_ERROR_DEVICE_LOST then place.on_lost() end
    return failure(status)
  end
  return values, count
end

return neighbors
