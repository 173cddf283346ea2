-- Devices and contexts: which there are, opening one, and the one that a call without a context
-- uses.

local ffi = require("ffi")
local check = require("vkd.check")
local library = require("vkd.library")
local misuse, describe = check.misuse, check.describe
local c, sized, failure, live = library.c, library.sized, library.failure, library.live

local contexts = {}

-- Devices

local KINDS = { [0] = "discrete GPU", "integrated GPU", "virtual GPU", "CPU", "software Vulkan",
  "other Vulkan", "reference", "several" }

---@alias vkd.DeviceKind
---| "discrete GPU"
---| "integrated GPU"
---| "virtual GPU"
---| "CPU"
---| "software Vulkan"
---| "other Vulkan"
---| "reference"
---| "several"

---A device. `index` is 0-based, as the device option wants it.
---@class vkd.Device
---@field index? integer Only from `vkd.devices`.
---@field kind vkd.DeviceKind
---@field name string
---@field driver string
---@field uuid string Hex digits.
---@field memory_bytes number 0 where unknown.
---@field max_binding_bytes number
---@field subgroup_size integer
---@field loop_budget integer 0: no limit.
---Of a context for which no device was named: the GPUs that would have come before this device but
---could not be opened, each with the reason. nil where there are none.
---@field passed_over? string

local function device_table(info, index)
  local uuid = {}
  for i = 0, 15 do uuid[i + 1] = ("%02x"):format(info.uuid[i]) end
  local passed_over = ffi.string(info.passed_over)
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
    passed_over = passed_over ~= "" and passed_over or nil,
  }
end

---All devices, best first; the reference engine comes last and is always there.
---@return vkd.Device[]? devices A Lua list, 1-based; each device's `index` is 0-based.
---@return string? message
---@return string? status
function contexts.devices()
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

local CONTEXT_OPTIONS = { device = "string number table", memory_limit = "number",
  sequence_kernel = "string", submit_target_ms = "number", threads = "number",
  pipeline_cache = "boolean" }
local KERNELS = { auto = 0, buffer = 1, registers = 2 }

---A device, opened for computing. Make one and keep it; it frees itself when it is collected.
---
---Every function of `vkd` that computes is also a method: `context:batch_compute(...)` takes what
---`vkd.batch_compute(...)` takes but for the options device and context. vkd/calls.lua adds them.
---@class vkd.Context
---@field batch_compute fun(self: vkd.Context, ...): vkd.Sequences?, vkd.Report|string, string?
---@field start fun(self: vkd.Context, ...): vkd.Job?, string?, string?
---@field plan fun(self: vkd.Context, ...): vkd.Plan?, string?, string?
---@field neighbors fun(self: vkd.Context, ...): vkd.Neighbors?, vkd.Report|string, string?
---@field start_neighbors fun(self: vkd.Context, ...): vkd.Job?, string?, string?
---@field plan_neighbors fun(self: vkd.Context, ...): vkd.Plan?, string?, string?
---@field similarity fun(self: vkd.Context, ...): ffi.cdata*?, vkd.Report|string, string?
---@field start_similarity fun(self: vkd.Context, ...): vkd.Job?, string?, string?
---@field plan_similarity fun(self: vkd.Context, ...): vkd.Plan?, string?, string?
---@field site fun(self: vkd.Context, ...): true?, vkd.Report|string, string?
---@field start_site fun(self: vkd.Context, ...): vkd.Job?, string?, string?
---@field plan_site fun(self: vkd.Context, ...): vkd.Plan?, string?, string?
local Context = {}
Context.__index = Context
contexts.Context = Context

---@class vkd.ContextOptions
---"cpu", "reference", "vulkan", "vulkan:0" (the first Vulkan device), a part of a device's name, a
---UUID in hex, or an index from `vkd.devices` (0-based). A list of these, or "all" (every GPU and
---the CPU engine): the starts are split over them, neighbours and similarities are the first one's.
---Default: the environment variable VKD_DEVICE, else the best device.
---@field device? string|integer|(string|integer)[]
---The most bytes of memory that a run may use: of the device's; for the CPU engine of the host's;
---with several devices of each Vulkan device's, and of the host's for all together. Default:
---VKD_MEMORY_LIMIT, else what is free.
---@field memory_limit? number
---@field sequence_kernel? "auto"|"buffer"|"registers" All give the same result.
---Threads of the CPU engine, and of those that prepare embeddings. Default: VKD_THREADS, else one
---per processor.
---@field threads? integer
---false: keep no compiled kernels on the disk (see VKD_NO_PIPELINE_CACHE in vkd.h).
---@field pipeline_cache? boolean
---@field submit_target_ms? integer How long one submission should take, at most 1000.

