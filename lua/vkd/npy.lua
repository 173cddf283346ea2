-- Loads embeddings from numpy's .npy files: versions 1 to 3, two dimensions, C order,
-- little-endian 16-, 32- or 64-bit floats, and nothing behind them. What cannot be read is refused
-- with a reason. Values are mapped where the system can: nothing is copied.

local ffi = require("ffi")
local check = require("vkd.check")
local embeddings = require("vkd.embeddings")
local memory = require("vkd.memory")
local units = require("vkd.units")

local npy = {}

local TYPES = {
  ["<f2"] = { element_type = "f16", ctype = "uint16_t", size = 2 },
  ["<f4"] = { element_type = "f32", ctype = "float", size = 4 },
  ["<f8"] = { element_type = "f64", ctype = "double", size = 8 },
}
local CHUNK = 1024 * 1024
-- What the library can compare.
local MOST_DIM = 65536

local function little_endian(text)
  local value = 0
  for i = #text, 1, -1 do value = value * 256 + text:byte(i) end
  return value
end

-- Whether a path can be read from any place: a FIFO or a terminal cannot, and opening one would
-- wait for a writer. What cannot be opened at all is left to io.open, which says why.
local seekable
-- `bytes` values' bytes behind the first `here` bytes of a file, as a pointer to `ctype` that frees
-- them, and what frees them at once; nil where they cannot be mapped.
local map_values
if ffi.os == "Windows" then
  seekable = function() return true end
  map_values = function() end
else
  if not pcall(ffi.typeof, "vkd_lua_npy_declared") then
    ffi.cdef([[
      typedef struct vkd_lua_npy_declared vkd_lua_npy_declared;
      int vkd_lua_open(const char *path, int flags, ...) __asm__("open");
      long vkd_lua_lseek(int descriptor, long offset, int whence) __asm__("lseek");
      int vkd_lua_close(int descriptor) __asm__("close");
      int vkd_lua_fileno(void *file) __asm__("fileno");
      void *vkd_lua_mmap(void *address, size_t bytes, int protection, int flags, int descriptor,
        long offset) __asm__("mmap");
      int vkd_lua_munmap(void *address, size_t bytes) __asm__("munmap");
    ]])
  end
  local O_NONBLOCK, SEEK_CUR = ffi.os == "Linux" and 2048 or 4, 1
  seekable = function(path)
    local descriptor = ffi.C.vkd_lua_open(path, O_NONBLOCK)
    if descriptor < 0 then return true end
    local place = ffi.C.vkd_lua_lseek(descriptor, 0, SEEK_CUR)
    ffi.C.vkd_lua_close(descriptor)
    return place >= 0
  end
  -- Written pages are copied, so that the file stays as it is.
  local READ_AND_WRITE, PRIVATE, FAILED = 3, 2, ffi.cast("void *", -1)
  map_values = function(file, here, bytes, element)
    if here % element.size ~= 0 then return nil end
    local map = ffi.C.vkd_lua_mmap(nil, here + bytes, READ_AND_WRITE, PRIVATE,
      ffi.C.vkd_lua_fileno(file), 0)
    if map == FAILED then return nil end
    local function unmap() ffi.C.vkd_lua_munmap(map, here + bytes) end
    return ffi.gc(ffi.cast(element.ctype .. " *", ffi.cast("uint8_t *", map) + here), unmap), unmap
  end
end

-- Why a file that begins with `start` is no .npy file.
local function foreign(file, start)
  if #start == 0 then return "it is empty (0 bytes)" end
  local text = start .. (file:read(1000) or "")
  if text:find('"vkd sequences', 1, true) or text:find('"vkd neighbors', 1, true) then
    return "it holds results of vkd, no embeddings; open it with vkd.open"
  elseif start:sub(1, 2) == "PK" then
    return "it is a zip archive, perhaps .npz; save one array with numpy.save"
  end
  return "it is not a .npy file; save the embeddings with numpy.save"
end

-- Returns the header's dictionary as text, or nil and why there is none.
local function read_header(file)
  local start = file:read(8) or ""
  if start:sub(1, 6) ~= "\147NUMPY" then return nil, foreign(file, start) end
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
  if size > 10000 then
    return nil, ("its header claims %s; numpy reads at most 10,000"):format(units.bytes(size))
  end
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
    return nil, ("it has %s; embeddings need two: items x dimensions"):format(
      units.many(#sizes, "dimension"))
  end
  if order ~= "False" then
    return nil, "it is in Fortran order; save numpy.ascontiguousarray(...) of it"
  end
  return element, sizes[1], sizes[2]
end

-- Why no run can take so many items and dimensions, or nil.
local function refused_shape(num_items, dim)
  local shape = ("its shape is (%s, %s)"):format(units.count(num_items), units.count(dim))
  if num_items == 0 or dim == 0 then
    return ("it holds no values: %s; save at least one item and one dimension"):format(shape)
  elseif num_items > check.MOST then
    return ("%s, and there can be at most %s items"):format(shape, units.count(check.MOST))
  elseif dim > MOST_DIM then
    return ("%s, and there can be at most %s dimensions"):format(shape, units.count(MOST_DIM))
  end
end

-- Why the rest of a file cannot be its values, or nil.
local function refused_size(num_items, dim, needed, there)
  local values = ("%s x %s values need %s"):format(units.count(num_items), units.count(dim),
    units.bytes(needed))
  if there < needed then
    return ("it is cut short: %s, %s are there"):format(values, units.bytes(there))
  elseif there > needed then
    return ("it is no single array: %s, but %s follow its header; save one array alone"):format(
      values, units.bytes(there))
  end
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
  local refusal = refused_shape(num_items, dim)
  if refusal then return nil, refusal end
  local bytes = num_items * dim * element.size
  -- Checked before memory is asked for: a damaged header may claim anything.
  local here = file:seek()
  refusal = refused_size(num_items, dim, bytes, file:seek("end") - here)
  if refusal then return nil, refusal end
  local data, unmap = map_values(file, here, bytes, element)
  if not data then
    local refused, status
    data, refused, status = memory.allocate(element.ctype, num_items * dim)
    if not data then return nil, refused, status end
    file:seek("set", here)
    if read_values(file, data, bytes) < bytes then
      return nil, "it became shorter while being read"
    end
  end
  local function release()
    ffi.gc(data, nil)
    if unmap then unmap() else memory.free(data) end
  end
  return embeddings.object({ data = data, num_items = num_items, dim = dim,
    element_type = element.element_type, _release = release })
end

---Loads a two-dimensional .npy file.
---@param path string
---@return vkd.Embeddings? embeddings
---@return string? message Why not.
---@return string? status
function npy.load(path)
  local text = check.path(path, "path")
  if not seekable(text) then return nil, path .. ": it is no regular file; name a .npy file" end
  local file, why = io.open(path, "rb")
  if not file then return nil, why .. "; check the path and its permissions" end
  -- Opening a folder works on some systems; only reading it fails.
  local _, unreadable = file:read(1)
  if unreadable then
    file:close()
    return nil, ("%s: it cannot be read: %s; name a .npy file"):format(path, unreadable)
  end
  file:seek("set", 0)
  local found, message, status = load_from(file)
  file:close()
  if not found then return nil, ("%s: %s"):format(path, message), status end
  return found
end

return npy
