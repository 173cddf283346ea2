-- Builds a site, step by step: texts, results, map, pages of items, the other pages. Nothing is
-- written that is there already, and what no longer belongs to the site is removed.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
local vkd = require("vkd")
local corpora = require("corpus")
local files = require("files")
local layout = require("layout")
local map = require("map")
local results = require("results")
local search = require("search")
local start = require("start")
local times = require("times")

local site = {}

local ASSETS = { "style.css", "site.js", "icon.svg" }

---What a build did.
---@class site.Report
---@field items integer
---@field computed string[] Names of the lists that were computed.
---@field written integer Files that were made or changed.
---@field removed integer
---@field workers integer
---@field compute_seconds number Reading, lists and map.
---@field write_seconds number Pages of items.
---@field seconds number

-- The files of the site: the fixed ones first.
local function names_of(corpus)
  local names = { "index.html", "all.html", "about.html", "search.html", "search-index.js" }
  for _, name in ipairs(ASSETS) do names[#names + 1] = name end
  for i = 1, corpus.count do names[#names + 1] = layout.item_path(corpus, i) end
  return names
end

-- The embeddings of the texts, one for each.
local function embeddings_of(config, corpus)
  local embeddings = corpora.embeddings(config)
  if embeddings.num_items ~= corpus.count then
    error(("%s holds %d texts, but %s %d embeddings; give one for each, in the same order"):format(
      config.texts, corpus.count, config.embeddings, embeddings.num_items), 0)
  end
  return embeddings
end

-- Results and the map, computed where they are missing.
local function compute(config, corpus, embeddings, report)
  local lists = results.compute(config, embeddings, corpus.ids)
  local begin = results.open(config, results.begin(config))
  local before = files.now()
  local places, drawn = map.get(config, embeddings, begin.open.fingerprint)
  local map_seconds = files.now() - before
  for _, list in ipairs(lists) do
    if list.computed then report.computed[#report.computed + 1] = list.name end
  end
  if drawn then report.computed[#report.computed + 1] = "map" end
  return { begin = begin, places = places, lists = lists, map_seconds = map_seconds,
    drawn = drawn, dim = embeddings.dim }
end

-- The pages of all items, by so many processes (nil: one for each processor); how many pages were
-- made or changed, and how many processes there were.
local function write_pages(config, config_path, workers)
  local _, each = assert(vkd.workers(workers, here .. "pages.lua", { config_path },
    { progress = true }))
  local written = 0
  for index = 1, #each do
    local path = ("%s/written-%d.txt"):format(config.results, index)
    written = written + tonumber(files.read(path))
    os.remove(path)
  end
  return written, #each
end

-- All other files; how many were made or changed.
local function write_others(config, corpus, computed, taken)
  local written = 0
  local function write(name, bytes)
    if files.write(config.site .. "/" .. name, bytes) then written = written + 1 end
  end
  write("index.html", start.page(config, corpus, computed.places, computed.begin))
  write("all.html", start.all(config, corpus))
  write("about.html", start.about(config, corpus, taken))
  write("search.html", search.page(config))
  write("search-index.js", search.index(corpus))
  for _, name in ipairs(ASSETS) do
    write(name, assert(files.read(here .. "assets/" .. name), "assets/" .. name .. " is missing"))
  end
  return written
end

---Builds the site of a configuration.
---@param config_path string
---@param workers? integer Processes that write pages. Default: one for each processor.
---@return site.Report
function site.build(config_path, workers)
  local begin, config, report = files.now(), dofile(config_path), { computed = {} }
  local corpus = corpora.read(config)
  local read_seconds = files.now() - begin
  local embeddings = embeddings_of(config, corpus)
  local names = names_of(corpus)
  files.make_folder(config.site .. "/items")
  files.make_folder(config.results)
  files.announce(config.site, names)
  local computed = compute(config, corpus, embeddings, report)
  report.compute_seconds = files.now() - begin
  local before = files.now()
  report.written, report.workers = write_pages(config, config_path, workers)
  report.write_seconds = files.now() - before
  local taken = times.of(config, computed, #report.computed > 0, {
    read = read_seconds, write = report.write_seconds, workers = report.workers })
  report.written = report.written + write_others(config, corpus, computed, taken)
  report.removed = files.keep_only(config.site, names)
  report.items, report.seconds = corpus.count, files.now() - begin
  return report
end

return site
