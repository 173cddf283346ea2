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
local own_source = debug.getinfo(1, "S").source
local folder = own_source:match("^@(.*[/\\])") or own_source:match("^@") and "./"

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
local contexts = sibling("vkd_context")
local run = sibling("vkd_run")
sibling("vkd_sequences")
sibling("vkd_neighbor_rows")
local results = sibling("vkd_results")
local jobs = sibling("vkd_job")
local nearest = sibling("vkd_neighbors")
local sites = sibling("vkd_site")
local c, sized, failure, live = library.c, library.sized, library.failure, library.live
local Context = contexts.Context

local vkd = {}

---The version of the loaded library, such as "0.1.0".
---@type string
vkd.version = ffi.string(c.vkd_version_string())

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
---@field device? string|integer|(string|integer)[] As in `vkd.context`; the context is kept for the next call. Not with a method of a context.
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

local WHERE = { device = "string number table", context = "table" }
local SHOW = { progress = "boolean function table" }
local METHOD_BATCH = with(METHOD_START, SHOW)
local START, BATCH = with(METHOD_START, WHERE), with(METHOD_BATCH, WHERE)
local PLAN = with(METHOD_PLAN, WHERE)

-- Embeddings that know their size need no num_items: then the options may come second.
local function arguments(num_items, options, known)
  if type(num_items) == "table" and options == nil then num_items, options = nil, num_items end
  return num_items, input.options(options, known)
end

-- The given context, or the one that the options mean, and what its jobs need of it.
local function where(context, options)
  local message, name
  if not context then
    context, message, name = contexts.chosen(options)
    if not context then return nil, message, name end
  end
  local device
  device, message, name = context:info()
  if not device then return nil, message, name end
  return { handle = context._handle, device = device.name,
    on_lost = function() contexts.forget(context) end }
end

local function start(context, embeddings, num_items, options)
  local request, message, name = input.request(embeddings, num_items, options)
  if not request then return nil, message, name end
  local place, why, status = where(context, options)
  if not place then return nil, why, status end
  return jobs.start(place, request, options)
end

local function compute(context, embeddings, num_items, options)
  return run.job(options.progress, function() return start(context, embeddings, num_items, options) end)
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
---@field batches number Groups of sequences computed side by side, at least. With several devices the sum over them, as if each did the whole run.
---@field dispatches number Submissions to the device, at least; 0 for the built-in engines. With several devices a sum like batches.
---@field sequences number
---@field picks number
---@field held_rows number Rows of the contribution matrix held at once, 0 for neighbours; fewer than items: it does not fit the device, and the run takes longer. With several devices: of the one that holds the fewest.

local PLAN_FIELDS = { "host_bytes", "device_bytes", "output_bytes", "corpus_bytes", "batches",
  "dispatches", "sequences", "picks", "held_rows" }

local function plan_table(status, raw)
  if status ~= 0 then return failure(status) end
  local made = {}
  for _, field in ipairs(PLAN_FIELDS) do made[field] = tonumber(raw[field]) end
  return made
end

local function plan(context, num_items, dim, options)
  local request, message, name = input.shape(num_items, dim, options)
  if not request then return nil, message, name end
  local place, why, status = where(context, options)
  if not place then return nil, why, status end
  local raw = sized("vkd_run_plan")
  local wanted = jobs.raw_options(request, options)
  return plan_table(c.vkd_batch_plan(place.handle, num_items, dim, wanted, raw), raw)
end

---Tells what a run would take, without the embeddings, and refuses what cannot be done.
---@param num_items integer
---@param dim integer
---@param options? { starts?: integer[]|ffi.cdata*, num_starts?: integer, length?: integer, output?: string, device?: string|integer|(string|integer)[], context?: vkd.Context }
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

-- Neighbours

---@class vkd.NeighborOptions
---@field dim? integer As in `vkd.StartOptions`.
---@field element_type? "f32"|"f16"|"f64"
---@field center? boolean Subtract the mean of the items, from items and queries.
---@field queries? any Rows to find neighbours of, instead of the items themselves, in any form that embeddings have.
---@field output? string A file for the result instead of memory; the call then returns it opened, as `vkd.open` does.
---@field overwrite? boolean With output: replace whatever is there.
---@field progress? true|fun(progress: vkd.Progress) As in `vkd.BatchOptions`; not when starting a job.
---@field device? string|integer|(string|integer)[] Not with a method of a context.
---@field context? vkd.Context Not with `device`, nor with a method of a context.

