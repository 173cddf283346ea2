-- A worker: writes every n-th page of the items.
--
--     luajit pages.lua INDEX COUNT CONFIG     as vkd.workers starts it
--
-- All workers read the same results files, which are mapped and copied by none. Which worker writes
-- a page makes no difference to it.

local here = arg[0]:match("^(.*[/\\])") or "./"
package.path = here .. "?.lua;" .. here .. "../../lua/?.lua;" .. package.path
local vkd = require("vkd")
local corpora = require("corpus")
local files = require("files")
local item = require("item")
local layout = require("layout")
local results = require("results")

local index, count, config = tonumber(arg[1]), tonumber(arg[2]), dofile(arg[3])

local corpus, lists, written = corpora.read(config), {}, 0
for i, list in ipairs(config.lists) do lists[i] = results.open(config, list) end
for i = index, corpus.count, count do
  local page = item.page(config, corpus, lists, i)
  if files.write(config.site .. "/" .. layout.item_path(corpus, i), page) then
    written = written + 1
  end
  vkd.report_progress(i / corpus.count)
end
files.write(("%s/written-%d.txt"):format(config.results, index), written .. "\n")
