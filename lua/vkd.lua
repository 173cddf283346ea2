-- vkd for LuaJIT: diversity sequences of embedded corpora on any Vulkan device.
--
--   local vkd = require("vkd")
--   local sequences, report = vkd.batch_compute(assert(vkd.load_npy("poems.npy")))
--
-- Counting: everything in a Lua table counts items from 1, everything in cdata from 0, as in C.
-- Messages about the embeddings count from 0 and say so.
-- Mistakes in a call raise an error that names the caller's line. What can fail in a correct program
-- (a bad file, a NaN, no device, no memory) returns nil, a message and the name of the C status.

local ffi = require("ffi")

-- The other files lie beside this one, wherever that is, and need not be on package.path.
local source = debug.getinfo(1, "S").source
local folder = source:match("^@(.*[/\\])") or source:match("^@") and "./"

local function sibling(name)
  if package.loaded[name] then return package.loaded[name] end
  local chunk = folder and loadfile(folder .. name .. ".lua")
  if not chunk then return require(name) end
  package.loaded[name] = chunk(name)
  return package.loaded[name]
end

-- In the order of what they require of each other.
local support = sibling("vkd_support")
support.own_file()
support.folder = folder
local input = sibling("vkd_input")
local npy = sibling("vkd_npy")
local progress_line = sibling("vkd_progress")
sibling("vkd_cdef")
local library = sibling("vkd_library")
sibling("vkd_sequences")
local results = sibling("vkd_results")
local jobs = sibling("vkd_job")
local nearest = sibling("vkd_neighbors")
local misuse, describe = support.misuse, support.describe
local c, sized, failure, live = library.c, library.sized, library.failure, library.live

local vkd = {}

---The version of the loaded library, such as "0.1.0".
---@type string
vkd.version = ffi.string(c.vkd_version_string())

-- Devices

local KINDS = { [0] = "discrete GPU", "integrated GPU", "virtual GPU", "CPU", "software Vulkan",
  "other Vulkan", "reference" }

---A device. `index` is 0-based, as the device option wants it.
---@class vkd.Device
---@field index? integer Only from `vkd.devices`.
---@field kind "discrete GPU"|"integrated GPU"|"virtual GPU"|"CPU"|"software Vulkan"|"other Vulkan"|"reference"
---@field name string
---@field driver string
---@field uuid string Hex digits.
---@field memory_bytes number 0 where unknown.
---@field max_binding_bytes number
---@field subgroup_size integer
---@field loop_budget integer 0: no limit.

local function device_table(info, index)
  local uuid = {}
  for i = 0, 15 do uuid[i + 1] = ("%02x"):format(info.uuid[i]) end
  return {
    index = index,
    kind = KINDS[info.kind] or "unknown",
    name = ffi.string(info.name),
    driver = ffi.string(info.driver),
    uuid = table.concat(uuid),
    memory_bytes = tonumber(info.memory_bytes),
    max_binding_bytes = tonumber(info.max_binding_bytes),
    subgroup_size = info.subgroup_size,
    loop_budget = info.loop_budget,
  }
end

