-- Turns embeddings in any of the accepted forms into what the C library reads.

local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local misuse, describe, is_integer = check.misuse, check.describe, check.is_integer

local input = {}

local ELEMENTS = {
  f32 = { number = 0, ctype = "float", c_name = "float" },
  f16 = { number = 1, ctype = "uint16_t", c_name = "unsigned short" },
  f64 = { number = 2, ctype = "double", c_name = "double" },
}
local BY_C_NAME = {}
for name, element in pairs(ELEMENTS) do BY_C_NAME[element.c_name] = name end

local MOST = check.MOST

---How a cdata is declared.
---@param value ffi.cdata*
---@return string element C name of its elements.
---@return "pointer"|"array"|nil shape An array's size is known; nil: anything else.
function input.declared(value)
  local text = tostring(ffi.typeof(value)):match("^ctype<(.*)>$")
  text = text:gsub("const ", ""):gsub("volatile ", "")
  local element, shape = text:match("^([%w_ ]-) ?([%*%[%(&].*)$")
  if shape == "*" then return element, "pointer" end
  local is_array = shape and (shape:match("^%[") or shape:match("^%(&%)%["))
  if is_array then return element, "array" end
  return text
end

-- Number of items and dimensions of `values` numbers, either of which may be left out. With
-- `whole`, the numbers must be exactly that many.
local function shape_of(values, num_items, dim, what, whole)
  if not num_items and not dim then misuse("num_items is needed with %s", what) end
  if not num_items then
    if values % dim ~= 0 then
      misuse("%s of %d numbers cannot be split into items of %d dimensions", what, values, dim)
    end
    return values / dim, dim
  end
  -- No items: the library has the words for that.
  if num_items == 0 then return 0, dim or 1 end
  if not dim then
    if values == 0 or values % num_items ~= 0 then
      misuse("%s of %d numbers cannot be split into %d items of equal length", what, values,
        num_items)
    end
    return num_items, values / num_items
  end
  local needed = num_items * dim
  if values < needed or (whole and values > needed) then
    misuse("%d items of %d dimensions are %d numbers, but %s holds %d", num_items, dim, needed,
      what, values)
  end
  return num_items, dim
end

-- The library widens f16 itself, so halves pass as raw bits; cdata of that type could mean
-- anything, hence the explicit option.
local function from_cdata(value, num_items, dim, wanted)
  local c_name, shape = input.declared(value)
  local name = BY_C_NAME[c_name]
  if not name or not shape then
    misuse("embeddings must point to float, double or uint16_t, not be %s", describe(value))
  end
  if name == "f16" and wanted ~= "f16" then
    misuse("embeddings are uint16_t: say element_type = \"f16\" if these are half-precision floats")
  elseif wanted and wanted ~= name then
    misuse("element_type is %q, but the embeddings are %s", wanted, describe(value))
  end
  if shape == "pointer" then
    if value == nil then misuse("embeddings are a NULL pointer") end
    if not num_items then misuse("num_items is needed with a pointer") end
    if not dim then misuse("option dim is needed with a pointer, whose size nobody knows") end
  else
    local values = ffi.sizeof(value) / ffi.sizeof(ELEMENTS[name].ctype)
    num_items, dim = shape_of(values, num_items, dim, "the array", false)
  end
  return { pointer = value, element = name, num_items = num_items, dim = dim, keep = value }
end

local function checked(value, index, row)
  if type(value) ~= "number" then
    local place = row and ("[%d][%d]"):format(row, index) or ("[%d]"):format(index)
    misuse("embeddings%s must be a number, not %s", place, describe(value))
  end
  return value
end

-- Tables become 32-bit floats unless asked otherwise: numbers that came from a model through JSON
-- are then exactly what the model gave, and give the same result as its .npy file.
local function table_type(wanted)
  if wanted == "f16" then misuse("element_type \"f16\" needs uint16_t cdata, not a table") end
  return wanted or "f32"
end

