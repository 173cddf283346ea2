-- vkd for LuaJIT: diversity sequences and neighbours of embedded corpora on any Vulkan device
-- or on the processor.
--
--   local vkd = require("vkd")
--   local sequences, report = vkd.batch_compute(assert(vkd.load("poems.json")))
--
-- Counting: everything in a Lua table counts items from 1, everything in cdata from 0, as in C.
-- Messages about the embeddings count from 0 and say so.
-- Mistakes in a call raise an error that names the caller's line. What can fail in a correct
-- program (a bad file, a NaN, no device, no memory) returns nil, a message and the name of the C
-- status.
-- Results have methods (`row`, `pointer`, `rows`, `verify`, `export`, `free`): they stand in
-- vkd/sequences.lua and vkd/neighbors.lua, the options of `export` in vkd/export.lua.
--
-- Here is only the public table. Its functions end in tail calls, so that no frame of this file is
-- on the stack when a mistake is blamed (vkd/check.lua).

-- The modules beside this file are the ones that fit it: they come first while it is loaded, also
-- where it was loaded by its path alone.
local own = debug.getinfo(1, "S").source
local folder = own:match("^@(.*[/\\])") or own:match("^@") and "./"
local package_path = package.path
if folder then package.path = folder .. "?.lua;" .. package_path end

local function modules()
  return require("vkd.library"), require("vkd.calls"), require("vkd.context"),
    require("vkd.files"), require("vkd.embeddings"), require("vkd.npy"), require("vkd.progress"),
    require("vkd.merge"), require("vkd.workers"), require("vkd.worker")
end

local loaded, library, calls, contexts, files, loader, npy, progress, merges, workers, worker =
  pcall(modules)
package.path = package_path
-- Where the shared library is missing, say; the text tells it all.
if not loaded then error(library, 0) end

local vkd = {}

---The version of the loaded library, such as "0.1.0".
---@type string
vkd.version = require("ffi").string(library.c.vkd_version_string())

vkd.devices = contexts.devices
vkd.context = contexts.open
vkd.open = files.open
vkd.load = loader.load
vkd.load_npy = npy.load
vkd.progress_line = progress.line
vkd.terminal_width = progress.width
vkd.report_progress = worker.report_progress

---Embeddings, row after row: `float *` or `float[n]` cdata (also double, and uint16_t with
---element_type "f16"), a flat Lua table of numbers, a Lua table of tables, or what `vkd.load` or
---`vkd.load_npy` returns.
---@alias vkd.AnyEmbeddings ffi.cdata*|number[]|number[][]|vkd.Embeddings

---@alias vkd.AnyDevice string|integer|(string|integer)[]

---What every call takes that runs on a device. A method of a context takes neither of the two.
---@class vkd.DeviceOptions
---@field device? vkd.AnyDevice As in `vkd.context`; the context is kept for the next call.
---@field context? vkd.Context Not with `device`.

---@class vkd.EmbeddingsOptions: vkd.DeviceOptions
---@field dim? integer Dimensions; needed with a pointer, inferred otherwise.
---Needed for f16 in uint16_t cdata. Tables become f32 unless "f64" is asked for.
---@field element_type? "f32"|"f16"|"f64"
---@field center? boolean Subtract the mean embedding first, for neighbours from the queries too.
---Rows of zeros, in queries too, are items like any other: orthogonal to all, with a similarity of
---0. With `center` that holds for rows that equal the mean. Else such a row is an error.
---@field zero_rows? boolean

---Ids, one for each item, each only once: a list of strings, or an object that answers `ids[i]`
---(from 1) and `#ids`.
---@alias vkd.AnyIds string[]|table|ffi.cdata*

---@class vkd.OutputOptions: vkd.EmbeddingsOptions
---What the items are called; the results have these ids (`results:ids(i)`, `results:find(id)`), and
---a file holds them. Default: `embeddings.ids`, where the embeddings have some. A file that is
---there must have the same ids; a run without ids keeps those of the file.
---@field ids? vkd.AnyIds
---A file for the result instead of memory; the call then returns it opened, as `vkd.open` does. The
---same call after a kill, a cancel or a full disk goes on where it stopped.
---@field output? string
---@field overwrite? boolean With output: replace the results there. No other file is replaced.

---How progress is shown, not where a job is started: true draws a line on standard error if that is
---a terminal; a function is called several times a second and once at the end.
---@alias vkd.ShowProgress true|fun(progress: vkd.Progress)|vkd.ProgressLine

-- Sequences

---@class vkd.StartOptions: vkd.OutputOptions
---First item of every sequence: a Lua table of 1-based numbers, or uint32_t cdata of 0-based ones.
---Default: every item once.
---@field starts? integer[]|ffi.cdata*
---@field num_starts? integer With cdata starts: how many; needed with a pointer.
---Instead of starts: a list of lists of 1-based items, equally long, that each sequence begins
---with. No item comes twice in one.
---@field heads? integer[][]
---Items per sequence, the start or head included. Default: all. A longer one extends the file at
---`output`.
---@field length? integer
---What a sequence asks of its next item. "centroid", the default: least similar to the centroid of
---all so far. "farthest": least similar to the nearest of all so far. "mmr": most of lambda x the
---similarity to the first, less (1 - lambda) x the largest similarity to one of those since.
---"chain": most similar to the last.
---@field rule? vkd.Rule
---@field lambda? number Of "mmr": 0 to 1, default 0.5.
---@field values? boolean Give each place a value, for `sequences:values(i)`.
---Which part of these sequences to compute, such as "2/4" or { 2, 4 }: the second quarter of them
---in their order. What several machines compute so, each into a file, `vkd.merge` makes one of.
---@field shard? string|integer[]