local EMBEDDINGS = { dim = "number", element_type = "string", center = "boolean" }
local METHOD_START_NEIGHBORS = with(EMBEDDINGS,
  { queries = "table cdata", output = "string", overwrite = "boolean" })
local METHOD_NEIGHBORS = with(METHOD_START_NEIGHBORS, SHOW)
local START_NEIGHBORS, NEIGHBORS = with(METHOD_START_NEIGHBORS, WHERE), with(METHOD_NEIGHBORS, WHERE)

local function start_neighbors(context, embeddings, num_items, k, options)
  local request, message, name = input.request(embeddings, num_items,
    { dim = options.dim, element_type = options.element_type })
  if not request then return nil, message, name end
  local place, why, status = where(context, options)
  if not place then return nil, why, status end
  return nearest.start(place, request, k, options)
end

local function find_neighbors(context, embeddings, num_items, k, options)
  return run.job(options.progress, function()
    return start_neighbors(context, embeddings, num_items, k, options)
  end)
end

---Finds the k most similar items (cosine) of every item, nearest first; on equal similarities the lower number first. An
---item is no neighbour of its own. The result does not depend on the device.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param k integer 1 to the number of other items.
---@param options? vkd.NeighborOptions
---@return vkd.Neighbors? neighbors
---@return vkd.Report|string report Or the message.
---@return string? status
function vkd.neighbors(embeddings, num_items, k, options)
  return find_neighbors(nil, embeddings, num_items, k, input.options(options, NEIGHBORS))
end

---`vkd.neighbors` on this context.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param k integer
---@param options? vkd.NeighborOptions
---@return vkd.Neighbors? neighbors
---@return vkd.Report|string report Or the message.
---@return string? status
function Context:neighbors(embeddings, num_items, k, options)
  live(self, Context, "context", "neighbors")
  return find_neighbors(self, embeddings, num_items, k, input.options(options, METHOD_NEIGHBORS))
end

---Starts what `vkd.neighbors` does and returns at once.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param k integer
---@param options? vkd.NeighborOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function vkd.start_neighbors(embeddings, num_items, k, options)
  return start_neighbors(nil, embeddings, num_items, k, input.options(options, START_NEIGHBORS))
end

---`vkd.start_neighbors` on this context.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param k integer
---@param options? vkd.NeighborOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function Context:start_neighbors(embeddings, num_items, k, options)
  live(self, Context, "context", "start_neighbors")
  return start_neighbors(self, embeddings, num_items, k, input.options(options, METHOD_START_NEIGHBORS))
end

---Tells what a run of `vkd.neighbors` would take, without the embeddings, and refuses what cannot be done.
---@param num_items integer
---@param dim integer
---@param k integer
---@param options? { num_queries?: integer, output?: string, device?: string|integer|(string|integer)[], context?: vkd.Context }
---@return vkd.Plan? plan `sequences` are rows, `picks` dot products.
---@return string? message
---@return string? status
function vkd.plan_neighbors(num_items, dim, k, options)
  options = input.options(options, with({ num_queries = "number", output = "string" }, WHERE))
  local request = input.shape(num_items, dim, {})
  local place, why, name = where(nil, options)
  if not place then return nil, why, name end
  local raw = sized("vkd_run_plan")
  local wanted = nearest.raw_options(request, options)
  wanted.num_queries = input.count(options, "num_queries", 1) or 0
  local status = c.vkd_neighbors_plan(place.handle, num_items, dim, nearest.check_k(k), wanted, raw)
  return plan_table(status, raw)
end

local METHOD_SIMILARITY = with(EMBEDDINGS, { upper = "boolean" })
local SIMILARITY = with(METHOD_SIMILARITY, WHERE)

