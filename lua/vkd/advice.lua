-- What is said where the shared library is missing or is not vkd's.

local advice = {}

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

---Where no library was found.
---@param folder string? Of vkd.lua.
---@param looked string[] Where it was looked for, and why it was not taken.
---@return string
function advice.none(folder, looked)
  local build = "install vkd's library (`make install` in its source tree)"
  -- A source tree has this file two folders above this one.
  if folder and exists(folder .. "../Cargo.toml") then
    build = "build it with `cargo build --release`"
  end
  return ("vkd: the shared library was not found; %s, or set VKD_LIBRARY to its path. "
    .. "Looked in: %s"):format(build, table.concat(looked, ", "))
end

---Where VKD_LIBRARY names what the system cannot load.
---@param path string
---@param reason string
---@return string
function advice.unloadable(path, reason)
  local what = "which cannot be loaded: " .. reason
  if path:find("[/\\]") and not exists(path) then what = "and there is no such file" end
  return ("vkd: VKD_LIBRARY is %s, %s; set it to the path of vkd's library, such as "
    .. "/usr/local/lib/libvkd.so, or unset it"):format(path, what)
end

---Where a library was loaded that lacks a function.
---@param path string
---@param symbol string
---@param asked boolean Whether VKD_LIBRARY names it.
---@return string
function advice.foreign(path, symbol, asked)
  local is = symbol == "vkd_version" and "is no library of vkd"
    or "is of another release than this vkd.lua"
  return ("vkd: %s %s: it was loaded, but has no function %s; %s"):format(
    asked and "VKD_LIBRARY is " .. path .. ", which" or path, is, symbol,
    asked and "set VKD_LIBRARY to the path of vkd's library, or unset it"
      or "remove it, or set VKD_LIBRARY to the path of vkd's library")
end

return advice
