-- The finished sequences: rows as Lua tables, or the memory itself.

local ffi = require("ffi")
local support = require("vkd_support")
support.own_file()
local misuse, describe = support.misuse, support.describe

---Finished sequences. `sequences[i]` is short for `sequences:row(i)`, nil beyond the last.
---@class vkd.Sequences
---@field count integer Number of sequences.
---@field length integer Items in each.
---@field data ffi.cdata* `uint32_t *`, count x length item numbers, 0-based both in index and value. Owns the memory.
---@field [integer] integer[]
local Sequences = {}

local function check_row(self, i, method)
  if type(self) ~= "table" or getmetatable(self) ~= Sequences then
    misuse("%s is a method: call it as sequences:%s(i)", method, method)
  end
  if not support.is_integer(i, 1, self.count) then
    misuse("there is no sequence %s; they are numbered from 1 to %d", describe(i), self.count)
  end
  if not self.data then misuse("these results have been freed") end
  return self.data + (i - 1) * self.length
end

local methods = {}

---One sequence as a new Lua table. Keep it rather than asking again in a loop.
---@param i integer Sequence number, 1-based.
---@return integer[] items Item numbers, 1-based; the first is the start.
function methods:row(i)
  local pointer, items = check_row(self, i, "row"), {}
  for k = 1, self.length do items[k] = pointer[k - 1] + 1 end
  return items
end

-- A pointer into the results keeps them alive; the keys are weak, so it costs nothing afterwards.
local anchors = setmetatable({}, { __mode = "k" })

---One sequence without a copy: `length` item numbers at a `const uint32_t *`.
---@param i integer Sequence number, 1-based.
---@return ffi.cdata* items 0-based in index and value. Keeps the results alive; pointers computed from it do not.
function methods:pointer(i)
  local row = check_row(self, i, "pointer")
  local pointer = ffi.cast("const " .. (rawget(self, "item_type") or "uint32_t") .. " *", row)
  anchors[pointer] = rawget(self, "_handle") or self.data
  return pointer
end

---Iterates over all sequences: `for i, items in sequences:rows() do`.
---@return fun(sequences: vkd.Sequences, i: integer): integer?, integer[]?
---@return vkd.Sequences
---@return integer
function methods:rows()
  return function(sequences, i)
    if i < sequences.count then return i + 1, sequences:row(i + 1) end
  end, self, 0
end

function Sequences.__index(self, key)
  if type(key) ~= "number" then
    local own = rawget(self, "_methods")
    return own and own[key] or methods[key]
  end
  if not support.is_integer(key, 1, rawget(self, "count")) then return nil end
  return methods.row(self, key)
end

---@param data ffi.cdata* Owns its memory, or points into what the fields hold.
---@param count integer
---@param length integer
---@param fields? table More fields.
---@param own? table More methods.
---@return vkd.Sequences
return function(data, count, length, fields, own)
  local sequences = { data = data, count = count, length = length, _methods = own }
  for name, value in pairs(fields or {}) do sequences[name] = value end
  return setmetatable(sequences, Sequences)
end
