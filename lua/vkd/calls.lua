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
local run = require("vkd.run")

local Context = contexts.Context

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
    run.check(options.progress)
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
  local all = check.join(kind.OPTIONS, run.OPTIONS)
  calls[compute] = both(compute, kind.arguments, all,
    function(context, options, a, b, c)
      return run.job(options.progress, function() return kind.start(context, options, a, b, c) end)
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
