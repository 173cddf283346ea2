-- Finished neighbours, in memory or in a file that is mapped: nothing of it is copied or locked,
-- and all readers share one copy.

local bit = require("bit")
local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local library = require("vkd.library")
local rows = require("vkd.rows")
local ids = require("vkd.ids")
local misuse, describe = check.misuse, check.describe
local c, sized, failure = library.c, library.sized, library.failure

local neighbors = {}

---The nearest items of every row. `neighbors[i]` is the items of `neighbors:row(i)`, nil beyond the
---last.
---@class vkd.Neighbors: vkd.Rows
---@field count integer Rows: items, or queries.
---@field k integer Neighbours of each.
---@field num_items integer Items of the corpus.
---count x k item numbers, 0-based in index and value: `uint32_t *`, of a file `item_type`. It keeps
---its memory or file alive; pointers computed from it (`indices + k`) do not.
---@field indices ffi.cdata*
---@field similarities ffi.cdata* `float *`, count x k cosine similarities; as good as `indices`.
---@field own boolean The rows are those of the items themselves, not of other queries.
---@field item_type "uint16_t"|"uint32_t" What `indices` and `pointer` point to.
---@field path? string Of a file.
---@field centered? boolean Of a file: the mean was subtracted.
---@field fingerprint? string Of a file: equal embeddings have equal ones.
---@field version? string Of a file: the library that wrote it.
---@field [integer] integer[]
---The neighbours of one row, nearest first, as new Lua tables: 1-based items and their cosine
---similarities, -1 to 1.
---@field row fun(self: vkd.Neighbors, i: integer): integer[], number[]
---One row without a copy: `k` item numbers, 0-based in index and value, and a `const float *` of
---their similarities. Either pointer keeps the results alive; pointers computed from it do not.
---@field pointer fun(self: vkd.Neighbors, i: integer): ffi.cdata*, ffi.cdata*
---Iterates over all: `for i, items, similarities in neighbors:rows() do`.
---@field rows fun(self: vkd.Neighbors): fun(...): integer?, integer[]?, number[]?
---Writes them in the shape of an older program's file: true and a report, or a job.
---@field export fun(self: vkd.Neighbors, path: string, options?: vkd.ExportOptions): ...
---Frees the memory or closes the file now. Pointers into it must not be used afterwards; without
---this it happens when the last one is collected.
---@field free fun(self: vkd.Neighbors)

local Neighbors = rows.class({
  name = "neighbors",
  row_name = "row",
  row = function(self, index)
    local indices = self.indices + index * self.k
    local values = self.similarities + index * self.k
    local items, similarities = {}, {}
    for place = 1, self.k do
      items[place], similarities[place] = indices[place - 1] + 1, values[place - 1]
    end
    return items, similarities
  end,
  pointer = function(self, index)
    return ffi.cast("const " .. self.item_type .. " *", self.indices + index * self.k),
      ffi.cast("const float *", self.similarities + index * self.k)
  end,
  fill_source = function(self, source)
    if not self.own then
      misuse("these are neighbours of other queries, not of the items themselves")
    end
    local file = rawget(self, "_file")
    if file then
      -- The file that is open, whatever has its path by now.
      source.neighbors_file = library.hold(source, file)
      return
    end
    source.num_rows, source.num_items = self.count, self.num_items
    source.row_length = self.k
    source.indices, source.similarities = self.indices, self.similarities
  end,
})
local methods = Neighbors.methods

ids.add_to(Neighbors, "neighbors", { id = c.vkd_neighbors_file_id,
  find_id = c.vkd_neighbors_file_find_id, check = c.vkd_neighbors_file_check })

---Whether a value is neighbours, in memory or in a file.
neighbors.is = Neighbors.is

---Neighbours as C reads them.
neighbors.source = Neighbors.source

function methods:_free()
  local indices, similarities, file = self.indices, self.similarities, rawget(self, "_file")
  self.indices, self.similarities, self._file = nil, nil, nil
  if file then
    c.vkd_neighbors_file_free(ffi.gc(file, nil))
  else
    memory.free(indices)
    memory.free(similarities)
  end
end

