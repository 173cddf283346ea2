-- Workers: processes of LuaJIT that each run a script with their number. They share nothing but
-- files; vkd/group.lua watches them, vkd/process.lua starts them.

-- See vkd/process.lua.
jit.off(true, true)

local ffi = require("ffi")
local check = require("vkd.check")
local groups = require("vkd.group")
local process = require("vkd.process")
local run = require("vkd.run")
local units = require("vkd.units")
local misuse, describe = check.misuse, check.describe

local workers = {}

local OPTIONS = check.join(run.OPTIONS, { lua = "string", environment = "table",
  timeout = "number" })
-- Each takes a descriptor and a process; more is most likely a mistake.
local MOST_WORKERS = 1024

---What a worker took.
---@class vkd.WorkerReport
---@field seconds number
---@field error_text string The end of what it wrote to standard error; mostly "".

---What workers took: a list of each, and the time of all.
---@class vkd.WorkersReport
---@field seconds number
---@field [integer] vkd.WorkerReport

-- The shortest text that is read as this number.
local function number_text(number)
  for digits = 14, 16 do
    local text = ("%%.%dg"):format(digits):format(number)
    if tonumber(text) == number then return text end
  end
  return ("%.17g"):format(number)
end

local function text_of(value, name)
  if type(value) == "number" then return number_text(value) end
  if type(value) ~= "string" then
    misuse("%s must be a string or a number, not %s", name, describe(value))
  end
  if value:find("\0", 1, true) then misuse("%s holds a NUL character", name) end
  return value
end

local function check_arguments(arguments)
  if arguments == nil then return {} end
  if type(arguments) ~= "table" then
    misuse("arguments must be a list of strings and numbers, not %s", describe(arguments))
  end
  for name in pairs(arguments) do
    if type(name) ~= "number" then
      misuse("arguments must be a list, but has %s; options come behind it", describe(name))
    end
  end
  local texts = {}
  for i = 1, check.list(arguments, "arguments") do
    texts[i] = text_of(arguments[i], ("arguments[%d]"):format(i))
  end
  return texts
end

local function check_timeout(seconds)
  if seconds and (seconds <= 0 or seconds ~= seconds) then
    misuse("option timeout must be a number of seconds above 0, not %s", describe(seconds))
  end
end

-- The folder of vkd.lua, with a slash; nil where it was not loaded from a file.
local OWN = debug.getinfo(1, "S").source:match("^@(.*)$")
local FOLDER = OWN and OWN:match("^(.*)vkd[/\\]workers%.lua$")

-- Where the workers' `require` looks: as here, and for vkd first beside the module of this program.
local function package_path()
  if not FOLDER or package.searchpath("vkd.workers", package.path) == OWN then
    return package.path
  end
  return (FOLDER == "" and "./" or FOLDER) .. "?.lua;" .. package.path
end

local function environment(additions)
  local names = process.environment()
  names.LUA_PATH, names.LUA_CPATH = package_path(), package.cpath
  for name, value in pairs(additions or {}) do
    if type(name) ~= "string" or name == "" or name:find("[=%z]") then
      misuse("option environment has %s, which cannot name a variable", describe(name))
    end
    names[name] = text_of(value, "option environment." .. name)
  end
  return names
end

-- The interpreter of this program. A program that has LuaJIT inside is none.
local function interpreter()
  local path = process.executable()
  if path and path:match("([^/]*)$"):find("^luajit") and not path:find(" %(deleted%)$") then
    return path
  end
  local first = 0
  while type(arg) == "table" and type(arg[first - 1]) == "string" do first = first - 1 end
  return first < 0 and arg[first] or "luajit"
end

-- Why a script cannot be read, if it cannot.
local function unreadable(script)
  local file, why = io.open(script, "rb")
  if not file then return why end
  local _, broken = file:read(1)
  file:close()
  return broken and script .. ": " .. broken
end

local function commands(lua, script, count, texts)
  -- The interpreter takes what begins so for an option.
  if script:sub(1, 1) == "-" then script = "./" .. script end
  local list = {}
  for index = 1, count do
    list[index] = { lua, script, ("%d"):format(index), ("%d"):format(count), unpack(texts) }
  end
  return list
end

