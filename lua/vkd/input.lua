-- Turns embeddings in any of the accepted forms into what the C library reads.

local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local units = require("vkd.units")
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

---How embeddings are given, and what they are called in messages.
---@class vkd.Wanted
---@field num_items? integer
---@field dim? integer
---@field element_type? "f32"|"f16"|"f64"
---@field usual_dim? integer Where neither the values nor `dim` tell.
---@field name string
---@field count_name string The argument or option num_items.

-- Number of items and dimensions of `values` numbers, either of which may be left out. With
-- `whole`, the numbers must be exactly that many.
local function shape_of(values, wanted, what, whole)
  local num_items, dim = wanted.num_items, wanted.dim
  if not num_items then dim = dim or wanted.usual_dim end
  if not num_items and not dim then misuse("%s is needed with %s", wanted.count_name, what) end
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
      misuse("%s of %d numbers cannot be split into %s of equal length", what, values,
        units.many(num_items, "item"))
    end
    return num_items, values / num_items
  end
  local needed = num_items * dim
  if values < needed or (whole and values > needed) then
    misuse("%s of %s are %.0f numbers, but %s holds %d", units.many(num_items, "item"),
      units.many(dim, "dimension"), needed, what, values)
  end
  return num_items, dim
end

-- The library widens f16 itself, so halves pass as raw bits; cdata of that type could mean
-- anything, hence the explicit option.
local function from_cdata(value, wanted)
  local c_name, shape = input.declared(value)
  local name, asked = BY_C_NAME[c_name], wanted.element_type
  if not name or not shape then
    misuse("%s must point to float, double or uint16_t, not be %s", wanted.name, describe(value))
  end
  if name == "f16" and asked ~= "f16" then
    misuse("%s are uint16_t: say element_type = \"f16\" if these are half-precision floats",
      wanted.name)
  elseif asked and asked ~= name then
    misuse("element_type is %q, but the %s are %s", asked, wanted.name, describe(value))
  end
  local num_items, dim = wanted.num_items, wanted.dim or wanted.usual_dim
  if shape == "pointer" then
    if value == nil then misuse("%s are a NULL pointer", wanted.name) end
    if not num_items then misuse("%s is needed with a pointer", wanted.count_name) end
    if not dim then misuse("option dim is needed with a pointer, whose size nobody knows") end
  else
    local values = ffi.sizeof(value) / ffi.sizeof(ELEMENTS[name].ctype)
    num_items, dim = shape_of(values, wanted, "the array", false)
  end
  return { pointer = value, element = name, num_items = num_items, dim = dim, keep = value }
end

local function checked(value, name, index, row)
  if type(value) ~= "number" then
    local place = row and ("[%d][%d]"):format(row, index) or ("[%d]"):format(index)
    misuse("%s%s must be a number, not %s", name, place, describe(value))
  end
  return value
end

-- Tables become 32-bit floats unless asked otherwise: numbers that came from a model through JSON
-- are then exactly what the model gave, and give the same result as its .npy file.
local function table_type(asked)
  if asked == "f16" then misuse("element_type \"f16\" needs uint16_t cdata, not a table") end
  return asked or "f32"
end

local function from_flat(list, wanted)
  local name, length = table_type(wanted.element_type), check.list(list, wanted.name)
  local num_items, dim = 0, wanted.dim or 1
  if length > 0 or wanted.num_items then
    num_items, dim = shape_of(length, wanted, "the table", true)
  end
  local data, message, status = memory.allocate(ELEMENTS[name].ctype, length)
  if not data then return nil, message, status end
  for i = 1, length do data[i - 1] = checked(list[i], wanted.name, i) end
  return { pointer = data, element = name, num_items = num_items, dim = dim, keep = data }
end

-- The row's length, which must be that of the others.
local function check_row(row, i, width, wanted)
  if type(row) ~= "table" then
    misuse("%s[%d] must be a table of numbers like the ones before it, not %s", wanted.name, i,
      describe(row))
  end
  local length = check.list(row, ("%s[%d]"):format(wanted.name, i))
  if length ~= width then
    misuse("%s[%d] has %s, but %s", wanted.name, i, units.many(length, "number"), wanted.dim and
      ("option dim is %d"):format(width) or ("%s[1] has %d"):format(wanted.name, width))
  end
end

local function from_rows(rows, wanted)
  local name, count = table_type(wanted.element_type), check.list(rows, wanted.name)
  if wanted.num_items and wanted.num_items ~= count then
    misuse("%s is %d, but the table has %s", wanted.count_name, wanted.num_items,
      units.many(count, "row"))
  end
  local width = wanted.dim or #rows[1]
  for i = 1, count do check_row(rows[i], i, width, wanted) end
  local data, message, status = memory.allocate(ELEMENTS[name].ctype, count * width)
  if not data then return nil, message, status end
  for i = 1, count do
    local row, first = rows[i], (i - 1) * width - 1
    for d = 1, width do data[first + d] = checked(row[d], wanted.name, d, i) end
  end
  return { pointer = data, element = name, num_items = count, dim = width, keep = data }