---@class vkd.BatchOptions: vkd.StartOptions
---@field progress? vkd.ShowProgress

---Computes diversity sequences: from every start, again and again the item that is least similar
---(cosine) to the centroid of all picked so far, or what another rule asks for. The result does not
---depend on the device.
---
---`num_items` may be nil where the embeddings tell, and the options may then take its place.
---@param embeddings vkd.AnyEmbeddings
---@param num_items? integer|vkd.BatchOptions
---@param options? vkd.BatchOptions
---@return vkd.Sequences? sequences Lua tables from it are 1-based, its cdata 0-based.
---@return vkd.Report|string report Or the message.
---@return string? status
function vkd.batch_compute(embeddings, num_items, options)
  return calls.batch_compute(embeddings, num_items, options)
end

---Starts what `vkd.batch_compute` does and returns at once. The embeddings may be changed or
---dropped as soon as it has returned.
---@param embeddings vkd.AnyEmbeddings
---@param num_items? integer|vkd.StartOptions
---@param options? vkd.StartOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function vkd.start(embeddings, num_items, options)
  return calls.start(embeddings, num_items, options)
end

---Tells what `vkd.batch_compute` would take, without the embeddings, and refuses what cannot be
---done. It takes the options of the run, so that one table serves both.
---@param num_items integer
---@param dim integer
---@param options? vkd.BatchOptions
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function vkd.plan(num_items, dim, options) return calls.plan(num_items, dim, options) end

---Makes one file of the parts of a run (option shard): the bytes that one run on one machine
---writes. `parts` are the paths of their files, in any order. All must be there, each once, and be
---of one run; what is not, and what is missing, the message names. Rows are checked as they are
---read. An interrupted merge goes on where it stopped.
---@param parts string[]
---@param path string None of the parts.
---@param options? vkd.MergeOptions
---@return vkd.Sequences|vkd.Job|nil merged The file, opened; with wait = false the job.
---@return vkd.Report|string|nil report Or the message; nil with a job.
---@return string? status
function vkd.merge(parts, path, options) return merges.write(parts, path, options) end

-- Neighbours

---@class vkd.StartNeighborsOptions: vkd.OutputOptions
---Rows to find neighbours of, instead of the items themselves.
---@field queries? vkd.AnyEmbeddings
---@field num_queries? integer How many; needed with a pointer. A plan may have it without queries.

---@class vkd.NeighborsOptions: vkd.StartNeighborsOptions
---@field progress? vkd.ShowProgress

---Finds the k most similar items (cosine) of every item, nearest first; on equal similarities the
---lower number first. An item is not a neighbour of itself. The result does not depend on the
---device.
---@param embeddings vkd.AnyEmbeddings
---@param num_items? integer
---@param k integer 1 to the number of other items.
---@param options? vkd.NeighborsOptions
---@return vkd.Neighbors? neighbors
---@return vkd.Report|string report Or the message.
---@return string? status
function vkd.neighbors(embeddings, num_items, k, options)
  return calls.neighbors(embeddings, num_items, k, options)
end

---Starts what `vkd.neighbors` does and returns at once.
---@param embeddings vkd.AnyEmbeddings
---@param num_items? integer
---@param k integer
---@param options? vkd.StartNeighborsOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function vkd.start_neighbors(embeddings, num_items, k, options)
  return calls.start_neighbors(embeddings, num_items, k, options)
end

---Tells what `vkd.neighbors` would take, without the embeddings, and refuses what cannot be done.
---It takes the options of the run, so that one table serves both.
---@param num_items integer
---@param dim integer
---@param k integer 1 to the number of other items.
---@param options? vkd.NeighborsOptions
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function vkd.plan_neighbors(num_items, dim, k, options)
  return calls.plan_neighbors(num_items, dim, k, options)
end

-- Similarities

---@class vkd.StartSimilarityOptions: vkd.EmbeddingsOptions
---@field upper? boolean Each pair once.

---@class vkd.SimilarityOptions: vkd.StartSimilarityOptions
---@field progress? vkd.ShowProgress

---Computes the cosine similarity of all pairs: `float *` with N x N values, row after row. With
---upper each pair once, N x (N - 1) / 2 values: that of items i < j (0-based) is at i * N - i * (i
---+ 1) / 2 + j - i - 1. The pointer owns the memory: keep it as long as pointers computed from it.
---@param embeddings vkd.AnyEmbeddings
---@param num_items? integer|vkd.SimilarityOptions
---@param options? vkd.SimilarityOptions
---@return ffi.cdata*? similarities 0-based.
---@return vkd.Report|string report Or the message.
---@return string? status
function vkd.similarity(embeddings, num_items, options)
  return calls.similarity(embeddings, num_items, options)
