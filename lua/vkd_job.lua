-- Jobs: computations that run while Lua does something else.

local ffi = require("ffi")
local support = require("vkd_support")
support.own_file()
local library = require("vkd_library")
local new_sequences = require("vkd_sequences")
local results = require("vkd_results")
local misuse, describe = support.misuse, support.describe
local c, sized, failure, live = library.c, library.sized, library.failure, library.live

---How far a job is.
---@class vkd.Progress
---@field state "running"|"done"|"failed"
---@field fraction number Share of the picks (of a site: the files) that are done, 0 to 1.
---@field rows_done number
---@field steps_done number
---@field steps_total number
---@field bytes_read number
---@field files_done number Of a site.
---@field files_total number Of a site; 0 for other jobs.
---@field bytes_written number Of a site's files.
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
---@field steps_seconds number The picks.
---@field download_seconds number Bringing the picks back.
---@field picks number
---@field bytes_read number Bytes of the contribution matrix read by the picks.
---@field files number Of a site.
---@field bytes_written number Of a site's files.

local STATES = { [0] = "running", "done", "failed" }
local PHASES = { "prepare_seconds", "upload_seconds", "matrix_seconds", "steps_seconds",
  "download_seconds" }

local function progress_table(raw)
  local done, total = tonumber(raw.steps_done), tonumber(raw.steps_total)
  local state = STATES[raw.state]
  local files, all_files = tonumber(raw.files_done), tonumber(raw.files_total)
  local fraction = state == "done" and 1 or 0
  if all_files > 0 then fraction = files / all_files elseif total > 0 then fraction = done / total end
  local known = raw.seconds_left >= 0
  local progress = {
    state = state,
    fraction = fraction,
    rows_done = tonumber(raw.rows_done),
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

---A running or finished computation, from `vkd.start`, `vkd.start_neighbors` or `vkd.start_site`.
---@class vkd.Job
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
  return progress_table(raw)
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

---Asks the job to stop and returns at once; `wait` then tells when it has ended ("VKD_ERROR_CANCELLED").
function Job:cancel()
  c.vkd_job_cancel(live(self, Job, "job", "cancel"))
end

---The result of a finished job: sequences, neighbours, with option output the opened file, for a site true.
---@return vkd.Sequences|vkd.Results|vkd.Neighbors|true|nil result
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
    picks = progress.steps_done, bytes_read = progress.bytes_read,
    files = progress.files_done, bytes_written = progress.bytes_written }
  for _, phase in ipairs(PHASES) do report[phase] = progress[phase] end
  return result, report
end

---Frees the job; one at work is cancelled first. Results stay. Using the job afterwards is an error.
function Job:free()
  library.release(self, Job, "job", c.vkd_job_free)
end

local job = {}

---The options as C reads them. They hold pointers into `request`, and the path that it gets.
---@param request vkd.Request
---@param options { center?: boolean, output?: string, overwrite?: boolean }
---@return ffi.cdata* options
function job.raw_options(request, options)
  if options.overwrite and not options.output then misuse("option overwrite goes with option output") end
  local raw = sized("vkd_batch_options")
  raw.flags = (options.center and ffi.C.VKD_CENTER or 0)
    + (options.overwrite and ffi.C.VKD_OVERWRITE or 0)
  raw.element_type, raw.length = request.element_type, request.length
  raw.starts, raw.num_starts = request.starts, request.num_starts
  if options.output then
    request.path = results.path(options.output, "option output")
    raw.output_path = request.path
  end
  return raw
end

---The job that C has started, or why it has not.
---@param place table { device, on_lost }: its device's name, for the report; what to call when the device was lost.
---@param status integer
---@param out ffi.cdata* `vkd_job *[1]`
---@param fetch fun(handle: ffi.cdata*): any, string?, string? Gets the result of the finished job.
---@return vkd.Job? job
---@return string? message
---@return string? status
function job.new(place, status, out, fetch)
  if status ~= 0 then
    if status == ffi.C.VKD_ERROR_DEVICE_LOST then place.on_lost() end
    return failure(status)
  end
  return setmetatable({ _handle = ffi.gc(out[0], c.vkd_job_free), _device = place.device,
    _on_lost = place.on_lost, _fetch = fetch }, Job)
end

---Starts a job of sequences.
---@param place table { handle, device, on_lost }
---@param request vkd.Request
---@param options { center?: boolean, output?: string, overwrite?: boolean }
---@return vkd.Job? job
---@return string? message
---@return string? status
function job.start(place, request, options)
  -- `request` holds everything that C reads until the call is over.
  local raw = job.raw_options(request, options)
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_batch_start(
    place.handle, request.pointer, request.num_items, request.dim, raw, out)
  local count = request.num_starts > 0 and request.num_starts or request.num_items
  local length = request.length > 0 and request.length or request.num_items
  local num_items, output = request.num_items, options.output
  return job.new(place, status, out, function(handle)
    if output then return results.open(output) end
    local sequences, message, refused = support.allocate("uint32_t", count * length)
    if not sequences then return nil, message, refused end
    local fetched = c.vkd_job_sequences(handle, count * length, sequences)
    if fetched ~= 0 then return failure(fetched) end
    return new_sequences(sequences, count, length, { num_items = num_items })
  end)
end

return job
