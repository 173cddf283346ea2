-- Starts a job, shows how far it is, and waits for it.

local check = require("vkd.check")
local progress = require("vkd.progress")

local run = {}

---What it takes.
run.OPTIONS = { progress = "boolean function table" }

-- Often enough for a smooth line, seldom enough to cost nothing.
run.POLL_SECONDS = 0.1

local function wait_showing(job, show)
  local finished, message, status
  repeat
    finished, message, status = job:wait(run.POLL_SECONDS)
    local state, why, name = job:poll()
    if not state then return nil, why, name end
    if finished or status == "VKD_PENDING" then show(state) end
  until finished or status ~= "VKD_PENDING"
  return finished, message, status
end

---What shows the progress, and the line that is to be ended, if one is drawn.
---@param option vkd.ShowProgress?
---@return (fun(progress: vkd.Progress)|vkd.ProgressLine)? show
---@return vkd.ProgressLine? line
function run.shown(option)
  if option == true then
    local line = progress.line()
    return line.visible and line or nil, line
  end
  if type(option) == "table" and not (getmetatable(option) or {}).__call then
    check.misuse("option progress must be true, a function or what vkd.progress_line returns")
  end
  return option or nil
end

---Checks the option where no job is started.
---@param option any
function run.check(option) run.shown(option) end

---Starts a job, waits for it, fetches its result and frees it.
---@param option vkd.ShowProgress?
---@param start fun(): vkd.Job?, string?, string?
---@return any result
---@return vkd.Report|string report Or the message.
---@return string? status
function run.job(option, start)
  local show, line = run.shown(option)
  local job, why, name = start()
  if not job then return nil, why, name end
  local called, finished, message, status
  if show then
    called, finished, message, status = pcall(wait_showing, job, show)
    if line then line:finish() end
    if not called then
      -- The caller's function failed: stop the work, then let its error pass as it is.
      job:free()
      error(finished, 0)
    end
  else
    finished, message, status = job:wait()
  end
  local result, report
  if finished then result, report, status = job:result() end
  -- Freed now rather than at some collection: the job holds a copy of the result.
  job:free()
  if not finished then return nil, message, status end
  return result, report, status
end

---What a call of files gives: the result of the job that `start` starts, or with wait = false the
---job.
---@param options { wait?: boolean, progress?: vkd.ShowProgress }
---@param start fun(): vkd.Job?, string?, string?
---@return any result
---@return any report
---@return string? status
function run.waited(options, start)
  if options.wait ~= false then return run.job(options.progress, start) end
  if options.progress then
    check.misuse("option progress goes with waiting: poll the job instead")
  end
  return start()
end

return run