-- How far the workers are, as a job would tell.
local function state_of(group, state)
  local all = #group.workers
  local seconds, sum, fractions = process.now() - group.begin, 0, {}
  for index, one in ipairs(group.workers) do
    fractions[index] = one.fraction
    sum = sum + one.fraction
  end
  local fraction = sum / all
  return { kind = "workers", state = state, fraction = fraction, fractions = fractions,
    rows_done = all - group.running, rows_total = all, rows_written = 0,
    steps_done = sum, steps_total = all, bytes_read = 0, bytes_written = 0,
    files_done = 0, files_total = 0, seconds = seconds,
    seconds_left = fraction > 0 and seconds * (1 - fraction) / fraction or nil,
    prepare_seconds = 0, upload_seconds = 0, matrix_seconds = 0, steps_seconds = 0,
    download_seconds = 0 }
end

-- What is looked at while the workers run: shows their progress, and whether it takes too long.
local function looker(group, show, timeout)
  local shown = group.begin
  return function()
    local now = process.now()
    if show and now - shown >= run.POLL_SECONDS then
      shown = now
      show(state_of(group, "running"))
    end
    return timeout and group.running > 0 and now - group.begin > timeout
  end
end

local function failure_of(one, count, script)
  local text = one.text ~= "" and ": " .. one.text or "; it wrote nothing to standard error"
  return ("worker %d of %d (%s) %s%s"):format(one.index, count, script, one.ending.text, text)
end

-- The first that runs.
local function late_one(group)
  for index, one in ipairs(group.workers) do
    if not one.ending then return index end
  end
end

local function report_of(group)
  local report = { seconds = process.now() - group.begin }
  for index, one in ipairs(group.workers) do
    report[index] = { seconds = one.seconds, error_text = one.text }
  end
  return report
end

local function work(group, plan, show)
  local started, why, index = group:start(plan.commands, plan.environment)
  if not started then
    return nil, ("worker %d of %d could not be started: %s: %s"):format(index, plan.count,
      plan.lua, why)
  end
  local late = group:watch(looker(group, show, plan.timeout))
  if show then show(state_of(group, (group.failed or late) and "failed" or "done")) end
  if group.failed then return nil, failure_of(group.failed, plan.count, plan.script) end
  if late then
    return nil, ("worker %d of %d (%s) was stopped: it ran longer than option timeout allows, %s")
      :format(late_one(group), plan.count, plan.script, units.many(plan.timeout, "second"))
  end
  return true, report_of(group)
end

-- Does the work of a plan; leaves no process and no descriptor behind, whatever happens.
local function carry_out(plan, show, line)
  local group = groups.new()
  -- Where this runs in a coroutine that is never resumed. The group must not hold it.
  local guard = ffi.gc(ffi.new("char[1]"), function() group:close() end)
  local called, result, report = pcall(work, group, plan, show)
  if line then line:finish() end
  -- Ctrl-C may come here too.
  local stopped, why = pcall(group.stop, group)
  group:close()
  ffi.gc(guard, nil)
  -- An error of the caller's function passes as it is.
  if not called then error(result, 0) end
  if not stopped then error(why, 0) end
  return result, report
end

---What `vkd.workers` does.
---@param count integer?
---@param script string
---@param arguments (string|number)[]?
---@param options vkd.WorkersOptions?
---@return true? done
---@return vkd.WorkersReport|string report Or the message.
function workers.run(count, script, arguments, options)
  count = check.count(count or 0, "count", 0, MOST_WORKERS)
  check.path(script, "script")
  local texts = check_arguments(arguments)
  options = check.options(options, OPTIONS)
  local show, line = run.shown(options.progress)
  check_timeout(options.timeout)
  if options.lua then check.path(options.lua, "option lua") end
  local names = process.supported and environment(options.environment)
  if not names then
    return nil, "vkd.workers is not there for Windows; start the processes yourself, for each "
      .. ("number `start luajit %s NUMBER COUNT`"):format(script)
  end
  local why = unreadable(script)
  if why then
    return nil, "the workers' script cannot be read: " .. why
      .. " (its path goes from the current folder)"
  end
  if count == 0 then count = math.min(process.processors(), MOST_WORKERS) end
  local lua = options.lua or interpreter()
  -- What this program has written comes before what they write.
  if io.type(io.stdout) == "file" then io.stdout:flush() end
  return carry_out({ commands = commands(lua, script, count, texts), environment = names,
    lua = lua, script = script, count = count, timeout = options.timeout }, show, line)
end

return workers
