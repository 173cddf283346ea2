-- Running a job to its end, with a progress line or a function that is told how far it is.

local support = require("vkd_support")
support.own_file()
local progress_line = require("vkd_progress")
local misuse = support.misuse

local run = {}

-- Often enough for a smooth line, seldom enough to cost nothing.
local POLL_SECONDS = 0.1

local function wait_showing(job, show)
  local finished, message, status
  repeat
    finished, message, status = job:wait(POLL_SECONDS)
    local progress, why, name = job:poll()
    if not progress then return nil, why, name end
    if finished or status == "VKD_PENDING" then show(progress) end
  until finished or status ~= "VKD_PENDING"
  return finished, message, status
end

---Starts a job, waits for it and fetches its result.
---@param show true|function|table|nil The option progress.
---@param start fun(): vkd.Job?, string?, string?
---@return any result
---@return vkd.Report|string report Or the message.
---@return string? status
function run.job(show, start)
  local line
  show = show or nil
  if show == true then
    line = progress_line.line()
    show = line.visible and line or nil
  elseif type(show) == "table" and not (getmetatable(show) or {}).__call then
    misuse("option progress must be true, a function or what vkd.progress_line returns")
  end
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

return run
