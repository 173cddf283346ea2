-- Diversity sequences as a kind of work (see vkd/calls.lua): their options, starting, planning.

local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local input = require("vkd.input")
local ids = require("vkd.ids")
local shards = require("vkd.shard")
local library = require("vkd.library")
local units = require("vkd.units")
local contexts = require("vkd.context")
local sequences = require("vkd.sequences")
local files = require("vkd.files")
local jobs = require("vkd.job")
local plans = require("vkd.plan")
local misuse, describe = check.misuse, check.describe
local c, failure, sized, hold = library.c, library.failure, library.sized, library.hold

local batch = { kind = "sequences" }

batch.OPTIONS = check.join(input.OPTIONS, { starts = "table cdata", num_starts = "number",
  heads = "table", length = "number", rule = "string", lambda = "number", values = "boolean",
  center = "boolean", output = "string", overwrite = "boolean", ids = ids.TYPES,
  shard = shards.TYPES })
batch.arguments = input.arguments

function batch.plan_arguments(num_items, dim, options)
  return options, num_items, dim
end

---What every sequence begins with.
---@class vkd.Starts
---@field items ffi.cdata*? 0-based; nil: every item once.
---@field count integer How many sequences.
---@field head_length integer? Items of each; nil: one, a start.

-- Writes the 1-based items of a Lua list to cdata; nil and why where one is none.
local function copy_items(list, count, name, num_items, to)
  for i = 1, count do
    if not check.is_integer(list[i], -check.MOST, check.MOST) then
      misuse("%s[%d] must be an item number, not %s", name, i, describe(list[i]))
    end
    -- Of no items at all the library has the words.
    if num_items > 0 and (list[i] < 1 or list[i] > num_items) then
      return nil, ("%s[%d] is %d; item numbers in a Lua table run from 1 to %d"):format(
        name, i, list[i], num_items)
    end
    to[i - 1] = list[i] - 1
  end
  return true
end

-- 1-based items of a Lua table.
local function starts_from_table(list, num_items)
  local count = check.list(list, "starts")
  if count == 0 then misuse("option starts is empty; leave it out to start from every item") end
  local items = ffi.new("uint32_t[?]", count)
  local copied, message = copy_items(list, count, "starts", num_items, items)
  if not copied then return nil, message, "VKD_ERROR_START_OUT_OF_RANGE" end
  return { items = items, count = count }
end

-- Items of a head, which must be as many as in the first.
local function head_length_of(heads, i, first)
  local head = heads[i]
  if type(head) ~= "table" then
    misuse("heads[%d] must be a list of item numbers, not %s", i, describe(head))
  end
  local length = check.list(head, ("heads[%d]"):format(i))
  if length == 0 then misuse("heads[%d] is empty; a head has at least one item", i) end
  if first and length ~= first then
    misuse("heads[%d] has %s, but heads[1] has %d: all heads are equally long", i,
      units.many(length, "item"), first)
  end
  return length
end

-- Why an item stands twice in a head, if one does.
local function repeated(head, i)
  local places = {}
  for place, item in ipairs(head) do
    if places[item] then
      return ("heads[%d][%d] is %d, as heads[%d][%d] is: give each item once"):format(i, place,
        item, i, places[item])
    end
    places[item] = place
  end
end

-- 1-based items of a list of lists.
local function starts_from_heads(heads, num_items)
  local count = check.list(heads, "heads")
  if count == 0 then misuse("option heads is empty; leave it out to start from every item") end
  local length = head_length_of(heads, 1)
  for i = 2, count do head_length_of(heads, i, length) end
  local items = ffi.new("uint32_t[?]", count * length)
  for i = 1, count do
    local copied, message = copy_items(heads[i], length, ("heads[%d]"):format(i), num_items,
      items + (i - 1) * length)
    message = message or repeated(heads[i], i)
    if not copied or message then return nil, message, "VKD_ERROR_BAD_HEADS" end
  end
  return { items = items, count = count, head_length = length }
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
  if options.heads then
    if starts ~= nil or count then misuse("options heads and starts exclude each other") end
    return starts_from_heads(options.heads, num_items)
  end
  if type(starts) == "cdata" then return starts_from_cdata(starts, count) end
  if count then misuse("option num_starts goes with starts given as uint32_t cdata") end
  if starts == nil then return { items = nil, count = num_items } end
  return starts_from_table(starts, num_items)
