-- The nearest items of every item, or of every query.

local ffi = require("ffi")
local support = require("vkd_support")
support.own_file()
local library = require("vkd_library")
local input = require("vkd_input")
local misuse, describe = support.misuse, support.describe
local c, sized, failure = library.c, library.sized, library.failure

local neighbors = {}

---The nearest items of every row.
---@class vkd.Neighbors
---@field count integer Rows: items, or queries.
---@field k integer Neighbours of each.
---@field indices ffi.cdata* `uint32_t *`, count x k item numbers, 0-based in index and value. Owns the memory.
---@field similarities ffi.cdata* `float *`, count x k cosine similarities. Owns the memory.
local Neighbors = {}
Neighbors.__index = Neighbors

---The neighbours of one row, nearest first, as new Lua tables.
---@param i integer 1-based.
---@return integer[] items 1-based.
---@return number[] similarities Cosine, -1 to 1.
function Neighbors:row(i)
  if type(self) ~= "table" or getmetatable(self) ~= Neighbors then
    misuse("row is a method: call it as neighbors:row(i)")
  end
  if not support.is_integer(i, 1, self.count) then
    misuse("there is no row %s; they are numbered from 1 to %d", describe(i), self.count)
  end
  local items, similarities, first = {}, {}, (i - 1) * self.k - 1
  for place = 1, self.k do
    items[place] = self.indices[first + place] + 1
    similarities[place] = self.similarities[first + place]
  end
  return items, similarities
end

---Finds the neighbours on an open context.
---@param handle ffi.cdata*
---@param request vkd.Request
---@param k integer
---@param options table
---@return vkd.Neighbors? neighbors
---@return string? message
---@return string? status
function neighbors.find(handle, request, k, options)
  if not support.is_integer(k, 0, 4294967295) then
    misuse("k must be an integer of at least 1, not %s", describe(k))
  end
  local raw = sized("vkd_neighbor_options")
  raw.flags = options.center and ffi.C.VKD_CENTER or 0
  raw.element_type = request.element_type
  local count, queries = request.num_items, nil
  if options.queries ~= nil then
    local message, name
    queries, message, name = input.request(options.queries, nil,
      { dim = options.dim, element_type = options.element_type })
    if not queries then return nil, message, name end
    if queries.dim ~= request.dim then
      misuse("option queries has %d dimensions, the embeddings have %d", queries.dim, request.dim)
    elseif queries.element_type ~= request.element_type then
      misuse("option queries has another element type than the embeddings")
    end
    raw.queries, raw.num_queries, count = queries.pointer, queries.num_items, queries.num_items
  end
  local most = request.num_items - (queries and 0 or 1)
  -- What C refuses needs no memory first.
  local room = count * math.min(k, math.max(most, 0))
  local indices, why, refused = support.allocate("uint32_t", room)
  if not indices then return nil, why, refused end
  local similarities
  similarities, why, refused = support.allocate("float", room)
  if not similarities then return nil, why, refused end
  local status = c.vkd_neighbors(handle, request.pointer, request.num_items, request.dim, k, raw,
    indices, similarities)
  if status ~= 0 then return failure(status) end
  return setmetatable({ count = count, k = k, indices = indices, similarities = similarities },
    Neighbors)
end

return neighbors