end

---Starts what `vkd.similarity` does and returns at once.
---@param embeddings vkd.AnyEmbeddings
---@param num_items? integer|vkd.StartSimilarityOptions
---@param options? vkd.StartSimilarityOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function vkd.start_similarity(embeddings, num_items, options)
  return calls.start_similarity(embeddings, num_items, options)
end

---Tells what `vkd.similarity` would take, without the embeddings, and refuses what cannot be done.
---It takes the options of the run, so that one table serves both.
---@param num_items integer
---@param dim integer
---@param options? vkd.SimilarityOptions
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function vkd.plan_similarity(num_items, dim, options)
  return calls.plan_similarity(num_items, dim, options)
end

-- Sites

---@class vkd.FilesOptions
---@field directory? string The folder of the files ID.json, made where it is missing.
---@field rankings? string The file of all rankings; not where a page would be. It replaces
---rankings only.
---One for each item: a file name without a path, each only once, whatever its case and however its
---accents are written. Default: the ids of the results or the embeddings, else "1", "2", ...
---@field ids? vkd.AnyIds
---@field metadata? string[] One JSON text for each item: the member "metadata" of its file.
---@field list? string What the list is called: the member of each file. Default: "similar" of
---neighbours, of sequences by their rule "different", "scattered", "related" or "journey".
---@field top? integer Entries of each file and ranking. Default: all there are.
---@field threads? integer Threads that write. Default: VKD_THREADS, else one per processor.
---@field sync? boolean false: leave it to the system when files reach the disk.

---The options of embeddings are allowed only with embeddings.
---@class vkd.StartSiteOptions: vkd.FilesOptions, vkd.EmbeddingsOptions
---@field k? integer With embeddings: neighbours of each.
---@field num_items? integer With embeddings that do not tell.

---@class vkd.SiteOptions: vkd.StartSiteOptions
---@field progress? vkd.ShowProgress

---@alias vkd.SiteSource vkd.Neighbors|vkd.Sequences|vkd.AnyEmbeddings

---Writes the files that sites are built from: a JSON file for each item, and one of all rankings.
---`source` is what `vkd.neighbors`, `vkd.batch_compute` or `vkd.open` returned, or embeddings: then
---the neighbours are computed, and files are written while later ones are.
---
---A file is `{"id":"a","metadata":...,"similar":[{"id":"b","similarity":0.912345},...]}`, or for
---sequences `"different":["b","c",...]` (see option list); the rankings are
---`{"list":"similar","ids":["a",...],"items":[0,...],"rankings":[[1,...],...]}` with places in
---`ids` counted from 0. Each file gets its name when it is whole, and replaces one of an earlier
---site; anything else that stands there is an error. Of results in a file each row is checked.
---@param source vkd.SiteSource
---@param options vkd.SiteOptions
---@return true? written
---@return vkd.Report|string report Or the message.
---@return string? status
function vkd.site(source, options) return calls.site(source, options) end

---Starts what `vkd.site` does and returns at once.
---@param source vkd.SiteSource
---@param options vkd.StartSiteOptions
---@return vkd.Job? job
---@return string? message
---@return string? status
function vkd.start_site(source, options) return calls.start_site(source, options) end

---Tells what `vkd.site` of embeddings would take, without them, and refuses what cannot be done.
---It takes the options of the run, so that one table serves both; k is needed.
---@param num_items integer
---@param dim integer
---@param options vkd.SiteOptions
---@return vkd.Plan? plan
---@return string? message
---@return string? status
function vkd.plan_site(num_items, dim, options) return calls.plan_site(num_items, dim, options) end

-- Workers

---@class vkd.WorkersOptions
---@field progress? vkd.ShowProgress Of what the workers report by `vkd.report_progress(fraction)`.
---@field lua? string The interpreter. Default: that of this program, else luajit along PATH.
---@field environment? table<string, string|number> Variables that the workers have besides.
---@field timeout? number Seconds after which the workers are stopped. Default: none.

---Runs a Lua script in `count` processes of LuaJIT and waits for all. In each `arg[1]` is its
---number from 1, `arg[2]` the count, and from `arg[3]` on stand the arguments, so that it takes
---every n-th row of the results that it opens for itself. The workers share nothing but files.
---
---Their `require` looks where that of this program does, and finds the same vkd. They write to the
---same standard output, and have nothing to read. The first that fails, by an error or a signal,
---ends the call: the others get SIGTERM, and SIGKILL where they have not ended 3 s later. Where
---this program is killed, a worker ends when it next reports progress, and else runs on.
---@param count? integer At most 1024. nil or 0: one for each processor that this process may use.
---@param script string A path from the current folder.
---@param arguments? (string|number)[] Numbers arrive as texts that give the same number.
---@param options? vkd.WorkersOptions
---@return true? done
---@return vkd.WorkersReport|string report Or which worker failed, how, and what it wrote.
function vkd.workers(count, script, arguments, options)
  return workers.run(count, script, arguments, options)
end

return vkd
