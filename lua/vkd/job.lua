-- Jobs: computations that run while Lua does something else.

local ffi = require("ffi")
local check = require("vkd.check")
local library = require("vkd.library")
local misuse, describe = check.misuse, check.describe
local c, sized, failure, live = library.c, library.sized, library.failure, library.live

---What a job computes.
---@alias vkd.JobKind "sequences"|"neighbors"|"similarity"|"site"|"export"|"merge"

---How far a job is, or the workers of `vkd.workers`, whose rows are workers.
---@class vkd.Progress
---@field kind vkd.JobKind|"workers"
---@field state "running"|"done"|"failed"
---@field fraction number Share of the steps (of files: rows written), 0 to 1.
---@field rows_done number Rows of the result that are finished.
---@field rows_total number
---@field rows_written number Of a site, an export or a merge: rows that are written.
---Picks of sequences; dot products of neighbours and similarities; of workers their fractions' sum.
---@field steps_done number
---@field steps_total number
---@field fractions? number[] Of each worker.
---@field bytes_read number
---@field files_done number Of a site, an export or a merge.
---@field files_total number The same; 0 for other jobs.
---@field bytes_written number Of the files that are finished.
---@field seconds number Since the start, or of the whole job.
---@field seconds_left? number nil while unknown.
---@field prepare_seconds number
---@field upload_seconds number
---@field matrix_seconds number
---@field steps_seconds number
---@field download_seconds number

---What a run took.
---@class vkd.Report
---@field device string
---@field seconds number The whole run, of which the phases below are parts.
---@field prepare_seconds number Checking and preparing the embeddings on the host.
---@field upload_seconds number Moving them to the device and building its kernels.
---@field matrix_seconds number The contribution matrix.
---@field steps_seconds number The steps.
---@field download_seconds number Bringing the result back.
---@field rows number Rows of the result.
---@field steps number Picks of sequences; dot products of neighbours and similarities.
---@field bytes_read number Bytes of the contribution matrix read by the picks.
---@field files number Of a site, an export or a merge.
---@field bytes_written number Of these files.

local STATES = { [0] = "running", "done", "failed" }
local PHASES = { "prepare_seconds", "upload_seconds", "matrix_seconds", "steps_seconds",
  "download_seconds" }

-- Jobs that write files only: how far they are their rows tell.
local FILES = { site = true, export = true, merge = true }

local function progress_table(raw, kind)
  local done, total = tonumber(raw.steps_done), tonumber(raw.steps_total)
  local state = STATES[raw.state]
  local files, all_files = tonumber(raw.files_done), tonumber(raw.files_total)
  local rows, written = tonumber(raw.rows_total), tonumber(raw.rows_written)
  local fraction = state == "done" and 1 or 0
  if FILES[kind] then
    if rows > 0 then fraction = written / rows end
  elseif total > 0 then
    fraction = done / total
  end
  local known = raw.seconds_left >= 0
  local progress = {
    kind = kind,
    state = state,
    fraction = fraction,
    rows_done = tonumber(raw.rows_done),
    rows_total = rows,
    rows_written = written,
    steps_done = done,
    steps_total = total,
    bytes_read = tonumber(raw.bytes_read),
    files_done = files,
    files_total = all_files,
    bytes_written = tonumber(raw.bytes_written),
    seconds = raw.seconds,
    seconds_left = known and raw.seconds_left or nil,
  }
  for _, phase in ipairs(PHASES) do progress[phase] = raw[phase] end
  return progress
end

---A running or finished computation, from `vkd.start`, `vkd.start_neighbors`,
---`vkd.start_similarity`, `vkd.start_site`, `results:export` or `vkd.merge`.
---@class vkd.Job
---@field kind vkd.JobKind
local Job = {}
Job.__index = Job

---How far the job is. Never blocks.
---@return vkd.Progress? progress
---@return string? message
---@return string? status
function Job:poll()
  local raw = sized("vkd_job_progress")
  local status = c.vkd_job_poll(live(self, Job, "job", "poll"), raw)
  if status ~= 0 then return failure(status) end
  return progress_table(raw, self.kind)
end

---Waits until the job has ended.
---@param seconds? number At most so long; default: as long as it takes.
---@return true? finished nil while it is at work, or when it has failed.
---@return string? message "pending", or why it failed.
---@return string? status
function Job:wait(seconds)
  local handle = live(self, Job, "job", "wait")
  if seconds ~= nil and not (type(seconds) == "number" and seconds >= 0) then
    misuse("seconds must be a number of at least 0, not %s", describe(seconds))
  end
  -- Beyond some centuries a timeout is for ever.
  local endless = seconds == nil or seconds > 1e10
  local status = c.vkd_job_wait(handle, endless and -1 or math.ceil(seconds * 1000))
  if status == 0 then return true end
  if status == ffi.C.VKD_PENDING then return nil, "pending", "VKD_PENDING" end
  if status == ffi.C.VKD_ERROR_DEVICE_LOST then self._on_lost() end
  return failure(status)
end

---Asks the job to stop and returns at once; `wait` then tells when it has ended
---("VKD_ERROR_CANCELLED").
function Job:cancel()
  c.vkd_job_cancel(live(self, Job, "job", "cancel"))
end

---The result of a finished job: sequences or neighbours (with option output, and for a merge, the
---opened file), a `float *` of similarities, for a site or an export true.
---@return vkd.Sequences|vkd.Neighbors|ffi.cdata*|true|nil result
---@return vkd.Report|string report Or the message.
---@return string? status
function Job:result()
  local handle = live(self, Job, "job", "result")
  -- Asked first, so that no memory is taken for a job that has no result.
  local status = c.vkd_job_wait(handle, 0)
  if status == ffi.C.VKD_PENDING then
    return nil, "the job has not finished; wait for it first", "VKD_ERROR_NOT_FINISHED"
  end
  if status ~= 0 then return failure(status) end
  local result, message, refused = self._fetch(handle)
  if not result then return nil, message, refused end
  local progress, why, name = self:poll()
  if not progress then return nil, why, name end
  local report = { device = self._device, seconds = progress.seconds,
    rows = progress.rows_done, steps = progress.steps_done, bytes_read = progress.bytes_read,
    files = progress.files_done, bytes_written = progress.bytes_written }
  for _, phase in ipairs(PHASES) do report[phase] = progress[phase] end
  return result, report
end

---Frees the job; one at work is cancelled first. Results stay. Using the job afterwards is an
---error.
function Job:free()
  library.release(self, Job, "job", c.vkd_job_free)
end

local job = {}

---The job that C has started, or why it has not.
---@param kind vkd.JobKind
---@param place vkd.Place
---@param status integer
---@param out ffi.cdata* `vkd_job *[1]`
---Gets the result of the finished job.
---@param fetch fun(handle: ffi.cdata*): any, string?, string?
---@return vkd.Job? job
---@return string? message
---@return string? status
function job.new(kind, place, status, out, fetch)
  if status ~= 0 then
    if status == ffi.C.VKD_ERROR_DEVICE_LOST then place.on_lost() end
    return failure(status)
  end
  return setmetatable({ kind = kind, _handle = ffi.gc(out[0], c.vkd_job_free),
    _device = place.device, _on_lost = place.on_lost, _fetch = fetch }, Job)
end

return job