---All devices, best first; the reference engine comes last and is always there.
---@return vkd.Device[]? devices A Lua list, 1-based; each device's `index` is 0-based.
---@return string? message
---@return string? status
function vkd.devices()
  local count = ffi.new("uint32_t[1]")
  local status = c.vkd_device_count(count)
  if status ~= 0 then return failure(status) end
  local devices = {}
  for index = 0, count[0] - 1 do
    local info = sized("vkd_device_info")
    status = c.vkd_device_get_info(index, info)
    if status ~= 0 then return failure(status) end
    devices[#devices + 1] = device_table(info, index)
  end
  return devices
end

-- Contexts

local CONTEXT_OPTIONS = { device = "string number", memory_limit = "number",
  sequence_kernel = "string", submit_target_ms = "number", threads = "number" }
local KERNELS = { auto = 0, buffer = 1, registers = 2 }

---A device, opened for computing. Make one and keep it; it frees itself when it is collected.
---@class vkd.Context
local Context = {}
Context.__index = Context

---@class vkd.ContextOptions
---@field device? string|integer "reference", "vulkan", a part of a device's name, a UUID in hex, or an index from `vkd.devices` (0-based). Default: the environment variable VKD_DEVICE, else the best device.
---@field memory_limit? number The most bytes of memory that a run may use: of the device's, for the CPU engine of the host's. Default: VKD_MEMORY_LIMIT, else what is free.
---@field sequence_kernel? "auto"|"buffer"|"registers" All give the same result.
---@field threads? integer Threads of the CPU engine; default: `VKD_THREADS`, else one per processor.
---@field submit_target_ms? integer How long one submission to the device should take, at most 1000.

local function device_name(device)
  if type(device) == "number" then
    if not support.is_integer(device, 0, 4294967295) then
      misuse("option device must be a name or an index from 0, not %s", describe(device))
    end
    return ("%d"):format(device)
  end
  if device and device:find("\0", 1, true) then misuse("option device holds a NUL character") end
  return device or ""
end

---Opens a device.
---@param options? vkd.ContextOptions
---@return vkd.Context? context
---@return string? message
---@return string? status
function vkd.context(options)
  options = input.options(options, CONTEXT_OPTIONS)
  local kernel = options.sequence_kernel or "auto"
  if not KERNELS[kernel] then
    misuse("option sequence_kernel must be \"auto\", \"buffer\" or \"registers\", not %s", describe(kernel))
  end
  local device = device_name(options.device)
  local limit = input.count(options, "memory_limit", 1, 2 ^ 53) or 0
  local target = input.count(options, "submit_target_ms", 1) or 0
  local threads = input.count(options, "threads", 1) or 0
  -- C reads the text during the call; as an array it stays where it is while `text` lives.
  local text = ffi.new("char[?]", #device + 1, device)
  local out = ffi.new("vkd_context *[1]")
  local raw = sized("vkd_context_options")
  raw.device, raw.memory_limit, raw.submit_target_ms = text, limit, target
  raw.sequence_kernel, raw.threads = KERNELS[kernel], threads
  local status = c.vkd_context_create(raw, out)
  if status ~= 0 then return failure(status) end
  return setmetatable(
    { _handle = ffi.gc(out[0], c.vkd_context_free), _text = text }, Context)
end

---Describes the device.
---@return vkd.Device? device
---@return string? message
---@return string? status
function Context:info()
  local info = sized("vkd_device_info")
  local status = c.vkd_context_get_info(live(self, Context, "context", "info"), info)
  if status ~= 0 then return failure(status) end
  return device_table(info)
end

---Frees the context. Its jobs go on. Using it afterwards is an error.
function Context:free()
  library.release(self, Context, "context", c.vkd_context_free)
end

-- The main job

---@class vkd.StartOptions
---@field dim? integer Dimensions; needed with a pointer, inferred otherwise.
---@field element_type? "f32"|"f16"|"f64" Needed for f16 in uint16_t cdata. Tables become f32 unless "f64" is asked for.
---@field center? boolean Subtract the mean embedding first.
---@field starts? integer[]|ffi.cdata* First item of every sequence: a Lua table of 1-based numbers, or uint32_t cdata of 0-based ones. Default: every item once.
---@field num_starts? integer With cdata starts: how many; needed with a pointer.
---@field length? integer Items per sequence, the start included. Default: all.
---@field output? string A file for the result instead of memory; the call then returns it opened, as `vkd.open` does. The same call after a kill, a cancel or a full disk goes on where it stopped, and a longer `length` extends the file.
---@field overwrite? boolean With output: replace whatever is there.
---@field device? string|integer As in `vkd.context`; the context is kept for the next call. Not with a method of a context.
---@field context? vkd.Context Not with `device`, nor with a method of a context.

---@class vkd.BatchOptions: vkd.StartOptions
---@field progress? true|fun(progress: vkd.Progress) true draws a line on standard error if that is a terminal; a function is called several times a second and once at the end.

local METHOD_START = { dim = "number", element_type = "string", center = "boolean",
  starts = "table cdata", num_starts = "number", length = "number", output = "string",
  overwrite = "boolean" }
local METHOD_PLAN = { starts = "table cdata", num_starts = "number", length = "number",
  output = "string" }

local function with(known, more)
  local all = {}
  for name, types in pairs(known) do all[name] = types end
  for name, types in pairs(more) do all[name] = types end
  return all
end

local WHERE = { device = "string number", context = "table" }
local SHOW = { progress = "boolean function table" }
local METHOD_BATCH = with(METHOD_START, SHOW)
local START, BATCH = with(METHOD_START, WHERE), with(METHOD_BATCH, WHERE)
local PLAN = with(METHOD_PLAN, WHERE)

-- Embeddings that know their size need no num_items: then the options may come second.
local function arguments(num_items, options, known)
  if type(num_items) == "table" and options == nil then num_items, options = nil, num_items end
  return num_items, input.options(options, known)
end

-- By device name; "" is the default device. Making a context loads a driver, so they are kept.
local shared_contexts = {}

-- A lost device never works again, but the next call may make a new context for it.
local function forget(context)
  for device, shared in pairs(shared_contexts) do
    if shared == context then shared_contexts[device] = nil end
  end
end

local function chosen_context(options)
  local context = options.context
  if context then
    if options.device then misuse("options context and device exclude each other") end
    if getmetatable(context) ~= Context then misuse("option context must come from vkd.context") end
    if not context._handle then misuse("this context has been freed") end
    return context
  end
  local device = device_name(options.device)
  if not shared_contexts[device] then
    local made, message, status = vkd.context({ device = device })
    if not made then return nil, message, status end
    shared_contexts[device] = made
  end
  return shared_contexts[device]
end

local function start(context, embeddings, num_items, options)
  local request, message, name = input.request(embeddings, num_items, options)
  if not request then return nil, message, name end
  if not context then
    context, message, name = chosen_context(options)
    if not context then return nil, message, name end
  end
  local device, why, info_status = context:info()
  if not device then return nil, why, info_status end
  return jobs.start(context._handle, request, options, device.name, function()
    forget(context)
  end)
end

-- Often enough for a smooth line, seldom enough to cost nothing.
local POLL_SECONDS = 0.1

local function wait_showing(job, show)
  local finished, message, status
  repeat
    finished, message, status = job:wait(POLL_SECONDS)
    local progress, why, name = job:poll()
    if not progress then return nil, why, name end
    if finished or status == "VKD_PENDING" then show(progress) end
  until finished or status ~= "VKD_PENDING"
  return finished, message, status
end

local function compute(context, embeddings, num_items, options)
  local show = options.progress or nil
  local line
  if show == true then
    line = progress_line.line()
    show = line.visible and line or nil
  elseif type(show) == "table" and not (getmetatable(show) or {}).__call then
    misuse("option progress must be true, a function or what vkd.progress_line returns")
  end
  local job, why, name = start(context, embeddings, num_items, options)
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
  local sequences, report
  if finished then sequences, report, status = job:result() end
  -- Freed now rather than at some collection: the job holds a copy of the result.
  job:free()
  if not finished then return nil, message, status end
  return sequences, report, status
end

---Computes diversity sequences: from every start, again and again the item that is least similar
---(cosine) to the centroid of all picked so far. The result does not depend on the device.
---
---Embeddings are one of: `float *` or `float[n]` cdata (also double, and uint16_t with
---element_type "f16"), row after row; a flat Lua table of numbers; a Lua table of tables; or what
---`vkd.load_npy` returns. `num_items` may be nil where the embeddings tell, and the options may then
---take its place.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param options? vkd.BatchOptions
---@return vkd.Sequences? sequences Lua tables from it are 1-based, its cdata 0-based.
---@return vkd.Report|string report Or the message.
---@return string? status
---@overload fun(embeddings: table|ffi.cdata*, options: vkd.BatchOptions): vkd.Sequences?, vkd.Report|string, string?
function vkd.batch_compute(embeddings, num_items, options)
  num_items, options = arguments(num_items, options, BATCH)
  return compute(nil, embeddings, num_items, options)
end

---Starts what `vkd.batch_compute` does and returns at once. The embeddings may be changed or dropped
---as soon as it has returned.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param options? vkd.StartOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function vkd.start(embeddings, num_items, options)
  num_items, options = arguments(num_items, options, START)
  return start(nil, embeddings, num_items, options)
end

---`vkd.batch_compute` on this context.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param options? vkd.BatchOptions
---@return vkd.Sequences? sequences
---@return vkd.Report|string report Or the message.
---@return string? status
function Context:batch_compute(embeddings, num_items, options)
  live(self, Context, "context", "batch_compute")
  num_items, options = arguments(num_items, options, METHOD_BATCH)
  return compute(self, embeddings, num_items, options)
end

---`vkd.start` on this context.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param options? vkd.StartOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function Context:start(embeddings, num_items, options)
  live(self, Context, "context", "start")
  num_items, options = arguments(num_items, options, METHOD_START)
  return start(self, embeddings, num_items, options)
end

---What a run would take.
---@class vkd.Plan
---@field host_bytes number The host's memory at the most; results in memory are part of it.
---@field device_bytes number The device's memory at the most; 0 for the built-in engines.
---@field output_bytes number The result, in memory or in the file.
---@field corpus_bytes number The prepared embeddings, part of host_bytes.
---@field batches number Groups of sequences computed side by side, at least.
---@field dispatches number Submissions to the device, at least; 0 for the built-in engines.
---@field sequences number
---@field picks number

local PLAN_FIELDS = { "host_bytes", "device_bytes", "output_bytes", "corpus_bytes", "batches",
  "dispatches", "sequences", "picks" }

local function plan(context, num_items, dim, options)
  local request, message, name = input.shape(num_items, dim, options)
  if not request then return nil, message, name end
  if not context then
    context, message, name = chosen_context(options)
    if not context then return nil, message, name end
  end
  local raw = sized("vkd_run_plan")
  local status = c.vkd_plan(context._handle, num_items, dim, jobs.raw_options(request, options), raw)
  if status ~= 0 then return failure(status) end
  local made = {}
  for _, field in ipairs(PLAN_FIELDS) do made[field] = tonumber(raw[field]) end
  return made
end

---Tells what a run would take, without the embeddings, and refuses what cannot be done.
---@param num_items integer
---@param dim integer
---@param options? { starts?: integer[]|ffi.cdata*, num_starts?: integer, length?: integer, output?: string, device?: string|integer, context?: vkd.Context }
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function vkd.plan(num_items, dim, options)
  return plan(nil, num_items, dim, input.options(options, PLAN))
end

---`vkd.plan` on this context.
---@param num_items integer
---@param dim integer
---@param options? { starts?: integer[]|ffi.cdata*, num_starts?: integer, length?: integer, output?: string }
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function Context:plan(num_items, dim, options)
  live(self, Context, "context", "plan")
  return plan(self, num_items, dim, input.options(options, METHOD_PLAN))
end

local METHOD_NEIGHBORS = { dim = "number", element_type = "string", center = "boolean",
  queries = "table cdata" }
local NEIGHBORS = with(METHOD_NEIGHBORS, WHERE)

local function find_neighbors(context, embeddings, num_items, k, options)
  local request, message, name = input.request(embeddings, num_items,
    { dim = options.dim, element_type = options.element_type })
  if not request then return nil, message, name end
  if not context then
    context, message, name = chosen_context(options)
    if not context then return nil, message, name end
  end
  return nearest.find(context._handle, request, k, options)
end

---Finds the k most similar items (cosine) of every item, nearest first; on equal similarities the lower number first. An
---item is no neighbour of its own. Needs a context on the CPU or the reference engine in this version.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param k integer
---@param options? { dim?: integer, element_type?: string, center?: boolean, queries?: any, device?: string|integer, context?: vkd.Context } queries: rows to find neighbours of, instead of the items themselves.
---@return vkd.Neighbors? neighbors
---@return string? message
---@return string? status
function vkd.neighbors(embeddings, num_items, k, options)
  return find_neighbors(nil, embeddings, num_items, k, input.options(options, NEIGHBORS))
end

---`vkd.neighbors` on this context.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param k integer
---@param options? { dim?: integer, element_type?: string, center?: boolean, queries?: any }
---@return vkd.Neighbors? neighbors
---@return string? message
---@return string? status
function Context:neighbors(embeddings, num_items, k, options)
  live(self, Context, "context", "neighbors")
  return find_neighbors(self, embeddings, num_items, k, input.options(options, METHOD_NEIGHBORS))
end

vkd.open = results.open
vkd.load_npy = npy.load
vkd.progress_line = progress_line.line
vkd.terminal_width = progress_line.width

return vkd
