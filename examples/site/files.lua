-- Files of the site: written only where their bytes change, and whole or not at all. Also what Lua
-- has not: folders, and a clock that only goes on.
--
-- A file grows as NAME.partial and is then renamed. The manifest lists what this example wrote:
-- nothing else is ever replaced or removed.

local ffi = require("ffi")

local files = {}

-- Names of their own: other scripts in this state may declare the system's.
if not pcall(ffi.typeof, "site_time") then
  ffi.cdef([[
    typedef struct { long seconds, nanoseconds; } site_time;
    int site_clock(int clock, site_time *time) __asm__("clock_gettime");
    int site_mkdir(const char *path, unsigned mode) __asm__("mkdir");
  ]])
end

local MANIFEST = "manifest.txt"

---Seconds from some point in the past.
---@return number
function files.now()
  local time = ffi.new("site_time")
  ffi.C.site_clock(ffi.os == "OSX" and 6 or 1, time) -- CLOCK_MONOTONIC
  return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end

---Makes a folder, and those that it lies in.
---@param path string
function files.make_folder(path)
  for at in (path .. "/"):gmatch("()/") do
    if at > 1 then ffi.C.site_mkdir(path:sub(1, at - 1), 511) end -- 0777 less the umask
  end
end

---@param path string
---@return string? bytes nil where there is none.
function files.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read("*a")
  file:close()
  return bytes
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

---Writes a file, unless it holds these bytes already.
---@param path string
---@param bytes string
---@return boolean written
function files.write(path, bytes)
  if files.read(path) == bytes then return false end
  local partial = path .. ".partial"
  local file = assert(io.open(partial, "wb"))
  local fine, why = file:write(bytes)
  -- What the system kept back may fail at the end.
  local closed, late = file:close()
  if not (fine and closed) then
    os.remove(partial)
    error(("%s cannot be written: %s"):format(path, why or late), 0)
  end
  assert(os.rename(partial, path))
  return true
end

---What this example wrote to a site, as a list of names and a set.
---@param site string
---@return string[] names
---@return table<string, boolean> ours
function files.manifest(site)
  local all, ours = {}, {}
  for name in (files.read(site .. "/" .. MANIFEST) or ""):gmatch("[^\n]+") do
    -- Never outside of the site, whatever somebody wrote into it.
    if name:find("^[%w%-/]+%.%w+$") and not name:find("^/") then
      all[#all + 1], ours[name] = name, true
    end
  end
  return all, ours
end

---Puts names into the manifest before files of them are written. It is an error where one is there
---that this example did not write.
---@param site string
---@param names string[]
function files.announce(site, names)
  local all, ours = files.manifest(site)
  for _, name in ipairs(names) do
    if not ours[name] then
      if exists(site .. "/" .. name) then
        error(("%s/%s is there, and no build of this site wrote it: move it away, or name another "
          .. "folder as `site` in the configuration"):format(site, name), 0)
      end
      all[#all + 1] = name
    end
  end
  files.write(site .. "/" .. MANIFEST, table.concat(all, "\n") .. "\n")
end

---Removes what this example once wrote and `names` no longer holds, and what a build that was
---killed left. The manifest then holds `names` alone.
---@param site string
---@param names string[]
---@return integer removed
function files.keep_only(site, names)
  local kept, removed = {}, 0
  for _, name in ipairs(names) do kept[name] = true end
  for _, name in ipairs((files.manifest(site))) do
    local path = site .. "/" .. name
    os.remove(path .. ".partial")
    if not kept[name] and os.remove(path) then removed = removed + 1 end
  end
  files.write(site .. "/" .. MANIFEST, table.concat(names, "\n") .. "\n")
  return removed
end

return files
