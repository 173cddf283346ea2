-- Orders the 2,461 verses of the Psalms by diversity, from every verse, and shows how the sequence
-- from Psalms 23:1 begins: each next verse is the one least similar to the centroid of those
-- before.
-- Runs from any folder: luajit examples/psalms.lua. A module of the example site reads the texts.

local here = arg[0]:match("^(.*[/\\])") or "./"
package.path = here .. "../lua/?.lua;" .. here .. "site/?.lua;" .. package.path
local vkd = require("vkd")
local jsonl = require("jsonl")

local FIRST, SHOWN = "Psalms 23:1", 10

local function fail(message)
  io.stderr:write("psalms: ", tostring(message), "\n")
  os.exit(1)
end

local function dot(a, b)
  local sum = 0
  for d = 1, #a do sum = sum + a[d] * b[d] end
  return sum
end

local function distance(a, b)
  return 1 - dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))
end

local function grouped(number)
  local text = ("%.0f"):format(number):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

-- Cuts a text to a width, between words where that loses little.
local function shorten(text, width)
  if #text <= width then return text end
  local cut = text:sub(1, width - 3)
  return (cut:match("^(.*%w)%W+%w*$") or cut) .. "..."
end

local function show_report(sequences, report)
  print(("%s sequences of %s verses on %s"):format(
    grouped(sequences.count), grouped(sequences.length), report.device))
  for _, phase in ipairs({ "prepare", "upload", "matrix", "steps", "download" }) do
    print(("  %-10s %8.3f s"):format(phase, report[phase .. "_seconds"]))
  end
  print(("  %-10s %8.3f s  %s picks, %s picks/s"):format("total", report.seconds,
    grouped(report.steps), grouped(report.steps / math.max(report.steps_seconds, 1e-9))))
end

local function show_sequence(verses, embeddings, items)
  local columns = vkd.terminal_width(io.stdout) or 100
  local start = embeddings:row(items[1])
  local sum = {}
  for d = 1, #start do sum[d] = 0 end
  print(("\nFrom %s, each verse least like the centroid of those before it"):format(
    verses[items[1]].id))
  print("    centroid  " .. "start   verse")
  for k = 1, math.min(SHOWN, #items) do
    local verse, row = verses[items[k]], embeddings:row(items[k])
    local to_centroid = k == 1 and "start" or ("%.3f"):format(distance(row, sum))
    local line = ("%2d  %8s  %.3f   %-14s "):format(k, to_centroid, distance(row, start), verse.id)
    print(line .. shorten(verse.text, math.max(columns - #line, 20)))
    for d = 1, #row do sum[d] = sum[d] + row[d] end
  end
end

local function main()
  local embeddings, why = vkd.load_npy(here .. "data/psalms.npy")
  if not embeddings then fail(why) end
  local verses, missing = jsonl.texts(here .. "data/psalms.jsonl")
  if not verses then fail(missing) end
  if #verses ~= embeddings.num_items then
    fail(("%d verses, but %d embeddings"):format(#verses, embeddings.num_items))
  end
  local first
  for i, verse in ipairs(verses) do
    if verse.id == FIRST then first = i end
  end
  if not first then fail("there is no " .. FIRST) end

  local sequences, report = vkd.batch_compute(embeddings, { progress = true })
  if not sequences then fail(report) end
  show_report(sequences, report)
  show_sequence(verses, embeddings, sequences:row(first))
end

local fine, message = pcall(main)
if not fine then fail(message) end
