-- The times that the page about the build shows. They are kept beside the results, so that a build
-- that computes nothing leaves that page as it is.

local files = require("files")
local vkd = require("vkd")

local times = {}

---@class site.Times
---@field steps { name: string, seconds: number }[]
---@field device string
---@field version string
---@field dim integer
---@field workers integer

local HEAD = "device %s\nversion %s\ndim %d\nworkers %d\n"

local function path_of(config) return config.results .. "/times.txt" end

local function text_of(taken)
  local lines = { HEAD:format(taken.device, taken.version, taken.dim, taken.workers) }
  for _, step in ipairs(taken.steps) do
    lines[#lines + 1] = ("step %.2f %s\n"):format(step.seconds, step.name)
  end
  return table.concat(lines)
end

local function read(config)
  local text = files.read(path_of(config))
  if not text then return nil end
  local taken = {
    device = text:match("device ([^\n]+)"), version = text:match("version ([^\n]+)"),
    dim = tonumber(text:match("dim (%d+)")), workers = tonumber(text:match("workers (%d+)")),
    steps = {},
  }
  for seconds, name in text:gmatch("\nstep ([%d%.]+) ([^\n]+)") do
    taken.steps[#taken.steps + 1] = { name = name, seconds = tonumber(seconds) }
  end
  return taken.device and taken.version and taken.dim and taken.workers and taken or nil
end

-- What a step took, in the build that computed it.
local function step_of(name, seconds, computed, kept)
  for _, step in ipairs(not computed and kept and kept.steps or {}) do
    if step.name == name then return step end
  end
  return { name = name, seconds = seconds }
end

local function of_this_build(computed, build, kept)
  local steps = { { name = "reading the texts", seconds = build.read } }
  for _, list in ipairs(computed.lists) do
    steps[#steps + 1] = step_of("list: " .. list.name, list.seconds, list.computed, kept)
  end
  steps[#steps + 1] = step_of("map", computed.map_seconds, computed.drawn, kept)
  steps[#steps + 1] = { name = "writing the pages", seconds = build.write }
  return { steps = steps, device = computed.lists[1].device, version = vkd.version,
    dim = computed.dim, workers = build.workers }
end

---The times of this build, or of the one that computed the results that it found.
---@param config table
---@param computed table What there is, with `lists`, `map_seconds`, `drawn` and `dim`.
---@param anything boolean Whether anything was.
---@param build { read: number, write: number, workers: integer }
---@return site.Times
function times.of(config, computed, anything, build)
  local kept = read(config)
  if kept and not anything then return kept end
  files.write(path_of(config), text_of(of_this_build(computed, build, kept)))
  return assert(read(config), "times.txt cannot be read back")
end

return times