local function similarity(context, embeddings, num_items, options)
  local request, message, name = input.request(embeddings, num_items,
    { dim = options.dim, element_type = options.element_type })
  if not request then return nil, message, name end
  local place, why, status = where(context, options)
  if not place then return nil, why, status end
  return nearest.similarity(place, request, options)
end

---Computes the cosine similarity of all pairs: `float *` with N x N values, row after row; with upper = true each pair once, that
---of items i < j (0-based) at i * N - i * (i + 1) / 2 + j - i - 1. The pointer owns the memory.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param options? { dim?: integer, element_type?: string, center?: boolean, upper?: boolean, device?: string|integer|(string|integer)[], context?: vkd.Context }
---@return ffi.cdata*? similarities 0-based.
---@return integer|string count How many. Or the message.
---@return string? status
function vkd.similarity(embeddings, num_items, options)
  num_items, options = arguments(num_items, options, SIMILARITY)
  return similarity(nil, embeddings, num_items, options)
end

---`vkd.similarity` on this context.
---@param embeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings
---@param num_items? integer
---@param options? { dim?: integer, element_type?: string, center?: boolean, upper?: boolean }
---@return ffi.cdata*? similarities
---@return integer|string count
---@return string? status
function Context:similarity(embeddings, num_items, options)
  live(self, Context, "context", "similarity")
  num_items, options = arguments(num_items, options, METHOD_SIMILARITY)
  return similarity(self, embeddings, num_items, options)
end

-- Sites

---@class vkd.SiteOptions: vkd.NeighborOptions
---@field directory? string The folder of the files ID.json, made where it is missing.
---@field rankings? string The file of all rankings.
---@field ids? string[] One for each item: a file name without a path, each one only once. Default: "1", "2", ...
---@field metadata? string[] One JSON text for each item: the member "metadata" of its file.
---@field top? integer Entries of each file and ranking; default: all there are.
---@field threads? integer Threads that write; default: one per processor.
---@field sync? boolean false: leave it to the system when files reach the disk.
---@field k? integer With embeddings: neighbours of each.
---@field num_items? integer With embeddings that do not tell.

local START_SITE = with(with(START_NEIGHBORS, sites.OPTIONS), { k = "number", num_items = "number" })
local SITE = with(START_SITE, SHOW)

local function start_site(source, options)
  if sites.is_results(source) then return sites.start(source, options) end
  local request, message, name = input.request(source, options.num_items,
    { dim = options.dim, element_type = options.element_type })
  if not request then return nil, message, name end
  local place, why, status = where(nil, options)
  if not place then return nil, why, status end
  return sites.start_from_embeddings(place, request, options)
end

---Writes the files that sites are built from: a JSON file for each item, and one of all rankings. `source` is what
---`vkd.neighbors`, `vkd.batch_compute` or `vkd.open` returned, or embeddings: then the neighbours are computed, and files are
---written while later ones are.
---
---A file is `{"id":"a","metadata":...,"similar":[{"id":"b","similarity":0.912345},...]}`, or for sequences
---`"different":["b","c",...]`; the rankings are `{"list":"similar","ids":["a",...],"items":[0,...],"rankings":[[1,...],...]}` with
---places in `ids` counted from 0. Each file gets its name when it is whole.
---@param source vkd.Neighbors|vkd.Sequences|vkd.Results|vkd.Embeddings|ffi.cdata*|number[]|number[][]
---@param options vkd.SiteOptions
---@return true? written
---@return vkd.Report|string report Or the message.
---@return string? status
function vkd.site(source, options)
  options = input.options(options, SITE)
  return run.job(options.progress, function() return start_site(source, options) end)
end

---Starts what `vkd.site` does and returns at once.
---@param source vkd.Neighbors|vkd.Sequences|vkd.Results|vkd.Embeddings|ffi.cdata*|number[]|number[][]
---@param options vkd.SiteOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function vkd.start_site(source, options)
  return start_site(source, input.options(options, START_SITE))
end

vkd.devices = contexts.devices
vkd.context = contexts.open
vkd.open = results.open
vkd.load_npy = npy.load
vkd.progress_line = progress_line.line
vkd.terminal_width = progress_line.width

return vkd
