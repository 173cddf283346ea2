-- What a worker pays to receive rows of results: mapped from the file, as Lua tables, as JSON, and
-- from a shared table of effil where that is installed.
--
--   luajit benches/workers.lua [FILE [ROWS]]     without FILE: the Psalms, into a temporary file
--
-- Workers in other Lua states take only strings, numbers and what their thread library shares. So
-- rows that are not mapped are turned into text by the one and back by the other, or lie in a table
-- where every access takes a lock. All but the mapped rows run on a sample of ROWS rows and are
-- scaled to all.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
package.path = here .. "../lua/?.lua;" .. package.path
local vkd = require("vkd")
local path, sample = arg[1], tonumber(arg[2] or 200)

local now = dofile(here .. "clock.lua")

-- Seconds of the processor, which with one thread are those of the clock where nothing else runs,
-- and the bytes of Lua memory that what `work` returns takes.
local function timed(work)
  collectgarbage()
  local before, begin = collectgarbage("count"), os.clock()
  local kept = work()
  local seconds = os.clock() - begin
  local bytes = (collectgarbage("count") - before) * 1024
  return seconds, bytes, kept
end

local temporary
if not path then
  temporary = os.tmpname()
  os.remove(temporary) -- An empty file would be refused: it holds no results.
  local psalms = assert(vkd.load_npy(here .. "../examples/data/psalms.npy"))
  assert(vkd.batch_compute(psalms, { output = temporary }))
  path = temporary
end

local results
local open_seconds = timed(function() results = assert(vkd.open(path)) end)
if temporary then os.remove(temporary) end -- It stays mapped.
sample = math.min(sample, results.count)
local scale = results.count / sample

local function report(name, seconds, bytes)
  print(("%-44s %10.4f s %10.1f MB of Lua memory"):format(name, seconds, bytes / 1e6))
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

-- One access to a table, in nanoseconds. A plain table takes many more rounds to be measurable.
local DIM = 384
local function access(numbers, rounds)
  local write = timed(function()
    for i = 1, rounds do numbers[i % DIM + 1] = i * 0.5 end
  end)
  local total = 0
  local read = timed(function()
    for i = 1, rounds do total = total + numbers[i % DIM + 1] end
  end)
  return write / rounds * 1e9, read / rounds * 1e9
end

local function report_access(name, write, read)
  print(("%-44s %8.1f ns to write %8.1f ns to read"):format(name, write, read))
end

report_access("plain Lua table, one access", access({}, 1e8))

local installed, effil = pcall(require, "effil")
if not installed then
  print("effil is not installed: what a shared table costs is not measured")
  os.exit(0)
end
report_access("shared table of effil, one access", access(effil.table(), 1e6))

-- A shared accumulator: threads that add to the same 384 numbers. Nothing keeps an addition of one
-- from being lost between the read and the write of the other: only single accesses are locked.
local function add(shared, rounds, dim)
  for i = 1, rounds do
    local d = i % dim + 1
    shared[d] = shared[d] + 1
  end
end

local ADDITIONS = 4e5
for _, threads in ipairs({ 1, 2 }) do
  local shared, running = effil.table(), {}
  for d = 1, DIM do shared[d] = 0 end
  local begin = now()
  for i = 1, threads do running[i] = effil.thread(add)(shared, ADDITIONS / threads, DIM) end
  for _, thread in ipairs(running) do thread:wait() end
  local took, kept = now() - begin, 0
  for d = 1, DIM do kept = kept + shared[d] end
  print(("%-44s %8.1f ns, of %d additions %d kept"):format(
    ("shared accumulator, %d thread%s, an addition"):format(threads, threads > 1 and "s" or ""),
    took / ADDITIONS * 1e9, ADDITIONS, kept))
end

-- Rows put into shared tables by the one, copied to local tables by the other.
local shared_sample = math.min(sample, 20)
local shared_scale = results.count / shared_sample
local rows = {}
for i = 1, shared_sample do rows[i] = results:row(i) end
local shared
seconds = timed(function()
  shared = effil.table()
  for i = 1, shared_sample do shared[i] = rows[i] end
end)
report("into shared tables, scaled", seconds * shared_scale, 0)
seconds, bytes = timed(function()
  local copies = {}
  for i = 1, shared_sample do
    local from, copy = shared[i], {}
    for k = 1, results.length do copy[k] = from[k] end
    copies[i] = copy
  end
  return copies
end)
report("from shared tables into local ones, scaled", seconds * shared_scale, bytes * shared_scale)
