-- The lists of the site as results files, one for each: computed where the file is missing or of
-- other embeddings, ids or options, and else taken as it is. A computation that was stopped goes
-- on.
--
-- Pages read them by id, in any number of processes: the files are mapped, nothing is copied.

local vkd = require("vkd")

local results = {}

---What one list took.
---@class site.Computed
---@field name string
---@field seconds number
---@field computed boolean false: the file was there.
---@field device string

---@param config table
---@param list table One of the configuration's lists.
---@return string path
function results.path(config, list)
  return ("%s/%s.safetensors"):format(config.results, list.name)
end

-- As many as asked for, or as there are.
local function most(list, count) return math.min(list.length, count - 1) end

local function run(embeddings, list, options)
  if list.neighbors then
    return vkd.neighbors(embeddings, nil, most(list, embeddings.num_items), options)
  end
  options.rule, options.lambda, options.starts = list.rule, list.lambda, list.starts
  options.length = most(list, embeddings.num_items) + 1
  return vkd.batch_compute(embeddings, options)
end

local function compute(config, embeddings, ids, list)
  local options = { ids = ids, output = results.path(config, list), progress = true }
  local found, report, status = run(embeddings, list, options)
  if not found and status == "VKD_ERROR_FILE_MISMATCH" then
    options.overwrite = true
    found, report = run(embeddings, list, options)
  end
  if not found then error(("%s: %s"):format(list.name, report), 0) end
  found:free()
  return { name = list.name, seconds = report.seconds, computed = report.steps > 0,
    device = report.device }
end

---The list of the start page: one alone, from the first item.
---@param config table
---@return table list
function results.begin(config)
  local begin = { starts = { 1 } }
  for name, value in pairs(config.begin) do begin[name] = value end
  return begin
end

---Computes what is missing, the list of the start page last.
---@param config table
---@param embeddings vkd.Embeddings
---@param ids string[]
---@return site.Computed[]
function results.compute(config, embeddings, ids)
  local reports = {}
  for i, list in ipairs(config.lists) do
    reports[i] = compute(config, embeddings, ids, list)
  end
  reports[#reports + 1] = compute(config, embeddings, ids, results.begin(config))
  return reports
end

---A list of one item as pages show it.
---@class site.Picks
---@field ids string[]
---@field similarities? number[] Of neighbours.

---@class site.List
---@field list table As in the configuration.
---@field open vkd.Sequences|vkd.Neighbors

---Opens a results file.
---@param config table
---@param list table
---@return site.List
function results.open(config, list)
  return { list = list, open = assert(vkd.open(results.path(config, list))) }
end

-- A file may hold longer rows than asked for, from an earlier build.
local function cut(values, first, length)
  local part = {}
  for place = first, math.min(first + length - 1, #values) do part[#part + 1] = values[place] end
  return part
end

---The picks of an item, without the item itself.
---@param opened site.List
---@param id string
---@return site.Picks
function results.picks(opened, id)
  local list, open = opened.list, opened.open
  local row = assert(open:find(id))
  local ids = assert(open:ids(row))
  if not list.neighbors then return { ids = cut(ids, 2, list.length) } end
  local _, similarities = open:row(row)
  return { ids = cut(ids, 1, list.length), similarities = cut(similarities, 1, list.length) }
end

return results
