-- The parts of a run that was split over several machines (option shard), as one file.

local ffi = require("ffi")
local check = require("vkd.check")
local files = require("vkd.files")
local jobs = require("vkd.job")
local library = require("vkd.library")
local run = require("vkd.run")
local misuse = check.misuse
local c, sized, hold = library.c, library.sized, library.hold

local merges = {}

---How parts are merged.
---@class vkd.MergeOptions
---@field overwrite? boolean Replace other results at the path, as a run does.
---@field progress? vkd.ShowProgress Not with wait = false.
---@field wait? boolean false: return a job at once instead of waiting for it.

local OPTIONS = check.join(run.OPTIONS, { overwrite = "boolean", wait = "boolean" })

-- The paths of the parts as C reads them.
local function pointers(raw, parts)
  if type(parts) ~= "table" then
    misuse("parts must be a list of paths, not %s", check.describe(parts))
  end
  local count = check.list(parts, "parts")
  if count == 0 then misuse("parts is empty; name the files of all parts of a run") end
  local paths = hold(raw, ffi.new("const char *[?]", count))
  for i = 1, count do paths[i - 1] = hold(raw, check.path(parts[i], ("parts[%d]"):format(i))) end
  return paths, count
end

---@param parts string[]
---@param path string
---@param options? vkd.MergeOptions
---@return vkd.Sequences|vkd.Job|nil merged
---@return vkd.Report|string|nil report Or the message; nil with a job.
---@return string? status
function merges.write(parts, path, options)
  options = check.options(options, OPTIONS)
  local raw = sized("vkd_merge_options")
  raw.path = hold(raw, check.path(path, "path"))
  raw.flags = options.overwrite and ffi.C.VKD_OVERWRITE or 0
  local paths, count = pointers(raw, parts)
  local function start()
    local out = ffi.new("vkd_job *[1]")
    local status = c.vkd_merge_write_start(paths, count, raw, out)
    return jobs.new("merge", { device = "none", on_lost = function() end }, status, out,
      function() return files.open(path) end)
  end
  return run.waited(options, start)
end

return merges