end

-- Writes the rule and its lambda to the options for C.
local function set_rule(raw, options)
  local name, lambda = options.rule or "centroid", options.lambda
  local number = sequences.RULES[name]
  if not number then
    misuse("option rule must be \"centroid\", \"farthest\", \"mmr\" or \"chain\", not %s",
      describe(name))
  end
  raw.rule = number
  if lambda == nil then return end
  if name ~= "mmr" then misuse("option lambda goes with rule = \"mmr\", not %s", describe(name)) end
  -- Not a number is in no range.
  if not (lambda >= 0 and lambda <= 1) then
    misuse("option lambda must be a number from 0 to 1, not %s", describe(lambda))
  end
  raw.lambda, raw.flags = lambda, raw.flags + ffi.C.VKD_LAMBDA
end

-- The options as C reads them.
local function raw_options(options, starts)
  local raw = sized("vkd_batch_options")
  raw.flags = input.flags(options) + (options.overwrite and ffi.C.VKD_OVERWRITE or 0)
    + (options.values and ffi.C.VKD_VALUES or 0)
  set_rule(raw, options)
  raw.length = check.optional_count(options, "length", 1) or 0
  raw.output_path = hold(raw, check.output(options))
  if starts.head_length then
    raw.heads, raw.num_heads = hold(raw, starts.items), starts.count
    raw.head_length = starts.head_length
  elseif starts.items then
    raw.starts, raw.num_starts = hold(raw, starts.items), starts.count
  end
  local shard = shards.of(options)
  if shard then raw.shard_index, raw.shard_count = shard.index, shard.count end
  return raw, shard
end

-- An array of what a C function copies from the job.
local function fetch(handle, element, size, copy)
  local data, message, refused = memory.allocate(element, size)
  if not data then return nil, message, refused end
  local status = copy(handle, size, data)
  if status ~= 0 then return failure(status) end
  return data
end

-- Completes `results`, which has all but what the job computed.
local function fetch_sequences(handle, results, with_values)
  local size = results.count * results.length
  local data, message, name = fetch(handle, "uint32_t", size, c.vkd_job_sequences)
  if not data then return nil, message, name end
  results.data = data
  if with_values then
    results._values, message, name = fetch(handle, "float", size, c.vkd_job_values)
    if not results._values then return nil, message, name end
  end
  return sequences.in_memory(results)
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
  local raw, shard = raw_options(options, starts)
  raw.element_type = corpus.element_type
  local output, with_values = options.output, options.values
  local kept, place
  kept, message, name = ids.place(raw, options, embeddings, corpus.num_items)
  if not kept then return nil, message, name end
  place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  local out = ffi.new("vkd_job *[1]")
  local status = c.vkd_batch_start(place.handle, corpus.pointer, corpus.num_items, corpus.dim, raw,
    out)
  local results = { count = shards.share(shard, starts.count), whole_count = starts.count,
    shard = shards.text(raw.shard_index, raw.shard_count), head_length = starts.head_length or 1,
    length = raw.length > 0 and raw.length or corpus.num_items, num_items = corpus.num_items,
    rule = options.rule or "centroid", lambda = options.rule == "mmr" and (options.lambda or 0.5)
      or nil, _ids = kept._ids, _item_of = kept._item_of }
  return jobs.new(batch.kind, place, status, out, function(handle)
    if output then return files.open(output) end
    local copy = {}
    for key, value in pairs(results) do copy[key] = value end
    return fetch_sequences(handle, copy, with_values)
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
  local kept, place
  kept, message, name = ids.place(raw, options, nil, num_items)
  if not kept then return nil, message, name end
  place, message, name = contexts.place(context, options)
  if not place then return nil, message, name end
  return plans.make(function(plan)
    return c.vkd_batch_plan(place.handle, num_items, dim, raw, plan)
  end)
end

return batch
