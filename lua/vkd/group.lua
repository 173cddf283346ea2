-- The processes of one call of `vkd.workers`: started, watched until all have ended, stopped. Each
-- has a pipe as its standard error, and all share one for their progress; both are read while they
-- run, so that no worker waits for room in a pipe.
--
-- A process's end shows in its standard error, which is then closed. That may also be closed by the
-- process earlier, or by others that it has started later: so all are asked now and then.

-- See vkd/process.lua.
jit.off(true, true)

local process = require("vkd.process")
local worker = require("vkd.worker")

local PAUSE_MILLISECONDS = 50
local GRACE_SECONDS = 3
-- Of what a worker writes to standard error the end is kept.
local KEPT_BYTES = 4096
-- More than a pipe holds.
local MOST_READS = 64

---@class vkd.Worker
---@field index integer
---@field place ffi.cdata* Of `process.place`.
---@field errors? integer The end of its standard error that is read; nil when closed.
---@field text string What came out of it.
---@field cut boolean Whether that is only the end.
---@field fraction number
---@field begin number
---@field seconds? number
---@field ending? vkd.ProcessEnd nil while it runs.

---@class vkd.WorkerGroup
---@field workers vkd.Worker[]
---@field running integer How many have not ended.
---@field failed? vkd.Worker The first that has failed.
---@field begin number
local Group = {}
Group.__index = Group

local group = {}

-- Closes the descriptor that a field holds, if there is one.
local function close(holder, field)
  local descriptor = holder[field]
  holder[field] = nil
  if descriptor then process.close(descriptor) end
end

-- Whether a worker was started and is not known to have ended.
local function runs(one) return not one.ending and one.place[0] > 0 end

local function environment_of(names, index)
  names[worker.VARIABLE] = ("%d %d %d"):format(index, process.PROGRESS, process.id())
  local list = {}
  for name, value in pairs(names) do list[#list + 1] = name .. "=" .. value end
  return list
end

function Group:_start_one(index, command, names)
  local read, write = process.pipe()
  if not read then return nil, write end
  local one = { index = index, place = process.place(), errors = read, text = "", cut = false,
    fraction = 0, begin = process.now() }
  self.workers[index] = one
  local started, why = process.spawn(one.place, command, environment_of(names, index),
    { [2] = write, [process.PROGRESS] = self._tell })
  process.close(write)
  if not started then
    self.workers[index] = nil
    close(one, "errors")
    return nil, why
  end
  self.running = self.running + 1
  return true
end

---Starts all workers.
---@param commands string[][] Program and arguments of each.
---@param names table<string, string> The environment.
---@return true? started
---@return string? message
---@return integer? index Of the worker that could not be started.
function Group:start(commands, names)
  local read, write = process.pipe()
  if not read then return nil, write, 1 end
  self._progress, self._tell = read, write
  for index, command in ipairs(commands) do
    local started, why = self:_start_one(index, command, names)
    if not started then return nil, why, index end
  end
  close(self, "_tell")
  return true
end

-- The end of a text, from the beginning of a line or at least of a character.
local function shortened(text)
  text = text:sub(-KEPT_BYTES)
  return text:match("^[^\n]*\n(.+)$") or text:match("^[\128-\191]*(.*)$")
end

function Group:_read_errors(one)
  local text = process.read(one.errors)
  if not text then
    close(one, "errors")
    self._pause = 1
    return
  end
  one.text = one.text .. text
  if #one.text > 2 * KEPT_BYTES then one.text, one.cut = one.text:sub(-KEPT_BYTES), true end
end

function Group:_read_progress()
  local text = process.read(self._progress)
  if not text then return close(self, "_progress") end
  text = self._line .. text
  for index, fraction in text:gmatch("(%d+) ([%d.]+)\n") do
    local one = self.workers[tonumber(index)]
    if one then one.fraction = tonumber(fraction) or one.fraction end
  end
  self._line = text:match("[^\n]*$")
end

-- Reads what there is; whether there was anything.
function Group:_read(milliseconds)
  local descriptors, of = {}, {}
  for _, one in ipairs(self.workers) do
    if one.errors then
      descriptors[#descriptors + 1] = one.errors
      of[one.errors] = one
    end
  end
  descriptors[#descriptors + 1] = self._progress
  local ready = process.wait(descriptors, milliseconds)
  for _, descriptor in ipairs(ready) do
    if of[descriptor] then self:_read_errors(of[descriptor]) else self:_read_progress() end
  end
  return #ready > 0
end

-- What a process wrote lies in the pipe, which others may hold open, and write to.
function Group:_read_rest(one)
  local reads = 0
  while one.errors and reads < MOST_READS and #process.wait({ one.errors }, 0) > 0 do
    self:_read_errors(one)
    reads = reads + 1
  end
  close(one, "errors")
end

function Group:_ended(one, ending)
  self:_read_rest(one)
  one.ending, one.seconds = ending, process.now() - one.begin
  self.running = self.running - 1
  if ending.code == 0 then one.fraction = 1 else self.failed = self.failed or one end
  if #one.text > KEPT_BYTES then one.cut = true end
  if one.cut then one.text = "... " .. shortened(one.text) end
  one.text = one.text:gsub("%s+$", "")
end

-- Asks which workers have ended.
function Group:_ask()
  for _, one in ipairs(self.workers) do
    local ending = runs(one) and process.reap(one.place[0], false)
    if ending then self:_ended(one, ending) end
  end
  self._asked = process.now()
end

-- Sends a signal to those that run. The number of one that has ended may be another process's.
function Group:_signal(signal)
  self:_ask()
  for _, one in ipairs(self.workers) do
    if runs(one) then process.kill(one.place[0], signal) end
  end
end

-- Waits a moment for news. After the end of a standard error the process ends soon, so the moments
-- are short first.
function Group:_step()
  local anything = self:_read(self._pause)
  local late = process.now() - self._asked > PAUSE_MILLISECONDS / 1000
  if anything and self._pause > 1 and not late then return end
  self._pause = math.min(2 * self._pause, PAUSE_MILLISECONDS)
  self:_ask()
end

---Waits until all workers have ended or one has failed.
---@param look fun(): any Called again and again; a true value ends the wait.
---@return any looked
function Group:watch(look)
  while self.running > 0 and not self.failed do
    self:_step()
    local looked = look()
    if looked then return looked end
  end
end

---Asks the workers that run to end, and waits some seconds for it.
function Group:stop()
  self:_signal(process.TERMINATE)
  local begin = process.now()
  self._pause = 1
  while self.running > 0 and process.now() - begin < GRACE_SECONDS do self:_step() end
end

---Ends the workers that run, at once, and closes everything. Does nothing the second time.
function Group:close()
  self:_signal(process.KILL)
  for _, one in ipairs(self.workers) do
    if runs(one) then self:_ended(one, process.reap(one.place[0], true)) end
    close(one, "errors")
  end
  close(self, "_progress")
  close(self, "_tell")
end

---A group without workers.
---@return vkd.WorkerGroup
function group.new()
  return setmetatable({ workers = {}, running = 0, begin = process.now(), _line = "", _pause = 1,
    _asked = 0 }, Group)
end

return group
