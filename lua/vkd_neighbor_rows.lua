-- Finished neighbours: rows as Lua tables, or the memory itself.

local support = require("vkd_support")
support.own_file()
local misuse, describe = support.misuse, support.describe

---The nearest items of every row.
---@class vkd.Neighbors
---@field count integer Rows: items, or queries.
---@field k integer Neighbours of each.
---@field num_items integer Items of the corpus.
---@field indices ffi.cdata* count x k item numbers, 0-based in index and value: `uint32_t *`, of a file `item_type`.
---@field similarities ffi.cdata* `float *`, count x k cosine similarities.
---@field own boolean The rows are those of the items themselves, not of other queries.
---@field item_type? "uint16_t"|"uint32_t" Of a file.
---@field centered? boolean Of a file.
---@field fingerprint? string Of a file: equal embeddings have equal ones.
---@field version? string Of a file: the library that wrote it.
local Neighbors = {}
Neighbors.__index = Neighbors

local function check(self, method)
  if type(self) ~= "table" or getmetatable(self) ~= Neighbors then
    misuse("%s is a method: call it as neighbors:%s(...)", method, method)
  end
  if not self.indices then misuse("these neighbours have been freed") end
end

---The neighbours of one row, nearest first, as new Lua tables.
---@param i integer 1-based.
---@return integer[] items 1-based.
---@return number[] similarities Cosine, -1 to 1.
function Neighbors:row(i)
  check(self, "row")
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

---Checks every row of a file: its checksum, and that it holds items of the corpus, nearest first. Without a file true.
---@return true? sound
---@return string? message
---@return string? status
function Neighbors:verify()
  check(self, "verify")
  return self._verify and self._verify() or true
end

---Closes the file. Pointers into it must not be used afterwards; without this it is closed when the last one is collected.
function Neighbors:free()
  local free = rawget(self, "_free")
  self.indices, self.similarities, self._free = nil, nil, nil
  if free then free() end
end

return {
  ---@param fields table
  ---@return vkd.Neighbors
  new = function(fields) return setmetatable(fields, Neighbors) end,
  is = function(value) return type(value) == "table" and getmetatable(value) == Neighbors end,
}
