-- Turns what callers pass into what the C library reads: embeddings in any of the accepted forms,
-- start items and options. Misuse is raised here, with the caller's line.

local ffi = require("ffi")
local support = require("vkd_support")
support.own_file()
local misuse, describe, is_integer = support.misuse, support.describe, support.is_integer

local input = {}

local ELEMENTS = {
  f32 = { number = 0, ctype = "float", c_name = "float" },
  f16 = { number = 1, ctype = "uint16_t", c_name = "unsigned short" },
  f64 = { number = 2, ctype = "double", c_name = "double" },
}
local BY_C_NAME = {}
for name, element in pairs(ELEMENTS) do BY_C_NAME[element.c_name] = name end

local MOST = 4294967295

-- How a cdata is declared: the C name of its elements, and "pointer", "array" (its size is known)
-- or nil for anything else.
local function declared(value)
  local text = tostring(ffi.typeof(value)):match("^ctype<(.*)>$")
  text = text:gsub("const ", ""):gsub("volatile ", "")
  local element, shape = text:match("^([%w_ ]-) ?([%*%[%(&].*)$")
  if shape == "*" then return element, "pointer" end
  if shape and shape:match("^%[") or shape and shape:match("^%(&%)%[") then return element, "array" end
  return text
end

---Checks that every key of a table of options is known; raises misuse otherwise.
---@param options table?
---@param known table<string, string> Option names, and the Lua type or types each value may have.
---@return table options
function input.options(options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then misuse("options must be a table, not %s", describe(options)) end
  for name, value in pairs(options) do
    local types = known[name]
    if not types then
      local names = {}
      for each in pairs(known) do names[#names + 1] = each end
      table.sort(names)
      misuse("there is no option %s here; there are: %s", describe(name), table.concat(names, ", "))
    end
    if not (" " .. types .. " "):find(" " .. type(value) .. " ", 1, true) then
      misuse("option %s must be a %s, not %s", name, types:gsub(" ", " or a "), describe(value))
    end
  end
  return options
end

---An optional count among the options; raises misuse when it is no integer in range.
---@return number?
function input.count(options, name, least, most)
  local value = options[name]
  if value ~= nil and not is_integer(value, least, most or MOST) then
    misuse("option %s must be an integer of at least %d, not %s", name, least, describe(value))
  end
  return value
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
      misuse("%s of %d numbers cannot be split into %d items of equal length", what, values, num_items)
    end
    return num_items, values / num_items
  end
  local needed = num_items * dim
  if values < needed or (whole and values > needed) then
    misuse("%d items of %d dimensions are %d numbers, but %s holds %d", num_items, dim, needed, what,
      values)
  end
  return num_items, dim
end

-- The library widens f16 itself, so halves pass as raw bits; cdata of that type could mean anything,
-- hence the explicit option.
local function from_cdata(value, num_items, dim, wanted)
  local c_name, shape = declared(value)
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
    local place = row and ("embeddings[%d][%d]"):format(row, index) or ("embeddings[%d]"):format(index)
    misuse("%s must be a number, not %s", place, describe(value))
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
  local data, message, status = support.allocate(ELEMENTS[name].ctype, #list)
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
  local data, message, status = support.allocate(ELEMENTS[name].ctype, #rows * width)
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
  local dim, wanted = input.count(options, "dim", 1), options.element_type
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

local function starts_from_table(list, num_items)
  if #list == 0 then misuse("option starts is empty; leave it out to start from every item") end
  local starts = ffi.new("uint32_t[?]", #list)
  for i = 1, #list do
    if not is_integer(list[i], -MOST, MOST) then
      misuse("starts[%d] must be an item number, not %s", i, describe(list[i]))
    end
    if list[i] < 1 or list[i] > num_items then
      return nil, ("starts[%d] is %d; item numbers in a Lua table run from 1 to %d"):format(
        i, list[i], num_items), "VKD_ERROR_START_OUT_OF_RANGE"
    end
    starts[i - 1] = list[i] - 1
  end
  return starts, #list
end

-- The start items as 0-based cdata and their number; nil, 0 for all items.
local function starts_of(options, num_items)
  local starts, count = options.starts, input.count(options, "num_starts", 1)
  if type(starts) ~= "cdata" then
    if count then misuse("option num_starts goes with starts given as uint32_t cdata") end
    if starts == nil then return nil, 0 end
    return starts_from_table(starts, num_items)
  end
  local c_name, shape = declared(starts)
  if c_name ~= "unsigned int" or not shape then
    misuse("option starts must be a table or uint32_t cdata, not %s", describe(starts))
  end
  if shape == "pointer" then
    if starts == nil then misuse("option starts is a NULL pointer") end
    if not count then misuse("option num_starts is needed with starts given as a pointer") end
    return starts, count
  end
  local held = ffi.sizeof(starts) / 4
  if held == 0 then misuse("option starts is empty; leave it out to start from every item") end
  if count and count > held then
    misuse("option num_starts is %d, but starts holds %d", count, held)
  end
  return starts, count or held
end

---What one call of `vkd_batch_start` reads. `keep` and `starts` own the memory: hold the whole table
---until C has read it.
---@class vkd.Request
---@field pointer ffi.cdata*
---@field element_type integer
---@field num_items integer
---@field dim integer
---@field starts ffi.cdata*?
---@field num_starts integer
---@field length integer 0: all items.
---@field keep ffi.cdata*
---@field path? ffi.cdata* Of the output.

---@param embeddings any
---@param num_items integer?
---@param options table Known names only.
---@return vkd.Request? request
---@return string? message
---@return string? status
function input.request(embeddings, num_items, options)
  local length = input.count(options, "length", 1)
  local request, message, status = embeddings_of(embeddings, num_items, options)
  if not request then return nil, message, status end
  local starts, num_starts, why = starts_of(options, request.num_items)
  if why then return nil, num_starts, why end
  request.pointer = ffi.cast("const float *", request.pointer)
  request.element_type = ELEMENTS[request.element].number
  request.starts, request.num_starts, request.length = starts, num_starts, length or 0
  return request
end

---The part of a request that needs no embeddings.
---@param num_items integer
---@param dim integer
---@param options table Known names only.
---@return vkd.Request? request
---@return string? message
---@return string? status
function input.shape(num_items, dim, options)
  if not is_integer(num_items, 0, MOST) then
    misuse("num_items must be an integer of at least 0, not %s", describe(num_items))
  end
  if not is_integer(dim, 0, MOST) then
    misuse("dim must be an integer of at least 0, not %s", describe(dim))
  end
  local length = input.count(options, "length", 1)
  local starts, num_starts, why = starts_of(options, num_items)
  if why then return nil, num_starts, why end
  return { num_items = num_items, dim = dim, element_type = 0, starts = starts,
    num_starts = num_starts, length = length or 0 }
end

return input
