-- Processes of the system: starting them without a shell, their pipes, how they end. The one file
-- that knows what POSIX leaves to each platform; it may be loaded everywhere, but is of use only
-- where `process.supported` says so.
--
-- Descriptors that are made here are closed on exec, so that a process inherits none but those that
-- it is given. Ctrl-C interrupts Lua by a hook, which compiled code does not run: so nothing here
-- is compiled.

jit.off(true, true)

local ffi = require("ffi")

local process = {}

---Whether processes can be started here.
process.supported = ffi.os ~= "Windows"

if process.supported and not pcall(ffi.typeof, "vkd_lua_pollfd") then
  ffi.cdef([[
    typedef struct { int fd; short events, revents; } vkd_lua_pollfd;
    typedef struct { long seconds, nanoseconds; } vkd_lua_time;
    extern char **vkd_lua_environ __asm__("environ");
    char ***vkd_lua_environ_place(void) __asm__("_NSGetEnviron");
    int vkd_lua_pipe(int *ends) __asm__("pipe");
    int vkd_lua_pipe2(int *ends, int flags) __asm__("pipe2");
    int vkd_lua_fcntl(int descriptor, int command, ...) __asm__("fcntl");
    int vkd_lua_close(int descriptor) __asm__("close");
    intptr_t vkd_lua_read(int descriptor, void *to, size_t size) __asm__("read");
    intptr_t vkd_lua_write(int descriptor, const void *from, size_t size) __asm__("write");
    int vkd_lua_poll(vkd_lua_pollfd *polled, unsigned long count, int timeout) __asm__("poll");
    int vkd_lua_waitpid(int pid, int *status, int options) __asm__("waitpid");
    int vkd_lua_kill(int pid, int signal) __asm__("kill");
    int vkd_lua_getpid(void) __asm__("getpid");
    int vkd_lua_getppid(void) __asm__("getppid");
    int vkd_lua_clock(int clock, vkd_lua_time *time) __asm__("clock_gettime");
    int vkd_lua_affinity(int pid, size_t size, void *mask) __asm__("sched_getaffinity");
    long vkd_lua_sysconf(int name) __asm__("sysconf");
    intptr_t vkd_lua_readlink(const char *path, char *to, size_t size) __asm__("readlink");
    char *vkd_lua_strerror(int error) __asm__("strerror");
    char *vkd_lua_strsignal(int signal) __asm__("strsignal");
    int vkd_lua_actions_init(void *actions) __asm__("posix_spawn_file_actions_init");
    int vkd_lua_actions_destroy(void *actions) __asm__("posix_spawn_file_actions_destroy");
    int vkd_lua_actions_dup2(void *actions, int from, int to)
      __asm__("posix_spawn_file_actions_adddup2");
    int vkd_lua_actions_open(void *actions, int as, const char *path, int flags, unsigned mode)
      __asm__("posix_spawn_file_actions_addopen");
    int vkd_lua_spawn(int *pid, const char *file, const void *actions, const void *attributes,
      const char *const *arguments, const char *const *environment) __asm__("posix_spawnp");
  ]])
end
local c = ffi.C

local LINUX = ffi.os == "Linux"
local CLOSE_ON_EXEC = 0x80000 -- O_CLOEXEC of Linux
local DUPLICATE = LINUX and 1030 or 0 -- F_DUPFD_CLOEXEC of Linux; F_DUPFD
local STEADY_CLOCK = LINUX and 1 or ffi.os == "OSX" and 6 or 4 -- CLOCK_MONOTONIC
local PROCESSORS_ONLINE = LINUX and 84 or 58 -- _SC_NPROCESSORS_ONLN
-- Larger than posix_spawn_file_actions_t of any system: 80 bytes with glibc and musl.
local ACTIONS = "uint64_t[64]"
-- The same everywhere.
local INTERRUPTED, AT_ONCE, READABLE = 4, 1, 1 -- EINTR, WNOHANG, POLLIN
local SET_FLAGS, CLOSE_FLAG = 2, 1 -- F_SETFD, FD_CLOEXEC

---Signals that have the same number everywhere.
process.TERMINATE, process.KILL = 15, 9

---The descriptor by which a process tells whoever started it how far it is.
process.PROGRESS = 3

local function reason(error)
  return ffi.string(c.vkd_lua_strerror(error or ffi.errno()))
end

-- Calls again what a signal interrupted.
local function unless_interrupted(call, ...)
  local result
  repeat result = tonumber(call(...)) until result ~= -1 or ffi.errno() ~= INTERRUPTED
  return result
end

