-- Finds the shared library and checks that it fits; holds what every call of it needs: statuses as
-- messages, sized structs, and handles that must not be used after they were freed.

local ffi = require("ffi")
local advice = require("vkd.advice")
local check = require("vkd.check")
local misuse = check.misuse

local library = {}

-- C declarations outlive package.loaded: a second cdef in one Lua state would be an error.
local CDEF = require("vkd.cdef")
if not pcall(ffi.typeof, "vkd_batch_options") then ffi.cdef(CDEF) end

-- The header's major and minor version that vkd/cdef.lua describes.
local MAJOR, MINOR = 0, 1

local WINDOWS, OSX = ffi.os == "Windows", ffi.os == "OSX"
-- Where only what programs need is installed, the library has but the second name.
local NAMES = WINDOWS and { "vkd.dll" } or OSX and { "libvkd.dylib" }
  or { "libvkd.so", "libvkd.so.0" }

-- The folder of vkd.lua, with a slash; nil where it was not loaded from a file.
local FOLDER = debug.getinfo(1, "S").source:match("^@(.*)vkd[/\\]library%.lua$")
-- An empty folder would leave the name bare, which the system would look up.
if FOLDER == "" then FOLDER = "./" end

-- Where the library may lie, the nearest first, so that module and library come from one release:
-- beside vkd.lua, in the source tree, in PREFIX/lib of PREFIX/share/lua/5.1, along package.cpath.
local function folders()
  local found = {}
  local function add(folder)
    if not found[folder] then
      found[folder] = true
      found[#found + 1] = folder
    end
  end
  for _, place in ipairs(FOLDER and { "", "../target/release/", "../../../lib/" } or {}) do
    add(FOLDER .. place)
  end
  for template in package.cpath:gmatch("[^;]+") do add(template:match("^(.*[/\\])") or "./") end
  return found
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function has(loaded, name)
  return (pcall(function() return loaded[name] end))
end

-- The library, or nil and why it is none.
local function try(path)
  local fine, loaded = pcall(ffi.load, path)
  if not fine then return nil, loaded end
  if not has(loaded, "vkd_version") then return nil, "a library, but not vkd's" end
  return loaded
end

-- Refuses a library that is not vkd's, is of another version, or lacks functions.
local function fitting(loaded, path, asked)
  if not has(loaded, "vkd_version") then error(advice.foreign(path, "vkd_version", asked), 0) end
  local version = loaded.vkd_version()
  local major, minor = math.floor(version / 65536), math.floor(version / 256) % 256
  if major ~= MAJOR or minor ~= MINOR then
    error(("vkd: this vkd.lua is for library version %d.%d, but %s is %s; use the two from one "
      .. "release"):format(MAJOR, MINOR, path, ffi.string(loaded.vkd_version_string())), 0)
  end
  for name in CDEF:gmatch("(vkd_[%w_]+)%(") do
    if not has(loaded, name) then error(advice.foreign(path, name, asked), 0) end
  end
  return loaded
end

local function load_library()
  local asked = os.getenv("VKD_LIBRARY")
  if asked and asked ~= "" then
    local found, loaded = pcall(ffi.load, asked)
    if found then return fitting(loaded, asked, true) end
    error(advice.unloadable(asked, loaded), 0)
  end
  local looked = {}
  for _, folder in ipairs(folders()) do
    local failures = {}
    for _, name in ipairs(NAMES) do
      if exists(folder .. name) then
        local loaded, why = try(folder .. name)
        if loaded then return fitting(loaded, folder .. name, false) end
        failures[#failures + 1] = ("%s%s (%s)"):format(folder, name, why)
      end
    end
    looked[#looked + 1] = failures[1] and table.concat(failures, ", ") or folder .. NAMES[1]
  end
  local why
  for _, name in ipairs({ "vkd", unpack(NAMES, 2) }) do
    local loaded
    loaded, why = try(name)
    if loaded then return fitting(loaded, "the system's " .. name, false) end
  end
  looked[#looked + 1] = ("the system's library path (%s)"):format(why)
  error(advice.none(FOLDER, looked), 0)
end

local c = load_library()

---The C functions.
library.c = c

---The three values for a failed call: nil, the message and the status's name.
---@param status integer
---@return nil
---@return string message
---@return string name
function library.failure(status)
  local message = ffi.string(c.vkd_last_error())
  return nil, message, ffi.string(c.vkd_status_name(status))
end

---A zeroed struct with its struct_size set.
---@param ctype string
---@return ffi.cdata*
function library.sized(ctype)
  local struct = ffi.new(ctype)
  struct.struct_size = ffi.sizeof(ctype)
  return struct
end

-- The keys are weak: what a struct points to lives as long as the struct.
local held = setmetatable({}, { __mode = "k" })

---Keeps a value alive as long as a struct that points to it.
---@generic T
---@param struct ffi.cdata*
---@param value T
---@return T value
function library.hold(struct, value)
  held[struct] = held[struct] or {}
  table.insert(held[struct], value)
  return value
end

---Checks that a method was called on a live object of its class.
---@param object any
---@param class table
---@param name string Of the class, for the message.
---@param method string
---@return ffi.cdata* handle
function library.live(object, class, name, method)
  if type(object) ~= "table" or getmetatable(object) ~= class then
    misuse("%s is a method: call it as %s:%s(...)", method, name, method)
  end
  if not object._handle then misuse("this %s has been freed", name) end
  return object._handle
end

---Frees what an object holds, once.
---@param object any
---@param class table
---@param name string Of the class, for the message.
---@param free ffi.cdata* The C function.
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