---The row of an item.
---@param item integer|string 1-based, or its id.
---@return integer? i Row number, 1-based.
---@return string? message
---@return string? status
function methods:find(item)
  Neighbors.check(self, "find")
  if not self.own then
    misuse("these are neighbours of other queries: no row is that of an item")
  end
  if type(item) == "string" then
    local found, message, status = Neighbors.item_of(self, item)
    if not found then return nil, message, status end
    return found + 1
  end
  if not check.is_integer(item, 1, self.num_items) then
    misuse("item must be an item number from 1 to %d, or an id, not %s", self.num_items,
      describe(item))
  end
  return item
end

-- Every row in memory must hold items of the corpus, each once and nearest first, and not the item
-- itself.
local function verify_memory(self)
  -- The last row that held each item, counted from 1.
  local seen, message, name = memory.zeroed("uint32_t", self.num_items)
  if not seen then return nil, message, name end
  for index = 0, self.count - 1 do
    if self.own then seen[index] = index + 1 end
    local before = math.huge
    for place = index * self.k, (index + 1) * self.k - 1 do
      local item, similarity = self.indices[place], self.similarities[place]
      local in_order = similarity == similarity and similarity <= before
      if item >= self.num_items or seen[item] == index + 1 or not in_order then
        return nil, ("row %d (1-based) does not hold other items, each once and nearest first; "
          .. "compute it again"):format(index + 1), "VKD_ERROR_INTERNAL"
      end
      seen[item], before = index + 1, similarity
    end
  end
  return true
end

local function verify_file(self)
  local status = c.vkd_neighbors_file_verify(self._file)
  if status ~= 0 then return failure(status) end
  return true
end

---Checks every row, that it holds items of the corpus, nearest first; of a file also its checksum.
---Unlike sequences, neighbours are not checked against embeddings.
---@return vkd.RowsReport? report nil where a row is wrong.
---@return string? message
---@return string? status
function methods:verify(...)
  Neighbors.check(self, "verify")
  if select("#", ...) > 0 then
    misuse("neighbors:verify() takes no arguments: only sequences are checked against embeddings")
  end
  local sound, message, name = (rawget(self, "_file") and verify_file or verify_memory)(self)
  if not sound then return nil, message, name end
  return { rows_checked = self.count }
end

---@param fields { count: integer, k: integer, num_items: integer, own: boolean,
---  indices: ffi.cdata*, similarities: ffi.cdata* } Both pointers from vkd.memory.
---@return vkd.Neighbors
function neighbors.in_memory(fields)
  fields.item_type, fields.has_ids = "uint32_t", fields._ids ~= nil
  return setmetatable(fields, Neighbors.metatable)
end

---@param path string
---@return vkd.Neighbors? neighbors
---@return string? message
---@return string? status
function neighbors.open(path)
  local out = ffi.new("vkd_neighbors_file *[1]")
  local status = c.vkd_neighbors_file_open(check.path(path, "path"), out)
  if status ~= 0 then return failure(status) end
  local file = ffi.gc(out[0], c.vkd_neighbors_file_free)
  local info, row = sized("vkd_neighbors_file_info"), ffi.new("const void *[1]")
  local similarities = ffi.new("const float *[1]")
  status = c.vkd_neighbors_file_get_info(file, info)
  if status == 0 then status = c.vkd_neighbors_file_row(file, 0, row, similarities) end
  if status ~= 0 then return failure(status) end
  local item_type = info.item_bytes == 2 and "uint16_t" or "uint32_t"
  return setmetatable({
    _file = file,
    path = path,
    -- The rows lie one behind the other.
    indices = memory.anchored(file, ffi.cast("const " .. item_type .. " *", row[0])),
    similarities = memory.anchored(file, similarities[0]),
    count = info.count,
    k = info.k,
    num_items = info.num_items,
    own = info.queries_fingerprint[0] == 0,
    item_type = item_type,
    has_ids = bit.band(info.flags, ffi.C.VKD_IDS) ~= 0,
    centered = info.flags % 2 == 1,
    fingerprint = ffi.string(info.fingerprint),
    version = ffi.string(info.version),
  }, Neighbors.metatable)
end

return neighbors
