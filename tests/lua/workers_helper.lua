-- What the specs of workers share: scripts that workers run, and what must not be left of them.

local ffi = require("ffi")
local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()
local process = require("vkd.process")

if not pcall(function() return ffi.C.spec_children end) then
  ffi.cdef([[
    int spec_children(int pid, int *status, int options) __asm__("waitpid");
    int spec_descriptor(int descriptor, int command, ...) __asm__("fcntl");
  ]])
end

local workers = {}

---What scripts begin with.
workers.BEGIN = [[
local ffi = require("ffi")
ffi.cdef("int usleep(unsigned); int getpid(void); int kill(int, int); void *signal(int, void *);")
local index, count = tonumber(arg[1]), tonumber(arg[2])
local function sleep(seconds) for _ = 1, seconds * 20 do ffi.C.usleep(50000) end end
local function save(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end
]]

---What vkd.workers returns with a script of these lines.
function workers.run(count, script, arguments, options)
  return helper.with_file(workers.BEGIN .. script, function(path)
    return vkd.workers(count, path, arguments, options)
  end)
end

---Asserts that workers failed with a message that contains `expected`.
function workers.failed(expected, ...)
  local done, message = ...
  assert(done == nil, "the workers did not fail; expected: " .. expected)
  assert(message:find(expected, 1, true), ("%q does not contain %q"):format(message, expected))
  return message
end

---Calls `use` with a folder for what workers write.
function workers.with_folder(use)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder) == 0)
  local fine, message = pcall(use, folder)
  os.execute("rm -r " .. folder)
  assert(fine, message)
end

---How many descriptors are open.
function workers.descriptors()
  -- Files that busted leaves to the collector.
  collectgarbage()
  collectgarbage()
  local count = 0
  for descriptor = 0, 1023 do
    if ffi.C.spec_descriptor(descriptor, 1) ~= -1 then count = count + 1 end
  end
  return count
end

---Whether there are children that run or were not waited for.
function workers.has_children()
  return ffi.C.spec_children(-1, ffi.new("int[1]"), 1) ~= -1
end

---Whether a process runs, other than as a zombie.
function workers.runs(pid)
  local file = io.open(("/proc/%s/stat"):format(pid))
  local state = file and file:read("*a"):match("%) (%a)")
  if file then file:close() end
  return state ~= nil and state ~= "Z"
end

---Whether a condition comes true within some seconds.
function workers.soon(condition)
  local begin = process.now()
  repeat
    if condition() then return true end
    process.wait({}, 20)
  until process.now() - begin > 20
  return false
end

return workers
