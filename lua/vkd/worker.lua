-- What a worker of `vkd.workers` itself calls. How far it is goes through a pipe to whoever started
-- it, as lines of its number and a fraction; an environment variable has the pipe's number.

local check = require("vkd.check")
local process = require("vkd.process")

local worker = {}

---The environment variable: number of the worker, descriptor, number of the process behind it.
worker.VARIABLE = "VKD_WORKER"

-- What a worker itself starts inherits the variable too, but is another process's child, and may
-- use the descriptor for other things.
local function place()
  local text = process.supported and os.getenv(worker.VARIABLE) or ""
  local index, descriptor, parent = text:match("^(%d+) (%d+) (%d+)$")
  if index and tonumber(parent) == process.parent() then return index, tonumber(descriptor) end
end

local index, descriptor = place()
local last

---How far this worker is, for the progress of `vkd.workers`. Harmless in other programs.
---@param fraction number 0 to 1.
---@return boolean told Whether this is a worker.
function worker.report_progress(fraction)
  if not (type(fraction) == "number" and fraction >= 0 and fraction <= 1) then
    check.misuse("fraction must be a number from 0 to 1, not %s", check.describe(fraction))
  end
  if not index then return false end
  local line = ("%s %.3f\n"):format(index, fraction)
  if line ~= last then
    -- Where SIGPIPE is not ignored, it has ended this process.
    if not process.write(descriptor, line) then
      error("vkd: the program that started this worker has ended", 0)
    end
    last = line
  end
  return true
end

return worker