---Seconds of a clock that only goes on.
---@return number
function process.now()
  local time = ffi.new("vkd_lua_time")
  c.vkd_lua_clock(STEADY_CLOCK, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

---How many processors this process may use.
---@return integer
function process.processors()
  if LINUX then
    local size, count = 8192, 0
    local mask = ffi.new("uint8_t[?]", size)
    if c.vkd_lua_affinity(0, size, mask) == 0 then
      for i = 0, size - 1 do
        local byte = mask[i]
        while byte > 0 do
          count, byte = count + byte % 2, math.floor(byte / 2)
        end
      end
      return count
    end
  end
  return math.max(tonumber(c.vkd_lua_sysconf(PROCESSORS_ONLINE)), 1)
end

---The path of the program that runs; nil where the system does not tell.
---@return string? path
function process.executable()
  local path = ffi.new("char[4096]")
  local size = tonumber(c.vkd_lua_readlink("/proc/self/exe", path, 4096))
  return size > 0 and size < 4096 and ffi.string(path, size) or nil
end

---The number of this process.
---@return integer
function process.id() return c.vkd_lua_getpid() end

---The number of the process that started this one, or of its heir.
---@return integer
function process.parent() return c.vkd_lua_getppid() end

---The environment by names.
---@return table<string, string>
function process.environment()
  local all = {}
  local entries = ffi.os == "OSX" and c.vkd_lua_environ_place()[0] or c.vkd_lua_environ
  local i = 0
  while entries ~= nil and entries[i] ~= nil do
    local name, value = ffi.string(entries[i]):match("^([^=]+)=(.*)$")
    if name then all[name] = value end
    i = i + 1
  end
  return all
end

---Makes a pipe. Neither end is among the descriptors that a process is given.
---@return integer? read
---@return integer|string write Or why there is none.
function process.pipe()
  local ends = ffi.new("int[2]")
  local status = LINUX and c.vkd_lua_pipe2(ends, CLOSE_ON_EXEC) or c.vkd_lua_pipe(ends)
  if status ~= 0 then return nil, reason() end
  local made = {}
  for i = 0, 1 do
    made[i] = c.vkd_lua_fcntl(ends[i], DUPLICATE, ffi.cast("int", process.PROGRESS + 1))
    local why = reason()
    c.vkd_lua_close(ends[i])
    if made[i] < 0 then
      c.vkd_lua_close(i == 0 and ends[1] or made[0])
      return nil, why
    end
    if not LINUX then c.vkd_lua_fcntl(made[i], SET_FLAGS, ffi.cast("int", CLOSE_FLAG)) end
  end
  return made[0], made[1]
end

---@param descriptor integer
function process.close(descriptor) c.vkd_lua_close(descriptor) end

local function pointers(texts)
  local list = ffi.new("const char *[?]", #texts + 1)
  for i, text in ipairs(texts) do list[i - 1] = text end
  return list
end

-- What is done to the descriptors of a new process: nothing to read, `given` by their new numbers.
local function prepare(actions, given)
  local status = c.vkd_lua_actions_open(actions, 0, "/dev/null", 0, 0)
  for to, from in pairs(given) do
    if status == 0 then status = c.vkd_lua_actions_dup2(actions, from, to) end
  end
  return status
end

---A place for the number of a process: `place[0]`, 0 until there is one. Ctrl-C may come as soon as
---a process was started; whoever holds the place can end it all the same.
---@return ffi.cdata* place
function process.place() return ffi.new("int[1]") end

---Starts a program. It reads from /dev/null, and shares standard output.
---@param place ffi.cdata*
---@param arguments string[] The program first, which is looked for in PATH where it is no path.
---@param environment string[] "NAME=value"
---@param given table<integer, integer> Descriptors of `process.pipe` by the program's numbers.
---@return true? started
---@return string? message
function process.spawn(place, arguments, environment, given)
  local actions = ffi.new(ACTIONS)
  local status = c.vkd_lua_actions_init(actions)
  if status ~= 0 then return nil, reason(status) end
  status = prepare(actions, given)
  if status == 0 then
    status = c.vkd_lua_spawn(place, arguments[1], actions, nil, pointers(arguments),
      pointers(environment))
  end
  c.vkd_lua_actions_destroy(actions)
  if status ~= 0 then return nil, reason(status) end
  return true
end

---Waits until a descriptor can be read or is at its end.
---@param descriptors integer[]
---@param milliseconds integer At most.
---@return integer[] ready Those of them.
function process.wait(descriptors, milliseconds)
  local polled = ffi.new("vkd_lua_pollfd[?]", #descriptors)
  for i, descriptor in ipairs(descriptors) do
    polled[i - 1].fd, polled[i - 1].events = descriptor, READABLE
  end
  local ready = {}
  if c.vkd_lua_poll(polled, #descriptors, milliseconds) > 0 then
    for i, descriptor in ipairs(descriptors) do
      if polled[i - 1].revents ~= 0 then ready[#ready + 1] = descriptor end
    end
  end
  return ready
end

local SIZE = 65536
local buffer = ffi.new("char[?]", SIZE)

---Reads what there is.
---@param descriptor integer
---@return string? text nil at the end.
function process.read(descriptor)
  local size = unless_interrupted(c.vkd_lua_read, descriptor, buffer, SIZE)
  return size > 0 and ffi.string(buffer, size) or nil
end

---Writes a text that is short enough to be written at once.
---@param descriptor integer
---@param text string
---@return boolean written
function process.write(descriptor, text)
  return unless_interrupted(c.vkd_lua_write, descriptor, text, #text) == #text
end

---Sends a signal to one process; lower numbers than 1 would mean many.
---@param pid integer
---@param signal integer
function process.kill(pid, signal)
  assert(pid > 0, "no process")
  c.vkd_lua_kill(pid, signal)
end

---How a process ended: one of the two, or neither where the system lost it.
---@class vkd.ProcessEnd
---@field code? integer
---@field signal? integer
---@field text string

---How a process ended, told once.
---@param pid integer
---@param wait boolean Whether to wait for it.
---@return vkd.ProcessEnd? ending nil while it runs.
function process.reap(pid, wait)
  assert(pid > 0, "no process")
  local status = ffi.new("int[1]")
  local found = unless_interrupted(c.vkd_lua_waitpid, pid, status, wait and 0 or AT_ONCE)
  if found == 0 then return nil end
  if found == -1 then
    return { text = ("ended, and how is not known (%s): this program must neither ignore SIGCHLD "
      .. "nor wait for processes that it did not start"):format(reason()) }
  end
  local signal = status[0] % 128
  if signal ~= 0 then
    local name = ffi.string(c.vkd_lua_strsignal(signal))
    return { signal = signal, text = ("was ended by signal %d (%s)"):format(signal, name) }
  end
  local code = math.floor(status[0] / 256) % 256
  return { code = code, text = ("ended with exit code %d"):format(code) }
end

return process
