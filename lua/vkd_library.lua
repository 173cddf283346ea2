-- Finds the shared library, checks that it fits, and holds what every call of it needs: statuses as
-- messages, sized structs, and handles that must not be used after they were freed.

local ffi = require("ffi")
local support = require("vkd_support")
support.own_file()
local misuse = support.misuse

local folder = support.folder
local library = {}

-- C declarations outlive package.loaded: a second cdef in one Lua state would be an error.
if not pcall(ffi.typeof, "vkd_batch_options") then ffi.cdef(require("vkd_cdef")) end

-- The header's major and minor version that vkd_cdef.lua describes.
local MAJOR, MINOR = 0, 1

local function load_library()
  local asked = os.getenv("VKD_LIBRARY")
  if asked and asked ~= "" then
    local found, loaded = pcall(ffi.load, asked)
    if found then return loaded end
    error(("vkd: VKD_LIBRARY is %s, which cannot be loaded: %s"):format(asked, loaded), 0)
  end
  local name = ffi.os == "Windows" and "vkd.dll" or ffi.os == "OSX" and "libvkd.dylib" or "libvkd.so"
  local places = folder and { folder .. "../target/release/" .. name, folder .. name } or {}
  for _, path in ipairs(places) do
    local file = io.open(path, "rb")
    if file then
      file:close()
      return ffi.load(path)
    end
  end
  local found, loaded = pcall(ffi.load, "vkd")
  if found then return loaded end
  places[#places + 1] = "the system's library path"
  error(("vkd: the shared library was not found; build it with `cargo build --release`, or set "
    .. "VKD_LIBRARY to its path. Looked in: %s (%s)"):format(table.concat(places, ", "), loaded), 0)
end

local c = load_library()
do
  local version = c.vkd_version()
  local major, minor = math.floor(version / 65536), math.floor(version / 256) % 256
  if major ~= MAJOR or minor ~= MINOR then
    error(("vkd: this vkd.lua is for library version %d.%d, but %s was found; use the two from one "
      .. "release"):format(MAJOR, MINOR, ffi.string(c.vkd_version_string())), 0)
  end
end

---The C functions.
library.c = c

---The three values for a failed call: nil, the message and the status's name.
function library.failure(status)
  local message = ffi.string(c.vkd_last_error())
  return nil, message, ffi.string(c.vkd_status_name(status))
end

---A zeroed struct with its struct_size set.
function library.sized(ctype)
  local struct = ffi.new(ctype)
  struct.struct_size = ffi.sizeof(ctype)
  return struct
end

---Checks that a method was called on a live object of its class.
function library.live(object, class, name, method)
  if type(object) ~= "table" or getmetatable(object) ~= class then
    misuse("%s is a method: call it as %s:%s(...)", method, name, method)
  end
  if not object._handle then misuse("this %s has been freed", name) end
  return object._handle
end

---Frees what an object holds, once.
function library.release(object, class, name, free)
  if type(object) ~= "table" or getmetatable(object) ~= class then
    misuse("free is a method: call it as %s:free()", name)
  end
  local handle = object._handle
  if handle then
    object._handle = nil
    free(ffi.gc(handle, nil))
  end
end

return library
