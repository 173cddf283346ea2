-- Loads embeddings from numpy's .npy files: versions 1 to 3, two dimensions, C order,
-- little-endian 16-, 32- or 64-bit floats. What cannot be read is refused with a reason.

local ffi = require("ffi")
local bit = require("bit")
local check = require("vkd.check")
local memory = require("vkd.memory")

local npy = {}

local TYPES = {
  ["<f2"] = { element_type = "f16", ctype = "uint16_t", size = 2 },
  ["<f4"] = { element_type = "f32", ctype = "float", size = 4 },
  ["<f8"] = { element_type = "f64", ctype = "double", size = 8 },
}
local CHUNK = 1024 * 1024

---Embeddings as read from a file, to be passed to `vkd.batch_compute` as they are.
---@class vkd.Embeddings
---All values, row after row, 0-based: item i begins at `data + (i - 1) * dim`.
---@field data ffi.cdata*
---@field num_items integer
---@field dim integer
---@field element_type "f16"|"f32"|"f64"
local Embeddings = {}
Embeddings.__index = Embeddings

local function half_to_number(bits)
  local sign = bits >= 0x8000 and -1 or 1
  local exponent = bit.band(bit.rshift(bits, 10), 31)
  local fraction = bit.band(bits, 1023)
  if exponent == 0 then return sign * math.ldexp(fraction, -24) end
  if exponent == 31 then return fraction == 0 and sign * math.huge or 0 / 0 end
  return sign * math.ldexp(1024 + fraction, exponent - 25)
end

---One embedding as a new Lua table of numbers.
---@param item integer Item number, 1-based.
---@return number[] values `dim` numbers, 1-based.
function Embeddings:row(item)
  if getmetatable(self) ~= Embeddings then
    check.misuse("row is a method: call it as embeddings:row(item)")
  end
  if not check.is_integer(item, 1, self.num_items) then
    check.misuse("item must be an integer from 1 to %d, not %s", self.num_items,
      check.describe(item))
  end
  local data, dim, values = self.data, self.dim, {}
  local first = (item - 1) * dim
  local half = self.element_type == "f16"
  for d = 1, dim do
    local value = data[first + d - 1]
    values[d] = half and half_to_number(value) or value
  end
  return values
end

local function little_endian(text)
  local value = 0
  for i = #text, 1, -1 do value = value * 256 + text:byte(i) end
  return value
end

-- Returns the header's dictionary as text, or nil and why there is none.
local function read_header(file)
  local start = file:read(8)
  if not start or start:sub(1, 6) ~= "\147NUMPY" then return nil, "it is not a .npy file" end
  if #start < 8 then return nil, "it is cut short in its header" end
  local version = start:byte(7)
  if version < 1 or version > 3 then
    return nil, ("its format version %d is unknown (1 to 3 are known)"):format(version)
  end
  local field = version == 1 and 2 or 4
  local size = file:read(field)
  if not size or #size < field then return nil, "it is cut short in its header" end
  size = little_endian(size)
  -- numpy itself refuses headers above 10,000 bytes.
  if size > 10000 then return nil, ("its header claims %d bytes"):format(size) end
  local header = file:read(size)
  if not header or #header < size then return nil, "it is cut short in its header" end
  return header
end

-- Returns the element type, number of items and dimensions, or nil and why they cannot be used.
local function parse_header(header)
  local order = header:match("['\"]fortran_order['\"]%s*:%s*(%a+)")
  local shape = header:match("['\"]shape['\"]%s*:%s*%(([%d%sL,]*)%)")
  local described = header:match("['\"]descr['\"]%s*:%s*(%b'')")
    or header:match("['\"]descr['\"]%s*:%s*(%b\"\")")
  if not shape or not order or not header:find("['\"]descr['\"]") then
    return nil, "its header cannot be understood"
  end
  if not described then return nil, "it holds records; save plain floats" end
  described = described:sub(2, -2)
  local element = TYPES[described]
  if not element then
    local hint = described:match("^>f") and "big-endian values"
      or ("values of dtype %q"):format(described)
    return nil, ("it holds %s; save it as little-endian float16, float32 or float64"):format(hint)
  end
  local sizes = {}
  for size in shape:gmatch("%d+") do sizes[#sizes + 1] = tonumber(size) end
  if #sizes ~= 2 then
    return nil, ("it has %d dimension(s); embeddings need two: items x dimensions"):format(#sizes)
  end
  if order ~= "False" then
    return nil, "it is in Fortran order; save numpy.ascontiguousarray(...) of it"
  end
  return element, sizes[1], sizes[2]
end

-- Fills `data` with `bytes` bytes; returns how many there were.
local function read_values(file, data, bytes)
  local target, done = ffi.cast("uint8_t *", data), 0
  while done < bytes do
    local chunk = file:read(math.min(CHUNK, bytes - done))
    if not chunk then break end
    ffi.copy(target + done, chunk, #chunk)
    done = done + #chunk
  end
  return done
end

local function load_from(file)
  local header, why = read_header(file)
  if not header then return nil, why end
  local element, num_items, dim = parse_header(header)
  if not element then return nil, num_items end
  local bytes = num_items * dim * element.size
  -- Checked before memory is asked for: a damaged header may claim anything.
  local here = file:seek()
  local there = file:seek("end") - here
  if there < bytes then
    return nil, ("it is cut short: %d x %d values need %.0f bytes, %.0f are there"):format(
      num_items, dim, bytes, there)
  end
  file:seek("set", here)
  local data, refused, status = memory.allocate(element.ctype, num_items * dim)
  if not data then return nil, refused, status end
  if read_values(file, data, bytes) < bytes then
    return nil, "it became shorter while being read"
  end
  return setmetatable({ data = data, num_items = num_items, dim = dim,
    element_type = element.element_type }, Embeddings)
end

---Loads a two-dimensional .npy file.
---@param path string
---@return vkd.Embeddings? embeddings
---@return string? message Why not.
---@return string? status
function npy.load(path)
  if type(path) ~= "string" then
    check.misuse("path must be a string, not %s", check.describe(path))
  end
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  -- Opening a folder works on some systems; only reading it fails.
  if not file:read(0) and file:seek("end") ~= 0 then
    file:close()
    return nil, path .. ": it cannot be read (is it a folder?)"
  end
  file:seek("set", 0)
  local embeddings, message, status = load_from(file)
  file:close()
  if not embeddings then return nil, ("%s: %s"):format(path, message), status end
  return embeddings
end

return npy
