-- The similarities of all pairs as a kind of work (see vkd/calls.lua).

local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local input = require("vkd.input")
local library = require("vkd.library")
local contexts = require("vkd.context")
local jobs = require("vkd.job")
local plans = require("vkd.plan")
local c, failure, sized = library.c, library.failure, library.sized

local similarity = { kind = "similarity" }

similarity.OPTIONS = check.join(input.OPTIONS, { center = "boolean", upper = "boolean" })
similarity.arguments = input.arguments

function similarity.plan_arguments(num_items, dim, options)
  return options, num_items, dim
end

local function raw_options(options)
  local raw = sized("vkd_similarity_options")
  raw.flags = input.flags(options) + (options.upper and ffi.C.VKD_UPPER_TRIANGLE or 0)
  return raw
end

local function fetch(handle, count)
  local values, message, refused = memory.allocate("float", count)
  if not values then return nil, message, refused end
  local status = c.vkd_job_similarity(handle, count, values)
  if status ~= 0 then return failure(status) end
  return values
end

---@param context vkd.Context?
---@param options table
---@param embeddings any
---@param num_items integer?
---@return vkd.Job? job
---@return string? message
---@return string? status
function similarity.start(context, options, embeddings, num_items)
  local corpus, message, name = input.corpus(embeddings, num_items, options)
  if not corpus then return nil, message, name end
  local raw = raw_options(options)
  raw.element_type = corpus.element_type
  local place
  place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  local out, n = ffi.new("vkd_job *[1]"), corpus.num_items
  local status = c.vkd_similarity_start(place.handle, corpus.pointer, n, corpus.dim, raw, out)
  local count = options.upper and n * (n - 1) / 2 or n * n
  return jobs.new(similarity.kind, place, status, out, function(handle)
    return fetch(handle, count)
  end)
end

---@param context vkd.Context?
---@param options table
---@param num_items integer
---@param dim integer
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function similarity.plan(context, options, num_items, dim)
  local place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  local raw = raw_options(options)
  raw.element_type = input.element_type(options)
  return plans.make(function(plan)
    return c.vkd_similarity_plan(place.handle, num_items, dim, raw, plan)
  end)
end

return similarity
