-- From one definition of a kind of work come the functions of `vkd` and the methods of a context
-- that compute it, start it as a job and plan it.
--
-- A kind has OPTIONS (for vkd.check), `arguments` and `plan_arguments`, which put the options of a
-- call first, `start(context, options, ...)`, which gives a job, and `plan(context, options, ...)`.
-- A plan takes every option of its run, so that one table serves both; PLAN_OPTIONS are what it
-- takes besides.

local check = require("vkd.check")
local input = require("vkd.input")
local library = require("vkd.library")
local contexts = require("vkd.context")
local progress = require("vkd.progress")

local Context = contexts.Context

-- Often enough for a smooth line, seldom enough to cost nothing.
local POLL_SECONDS = 0.1

local function wait_showing(job, show)
  local finished, message, status
  repeat
    finished, message, status = job:wait(POLL_SECONDS)
    local state, why, name = job:poll()
    if not state then return nil, why, name end
    if finished or status == "VKD_PENDING" then show(state) end
  until finished or status ~= "VKD_PENDING"
  return finished, message, status
end

-- What shows the progress, and the line that is to be ended, if one is drawn.
local function shown(option)
  if option == true then
    local line = progress.line()
    return line.visible and line or nil, line
  end
  if type(option) == "table" and not (getmetatable(option) or {}).__call then
    check.misuse("option progress must be true, a function or what vkd.progress_line returns")
  end
  return option or nil
end

-- Starts a job, waits for it and fetches its result.
local function run(option, start)
  local show, line = shown(option)
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

local SHOW = { progress = "boolean function table" }

-- A function that checks its options and goes on, and the same as a method: a context has a device.
local function both(name, arguments, known, go)
  local of_module = check.join(known, contexts.OPTIONS)
  local function checked(context, options, ...)
    return go(context, check.options(options, context and known or of_module), ...)
  end
  Context[name] = function(self, ...)
    library.live(self, Context, "context", name)
    return checked(self, arguments(...))
  end
  return function(...) return checked(nil, arguments(...)) end
end

-- The options of a run may say the shape again: then they must say the same.
local function plan_of(kind)
  return function(context, options, num_items, dim, ...)
    shown(options.progress)
    input.check_shape(num_items, dim, options)
    return kind.plan(context, options, num_items, dim, ...)
  end
end

---The functions of `vkd` by name.
---@type table<string, function>
local calls = {}

---@param kind table
---@param compute string Names of the functions, and of the methods.
---@param start string
---@param plan string
local function define(kind, compute, start, plan)
  local all = check.join(kind.OPTIONS, SHOW)
  calls[compute] = both(compute, kind.arguments, all,
    function(context, options, a, b, c)
      return run(options.progress, function() return kind.start(context, options, a, b, c) end)
    end)
  calls[start] = both(start, kind.arguments, kind.OPTIONS, kind.start)
  calls[plan] = both(plan, kind.plan_arguments, check.join(all, kind.PLAN_OPTIONS or {}),
    plan_of(kind))
end

define(require("vkd.batch"), "batch_compute", "start", "plan")
define(require("vkd.search"), "neighbors", "start_neighbors", "plan_neighbors")
define(require("vkd.similarity"), "similarity", "start_similarity", "plan_similarity")
define(require("vkd.site"), "site", "start_site", "plan_site")

return calls
