-- Memory outside the Lua heap, which older LuaJIT builds limit to 2 GB in all.

local ffi = require("ffi")
local units = require("vkd.units")

local memory = {}

-- A C declaration stays for the life of the Lua state, also when the module is loaded anew. The
-- names are our own so that they cannot clash with another module's view of the C library.
if not pcall(ffi.typeof, "vkd_lua_memory_declared") then
  ffi.cdef([[
    typedef struct vkd_lua_memory_declared vkd_lua_memory_declared;
    void *vkd_lua_malloc(size_t bytes) __asm__("malloc");
    void vkd_lua_free(void *pointer) __asm__("free");
  ]])
end

-- The collector does not see memory from malloc, so dead results of this size would pile up.
local COLLECT_FROM = 64 * 1024 * 1024

---An array outside the Lua heap, freed when the returned pointer is collected.
---@param element string C type of the elements.
---@param count number
---@return ffi.cdata*? pointer
---@return string? message
---@return string? status
function memory.allocate(element, count)
  local bytes = count * ffi.sizeof(element)
  if bytes >= COLLECT_FROM then collectgarbage() end
  local pointer = ffi.gc(
    ffi.cast(element .. " *", ffi.C.vkd_lua_malloc(math.max(bytes, 1))), ffi.C.vkd_lua_free)
  if pointer == nil then
    return nil, ("the system refused %s of memory; free memory, or use fewer items"):format(
      units.bytes(bytes)), "VKD_ERROR_HOST_MEMORY"
  end
  return pointer
end

---An array of zeros, else the same.
---@param element string
---@param count number
---@return ffi.cdata*? pointer
---@return string? message
---@return string? status
function memory.zeroed(element, count)
  local pointer, message, status = memory.allocate(element, count)
  if pointer then ffi.fill(pointer, count * ffi.sizeof(element)) end
  return pointer, message, status
end

---Frees such an array now.
---@param pointer ffi.cdata*
function memory.free(pointer)
  ffi.C.vkd_lua_free(ffi.gc(pointer, nil))
end

-- The keys are weak, so this costs nothing once a pointer is gone. An owner must not hold the very
-- pointer, directly or not: a weak table would then keep both for ever.
local owners = setmetatable({}, { __mode = "k" })

---Keeps the owner of memory alive as long as pointers into it, which as cdata cannot refer to it.
---Pointers computed from these are new cdata and keep nothing.
---@param owner any
---@param pointer ffi.cdata*
---@param ... ffi.cdata*
---@return ffi.cdata* pointer
---@return ffi.cdata* ...
function memory.anchored(owner, pointer, ...)
  owners[pointer] = owner
  if select("#", ...) > 0 then return pointer, memory.anchored(owner, ...) end
  return pointer
end

return memory
