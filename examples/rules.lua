-- What follows Psalms 23:1 by each of the four rules, side by side.
-- Runs from any folder: luajit examples/rules.lua

local here = arg[0]:match("^(.*[/\\])") or "./"
package.path = here .. "../lua/?.lua;" .. package.path
local vkd = require("vkd")

local FIRST, SHOWN = "Psalms 23:1", 10

local LISTS = {
  { title = "centroid", options = { rule = "centroid" } },
  { title = "farthest", options = { rule = "farthest" } },
  { title = "mmr, lambda 0.7", options = { rule = "mmr", lambda = 0.7 } },
  { title = "chain", options = { rule = "chain" } },
}

-- The ids of the verses, in order. They need no unescaping.
local function load_ids(path)
  local ids = {}
  for line in io.lines(path) do
    ids[#ids + 1] = assert(line:match('"id"%s*:%s*"([^"]*)"'), path .. ": a line without an id")
    if ids[#ids] == FIRST then ids.first = #ids end
  end
  assert(ids.first, "there is no " .. FIRST)
  return ids
end

local function column(embeddings, ids, options)
  options.starts, options.length, options.values = { ids.first }, SHOWN, true
  local sequences = assert(vkd.batch_compute(embeddings, options))
  local items, values, lines = sequences:row(1), sequences:values(1), {}
  for place, item in ipairs(items) do
    local value = place == 1 and "" or ("%6.3f"):format(values[place])
    lines[place] = ("%-15s%7s"):format(ids[item], value)
  end
  return lines
end

local function main()
  local embeddings = assert(vkd.load_npy(here .. "data/psalms.npy"))
  local ids = load_ids(here .. "data/psalms.jsonl")
  local columns, titles = {}, {}
  for i, list in ipairs(LISTS) do
    columns[i] = column(embeddings, ids, list.options)
    titles[i] = ("%-22s"):format(list.title)
  end
  print("    " .. table.concat(titles, "   "))
  for place = 1, SHOWN do
    local cells = {}
    for i = 1, #columns do cells[i] = columns[i][place] end
    print(("%2d  %s"):format(place, table.concat(cells, "   ")))
  end
end

local fine, message = pcall(main)
if not fine then
  io.stderr:write("rules: ", tostring(message), "\n")
  os.exit(1)
end
