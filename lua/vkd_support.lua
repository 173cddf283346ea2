-- What the other files of the Lua binding share: errors that blame the caller's line, and memory
-- outside the Lua heap (which older LuaJIT builds limit to 2 GB in all).

local ffi = require("ffi")

local support = {}

-- A C declaration stays for the life of the Lua state, also when the module is loaded anew. The
-- names are our own so that they cannot clash with another module's view of the C library.
if not pcall(ffi.typeof, "vkd_lua_memory_declared") then
  ffi.cdef([[
    typedef struct vkd_lua_memory_declared vkd_lua_memory_declared;
    void *vkd_lua_malloc(size_t bytes) __asm__("malloc");
    void vkd_lua_free(void *pointer) __asm__("free");
  ]])
end

local own_sources = {}

---Names the calling file as part of the binding, so that `misuse` never blames a line in it.
function support.own_file()
  own_sources[debug.getinfo(2, "S").source] = true
end
own_sources[debug.getinfo(1, "S").source] = true

---Raises an error that carries the file and line of whoever called into the binding, no matter how
---deep inside it the mistake was noticed.
---@param message string
---@param ... any Arguments for string.format.
function support.misuse(message, ...)
  message = "vkd: " .. (select("#", ...) > 0 and message:format(...) or message)
  local level = 2
  local frame = debug.getinfo(level, "S")
  while frame and (frame.what == "C" or own_sources[frame.source]) do
    level = level + 1
    frame = debug.getinfo(level, "S")
  end
  error(message, frame and level or 0)
end

---Whether a value is an integer within limits that Lua numbers hold exactly.
---@param value any
---@param least number
---@param most number
---@return boolean
function support.is_integer(value, least, most)
  return type(value) == "number" and value >= least and value <= most and value % 1 == 0
end

---A short description of a value for error messages.
---@param value any
---@return string
function support.describe(value)
  if type(value) == "string" then
    return ("%q"):format(#value > 40 and value:sub(1, 40) .. "..." or value)
  elseif type(value) == "number" or type(value) == "boolean" or value == nil then
    return tostring(value)
  elseif type(value) == "cdata" then
    return "cdata " .. tostring(ffi.typeof(value)):gsub("^ctype", "")
  end
  return "a " .. type(value)
end

-- The collector does not see memory from malloc, so dead results of this size would pile up.
local COLLECT_FROM = 64 * 1024 * 1024

---An array outside the Lua heap, freed when the returned pointer is collected.
---@param element string C type of the elements.
---@param count number
---@return ffi.cdata*? pointer
---@return string? message
---@return string? status
function support.allocate(element, count)
  local bytes = count * ffi.sizeof(element)
  if bytes >= COLLECT_FROM then collectgarbage() end
  local pointer = ffi.gc(
    ffi.cast(element .. " *", ffi.C.vkd_lua_malloc(math.max(bytes, 1))), ffi.C.vkd_lua_free)
  if pointer == nil then
    return nil, ("the system refused %.0f bytes of memory"):format(bytes), "VKD_ERROR_HOST_MEMORY"
  end
  return pointer
end

return support