end

-- What `vkd.load` and `vkd.load_npy` return, or any table with the same four fields.
local function from_object(object, wanted)
  if not is_integer(object.num_items, 0, MOST) or not is_integer(object.dim, 0, MOST) then
    misuse("%s with a field data need the integers num_items and dim beside it", wanted.name)
  end
  local name, asked = wanted.name, wanted.element_type
  if wanted.num_items and wanted.num_items ~= object.num_items then
    misuse("%s is %d, but the %s have %s", wanted.count_name, wanted.num_items, name,
      units.many(object.num_items, "item"))
  elseif wanted.dim and wanted.dim ~= object.dim then
    misuse("option dim is %d, but the %s have %s", wanted.dim, name,
      units.many(object.dim, "dimension"))
  elseif asked and object.element_type and asked ~= object.element_type then
    misuse("element_type is %q, but the %s are %q", asked, name, object.element_type)
  end
  return from_cdata(object.data, { num_items = object.num_items, dim = object.dim, name = name,
    count_name = wanted.count_name, element_type = asked or object.element_type })
end

local function embeddings_of(value, wanted)
  if wanted.num_items ~= nil then check.count(wanted.num_items, wanted.count_name, 0) end
  if type(value) == "cdata" then return from_cdata(value, wanted) end
  if type(value) ~= "table" then
    misuse("%s must be cdata, a table or what vkd.load returns, not %s", wanted.name,
      describe(value))
  end
  if rawget(value, "_freed") then misuse("these %s have been freed", wanted.name) end
  if type(value.data) == "cdata" then return from_object(value, wanted) end
  if type(value[1]) == "table" then return from_rows(value, wanted) end
  return from_flat(value, wanted)
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
input.OPTIONS = { dim = "number", element_type = "string", zero_rows = "boolean" }

---The flags of what is done to embeddings.
---@param options { center?: boolean, zero_rows?: boolean }
---@return integer
function input.flags(options)
  return (options.center and ffi.C.VKD_CENTER or 0)
    + (options.zero_rows and ffi.C.VKD_ZERO_ROWS or 0)
end

-- The options of embeddings, checked.
local function wanted_of(num_items, options, name, count_name)
  local element_type = options.element_type
  if element_type and not ELEMENTS[element_type] then
    misuse("option element_type must be \"f32\", \"f16\" or \"f64\", not %s",
      describe(element_type))
  end
  return { num_items = num_items, dim = check.optional_count(options, "dim", 1), name = name,
    element_type = element_type, count_name = count_name }
end

local function corpus_of(value, wanted)
  local corpus, message, status = embeddings_of(value, wanted)
  if not corpus then return nil, message, status end
  corpus.pointer = ffi.cast("const float *", corpus.pointer)
  corpus.element_type = ELEMENTS[corpus.element].number
  return corpus
end

---@param embeddings any
---@param num_items integer?
---@param options { dim?: integer, element_type?: string }
---@return vkd.Corpus? corpus
---@return string? message
---@return string? status
function input.corpus(embeddings, num_items, options)
  return corpus_of(embeddings, wanted_of(num_items, options, "embeddings", "num_items"))
end

---The same for the option queries, which go with embeddings of `dim` dimensions.
---@param queries any
---@param num_queries integer?
---@param options { dim?: integer, element_type?: string }
---@param dim integer
---@return vkd.Corpus? corpus
---@return string? message
---@return string? status
function input.queries(queries, num_queries, options, dim)
  local wanted = wanted_of(num_queries, options, "queries", "option num_queries")
  wanted.usual_dim = dim
  return corpus_of(queries, wanted)
end

---The number that C has for the option element_type.
---@param options { element_type?: string }
---@return integer
function input.element_type(options)
  local wanted = wanted_of(nil, options, "embeddings", "num_items")
  return wanted.element_type and ELEMENTS[wanted.element_type].number or 0
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

---Checks the shape that a plan is made for. Where the options say it again, they must say the same.
---@param num_items any
---@param dim any
---@param options? { num_items?: integer, dim?: integer }
function input.check_shape(num_items, dim, options)
  check.count(num_items, "num_items", 0)
  check.count(dim, "dim", 0)
  for name, value in pairs({ num_items = num_items, dim = dim }) do
    local again = options and options[name]
    if again ~= nil and again ~= value then
      misuse("option %s is %s, but %s is %s", name, describe(again), name, describe(value))
    end
  end
end

return input