local function device_name(device)
  if type(device) == "table" then
    local names = {}
    for position = 1, check.list(device, "option device") do
      local name = device[position]
      if type(name) ~= "string" and type(name) ~= "number" then
        misuse("option device[%d] must be a name or an index, not %s", position, describe(name))
      end
      names[position] = device_name(name)
    end
    for key, name in pairs(device) do
      if not names[key] then
        misuse("option device must be a list, but has the key %s", describe(key))
      end
      if name == "" then misuse("option device[%d] is empty", key) end
    end
    if #names == 0 then misuse("option device must not be an empty list") end
    return table.concat(names, " + ")
  end
  if type(device) == "number" then
    if not check.is_integer(device, 0, check.MOST) then
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
function contexts.open(options)
  options = check.options(options, CONTEXT_OPTIONS)
  local kernel = options.sequence_kernel or "auto"
  if not KERNELS[kernel] then
    misuse("option sequence_kernel must be \"auto\", \"buffer\" or \"registers\", not %s",
      describe(kernel))
  end
  local device = device_name(options.device)
  local limit = check.optional_count(options, "memory_limit", 1, 2 ^ 53) or 0
  local target = check.optional_count(options, "submit_target_ms", 1) or 0
  local threads = check.optional_count(options, "threads", 1) or 0
  -- C reads the text during the call; as an array it stays where it is while `text` lives.
  local text = ffi.new("char[?]", #device + 1, device)
  local out = ffi.new("vkd_context *[1]")
  local raw = sized("vkd_context_options")
  raw.device, raw.memory_limit, raw.submit_target_ms = text, limit, target
  raw.sequence_kernel, raw.threads = KERNELS[kernel], threads
  if options.pipeline_cache == false then raw.flags = ffi.C.VKD_NO_PIPELINE_CACHE end
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

-- By device name; "" is the default device. Making a context loads a driver, so they are kept.
local shared_contexts = {}

-- A context whose device could not be opened anew stays lost; the next call may make a new one.
local function forget(context)
  for device, shared in pairs(shared_contexts) do
    if shared == context then shared_contexts[device] = nil end
  end
end

-- The context that the options name, else the shared one of their device.
local function chosen(options)
  local context = options.context
  if context then
    if options.device then misuse("options context and device exclude each other") end
    if getmetatable(context) ~= Context then misuse("option context must come from vkd.context") end
    if not context._handle then misuse("this context has been freed") end
    return context
  end
  local device = device_name(options.device)
  local shared = shared_contexts[device]
  -- In a child after a fork the parent's contexts are of no use.
  local stale = shared and select(3, shared:info()) == "VKD_ERROR_OTHER_PROCESS"
  if not shared or stale then
    local made, message, status = contexts.open({ device = device })
    if not made then return nil, message, status end
    shared_contexts[device] = made
  end
  return shared_contexts[device]
end

---The options that choose a context, for checking.
contexts.OPTIONS = { device = "string number table", context = "table" }

---Where a job runs.
---@class vkd.Place
---@field handle? ffi.cdata* The context; nil where none is needed.
---@field device string Its name, for the report.
---@field on_lost fun() To be called when the device was lost.

---@param context vkd.Context? nil: the one that the options mean.
---@param options { context?: vkd.Context, device?: string|integer|(string|integer)[] }
---@return vkd.Place? place
---@return string? message
---@return string? status
function contexts.place(context, options)
  local message, name
  if not context then
    context, message, name = chosen(options)
    if not context then return nil, message, name end
  end
  local device
  device, message, name = context:info()
  if not device then return nil, message, name end
  return { handle = context._handle, device = device.name,
    on_lost = function() forget(context) end }
end

return contexts
