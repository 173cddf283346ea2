-- What a worker pays to receive rows of results: mapped from the file, as Lua tables, as JSON.
--
--   luajit benches/workers.lua FILE [ROWS]
--
-- Workers in other Lua states take only strings and numbers, so rows that are not mapped must be turned into text (or
-- packed) by the one and back by the other. Tables and JSON run on a sample of ROWS rows and are scaled to all.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
package.path = here .. "../lua/?.lua;" .. package.path
local vkd = require("vkd")
local path, sample = assert(arg[1], "which file?"), tonumber(arg[2] or 200)

-- Seconds of wall time: with one thread, the processor's time.
local function timed(work)
  collectgarbage()
  local before, begin = collectgarbage("count"), os.clock()
  local kept = work()
  local seconds = os.clock() - begin
  local bytes = (collectgarbage("count") - before) * 1024
  return seconds, bytes, kept
end

local results
local open_seconds = timed(function() results = assert(vkd.open(path)) end)
sample = math.min(sample, results.count)
local scale = results.count / sample

local function report(name, seconds, bytes)
  print(("%-28s %10.4f s %12.1f MB of Lua memory"):format(name, seconds, bytes / 1e6))
end

print(("%d sequences of %d items"):format(results.count, results.length))
report("open", open_seconds, 0)
local sum = 0
local seconds, bytes = timed(function()
  for i = 1, results.count do
    local row = results:pointer(i)
    for k = 0, results.length - 1 do sum = sum + row[k] end
  end
end)
report("read all, mapped", seconds, bytes)

seconds, bytes = timed(function()
  local rows = {}
  for i = 1, sample do rows[i] = results:row(i) end
  return rows
end)
report("as Lua tables, scaled", seconds * scale, bytes * scale)

local function json_of(row)
  return "[" .. table.concat(row, ",") .. "]"
end

local function row_of(text)
  local row, n = {}, 0
  for number in text:gmatch("%d+") do
    n = n + 1
    row[n] = tonumber(number)
  end
  return row
end

seconds, bytes = timed(function()
  local rows = {}
  for i = 1, sample do rows[i] = row_of(json_of(results:row(i))) end
  return rows
end)
report("as JSON and back, scaled", seconds * scale, bytes * scale)