local function from_flat(list, num_items, dim, wanted)
  local name = table_type(wanted)
  num_items, dim = shape_of(#list, num_items, dim, "the table", true)
  local data, message, status = memory.allocate(ELEMENTS[name].ctype, #list)
  if not data then return nil, message, status end
  for i = 1, #list do data[i - 1] = checked(list[i], i) end
  return { pointer = data, element = name, num_items = num_items, dim = dim, keep = data }
end

local function from_rows(rows, num_items, dim, wanted)
  local name = table_type(wanted)
  if num_items and num_items ~= #rows then
    misuse("num_items is %d, but the table has %d rows", num_items, #rows)
  end
  local width = dim or #rows[1]
  for i = 1, #rows do
    if type(rows[i]) ~= "table" then
      misuse("embeddings[%d] must be a table of numbers like the ones before it, not %s", i,
        describe(rows[i]))
    end
    if #rows[i] ~= width then
      misuse("embeddings[%d] has %d numbers, but %s", i, #rows[i], dim and
        ("option dim is %d"):format(dim) or ("embeddings[1] has %d"):format(width))
    end
  end
  local data, message, status = memory.allocate(ELEMENTS[name].ctype, #rows * width)
  if not data then return nil, message, status end
  for i = 1, #rows do
    local row, first = rows[i], (i - 1) * width - 1
    for d = 1, width do data[first + d] = checked(row[d], d, i) end
  end
  return { pointer = data, element = name, num_items = #rows, dim = width, keep = data }
end

-- What `vkd.load_npy` returns, or any table with the same four fields.
local function from_object(object, num_items, dim, wanted)
  if not is_integer(object.num_items, 0, MOST) or not is_integer(object.dim, 0, MOST) then
    misuse("embeddings with a field data need the integers num_items and dim beside it")
  end
  if num_items and num_items ~= object.num_items then
    misuse("num_items is %d, but the embeddings have %d items", num_items, object.num_items)
  elseif dim and dim ~= object.dim then
    misuse("option dim is %d, but the embeddings have %d dimensions", dim, object.dim)
  elseif wanted and object.element_type and wanted ~= object.element_type then
    misuse("element_type is %q, but the embeddings are %q", wanted, object.element_type)
  end
  return from_cdata(object.data, object.num_items, object.dim, wanted or object.element_type)
end

local function embeddings_of(value, num_items, options)
  local dim, wanted = check.optional_count(options, "dim", 1), options.element_type
  if wanted and not ELEMENTS[wanted] then
    misuse("option element_type must be \"f32\", \"f16\" or \"f64\", not %s", describe(wanted))
  end
  if num_items ~= nil and not is_integer(num_items, 0, MOST) then
    misuse("num_items must be an integer of at least 0, not %s", describe(num_items))
  end
  if type(value) == "cdata" then return from_cdata(value, num_items, dim, wanted) end
  if type(value) ~= "table" then
    misuse("embeddings must be cdata, a table or what load_npy returns, not %s", describe(value))
  end
  if type(value.data) == "cdata" then return from_object(value, num_items, dim, wanted) end
  if type(value[1]) == "table" then return from_rows(value, num_items, dim, wanted) end
  return from_flat(value, num_items or (#value == 0 and 0 or nil), dim, wanted)
end

---Embeddings as the C library reads them. `keep` owns the memory: hold the whole table until C has
---read it.
---@class vkd.Corpus
---@field pointer ffi.cdata*
---@field element_type integer
---@field num_items integer
---@field dim integer
---@field keep ffi.cdata*

---The options of embeddings, for checking.
input.OPTIONS = { dim = "number", element_type = "string" }

---@param embeddings any
---@param num_items integer?
---@param options { dim?: integer, element_type?: string }
---@return vkd.Corpus? corpus
---@return string? message
---@return string? status
function input.corpus(embeddings, num_items, options)
  local corpus, message, status = embeddings_of(embeddings, num_items, options)
  if not corpus then return nil, message, status end
  corpus.pointer = ffi.cast("const float *", corpus.pointer)
  corpus.element_type = ELEMENTS[corpus.element].number
  return corpus
end

---Splits the arguments of a call: embeddings that know their size need no num_items, and then the
---options may come second.
---@param embeddings any
---@param num_items any
---@param options any
---@return any options
---@return any embeddings
---@return any num_items
function input.arguments(embeddings, num_items, options)
  if type(num_items) == "table" and options == nil then num_items, options = nil, num_items end
  return options, embeddings, num_items
end

---Checks the shape that a plan is made for.
---@param num_items any
---@param dim any
function input.check_shape(num_items, dim)
  check.count(num_items, "num_items", 0)
  check.count(dim, "dim", 0)
end

return input
