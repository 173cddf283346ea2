-- Diversity sequences as a kind of work (see vkd/calls.lua): their options, starting, planning.

local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local input = require("vkd.input")
local library = require("vkd.library")
local contexts = require("vkd.context")
local sequences = require("vkd.sequences")
local files = require("vkd.files")
local jobs = require("vkd.job")
local plans = require("vkd.plan")
local misuse, describe = check.misuse, check.describe
local c, failure, sized, hold = library.c, library.failure, library.sized, library.hold

local batch = { kind = "sequences" }

batch.OPTIONS = check.join(input.OPTIONS, { starts = "table cdata", num_starts = "number",
  length = "number", center = "boolean", output = "string", overwrite = "boolean" })
batch.arguments = input.arguments

function batch.plan_arguments(num_items, dim, options)
  return options, num_items, dim
end

---@class vkd.Starts
---@field items ffi.cdata*? 0-based; nil: every item once.
---@field count integer How many sequences.

-- 1-based items of a Lua table.
local function starts_from_table(list, num_items)
  local count = check.list(list, "starts")
  if count == 0 then misuse("option starts is empty; leave it out to start from every item") end
  local items = ffi.new("uint32_t[?]", count)
  for i = 1, count do
    if not check.is_integer(list[i], -check.MOST, check.MOST) then
      misuse("starts[%d] must be an item number, not %s", i, describe(list[i]))
    end
    -- Of no items at all the library has the words.
    if num_items > 0 and (list[i] < 1 or list[i] > num_items) then
      return nil, ("starts[%d] is %d; item numbers in a Lua table run from 1 to %d"):format(
        i, list[i], num_items), "VKD_ERROR_START_OUT_OF_RANGE"
    end
    items[i - 1] = list[i] - 1
  end
  return { items = items, count = count }
end

-- 0-based items of cdata, `count` of them where that is given.
local function starts_from_cdata(items, count)
  local c_name, shape = input.declared(items)
  if c_name ~= "unsigned int" or not shape then
    misuse("option starts must be a table or uint32_t cdata, not %s", describe(items))
  end
  if shape == "pointer" then
    if items == nil then misuse("option starts is a NULL pointer") end
    if not count then misuse("option num_starts is needed with starts given as a pointer") end
    return { items = items, count = count }
  end
  local held = ffi.sizeof(items) / 4
  if held == 0 then misuse("option starts is empty; leave it out to start from every item") end
  if count and count > held then
    misuse("option num_starts is %d, but starts holds %d", count, held)
  end
  return { items = items, count = count or held }
end

local function starts_of(options, num_items)
  local starts, count = options.starts, check.optional_count(options, "num_starts", 1)
  if type(starts) == "cdata" then return starts_from_cdata(starts, count) end
  if count then misuse("option num_starts goes with starts given as uint32_t cdata") end
  if starts == nil then return { items = nil, count = num_items } end
  return starts_from_table(starts, num_items)
end

-- The options as C reads them.
local function raw_options(options, starts)
  local raw = sized("vkd_batch_options")
  raw.flags = (options.center and ffi.C.VKD_CENTER or 0)
    + (options.overwrite and ffi.C.VKD_OVERWRITE or 0)
  raw.length = check.optional_count(options, "length", 1) or 0
  raw.output_path = hold(raw, check.output(options))
  if starts.items then raw.starts, raw.num_starts = hold(raw, starts.items), starts.count end
  return raw
end

local function fetch(handle, count, length, num_items)
  local data, message, refused = memory.allocate("uint32_t", count * length)
  if not data then return nil, message, refused end
  local status = c.vkd_job_sequences(handle, count * length, data)
  if status ~= 0 then return failure(status) end
  return sequences.in_memory(data, count, length, num_items)
end

---@param context vkd.Context?
---@param options table
---@param embeddings any
---@param num_items integer?
---@return vkd.Job? job
---@return string? message
---@return string? status
function batch.start(context, options, embeddings, num_items)
  local corpus, message, name = input.corpus(embeddings, num_items, options)
  if not corpus then return nil, message, name end
  local starts, why, refused = starts_of(options, corpus.num_items)
  if not starts then return nil, why, refused end
  local raw = raw_options(options, starts)
  raw.element_type = corpus.element_type
  local place
  place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_batch_start(place.handle, corpus.pointer, corpus.num_items, corpus.dim, raw,
    out)
  local count, output = starts.count, options.output
  local length = raw.length > 0 and raw.length or corpus.num_items
  num_items = corpus.num_items
  return jobs.new(batch.kind, place, status, out, function(handle)
    if output then return files.open(output) end
    return fetch(handle, count, length, num_items)
  end)
end

---@param context vkd.Context?
---@param options table
---@param num_items integer
---@param dim integer
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function batch.plan(context, options, num_items, dim)
  local starts, message, name = starts_of(options, num_items)
  if not starts then return nil, message, name end
  local raw = raw_options(options, starts)
  raw.element_type = input.element_type(options)
  local place
  place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  return plans.make(function(plan)
    return c.vkd_batch_plan(place.handle, num_items, dim, raw, plan)
  end)
end

return batch
