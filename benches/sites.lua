-- Writing a site: one JSON file for each item with all its neighbours, by the library's threads and
-- by a plain LuaJIT script (a sample of its files, scaled), and what the disk takes.
--
--     luajit benches/sites.lua [CORPUS.npy [FOLDER]]      default: the Psalms, a temporary folder

local ffi = require("ffi")
package.path = "lua/?.lua;" .. package.path
local vkd = require("vkd")

ffi.cdef([[
  int fsync(int file);
  int fileno(void *file);
]])

local now = dofile("benches/clock.lua")

local corpus = arg[1] or "examples/data/psalms.npy"
local folder = arg[2] and arg[2] .. "/vkd-bench-sites" or os.tmpname()
os.remove(folder)
os.execute("mkdir " .. folder)

local embeddings = assert(vkd.load_npy(corpus))
local n = embeddings.num_items
local ids = {}
for i = 1, n do ids[i] = ("text-%05d"):format(i) end
local path = folder .. "/neighbors"
local begin = now()
local results = assert(vkd.neighbors(embeddings, n, n - 1, { device = "cpu", output = path }))
print(("%d texts, all %d neighbours of each: computed into a file in %.2f s"):format(n, n - 1,
  now() - begin))

-- What scripts do: one table of strings a file.
local function page_in_lua(i, directory)
  local items, similarities = results:row(i)
  local parts = {}
  for place = 1, #items do
    parts[place] = ('{"id":"%s","similarity":%.6f}'):format(ids[items[place]], similarities[place])
  end
  local file = assert(io.open(("%s/%s.json"):format(directory, ids[i]), "w"))
  file:write('{"id":"', ids[i], '","similar":[', table.concat(parts, ","), "]}\n")
  file:close()
end

local function rate(bytes, seconds)
  return ("%.2f s, %.0f MB/s"):format(seconds, bytes / seconds / 1e6)
end

os.execute("mkdir " .. folder .. "/lua")
local SAMPLE = math.min(n, 200)
-- The first page compiles the loops.
page_in_lua(1, folder .. "/lua")
begin = now()
for i = 1, SAMPLE do page_in_lua(1 + math.floor((i - 1) * (n - 1) / SAMPLE), folder .. "/lua") end
local lua_seconds = (now() - begin) / SAMPLE * n

-- Three times, each into a folder of its own; the best counts. On a disk nothing is removed before
-- the end: ext4 is slow to make files while many were just removed. In a folder that is given (in
-- memory, say) room matters more.
local folders = 0
local function best(source, options)
  local least, bytes = math.huge, 0
  for _ = 1, 3 do
    os.execute("sync")
    folders = folders + 1
    options.directory, options.ids = ("%s/pages%d"):format(folder, folders), ids
    begin = now()
    local _, report = assert(vkd.site(source, options))
    least, bytes = math.min(least, now() - begin), report.bytes_written
    if arg[2] then os.execute("rm -rf " .. options.directory) end
  end
  return least, bytes
end

local seconds, bytes = best(results, { sync = false })
print(("vkd, left to the system to bring to the disk: %s"):format(rate(bytes, seconds)))
print(("LuaJIT, one thread, the same files, %d of them, scaled: %.1f s, %.1f times as long"):format(
  SAMPLE, lua_seconds, lua_seconds / seconds))
local synced = best(results, {})
print(("vkd, every file on the disk before it gets its name: %s"):format(rate(bytes, synced)))
local computed = best(embeddings, { device = "cpu", k = n - 1, num_items = n, sync = false })
print(("vkd, with computing the neighbours: %s"):format(rate(bytes, computed)))

-- The same bytes as one file, in pieces of 1 MB.
local function plain(sync)
  local file = assert(io.open(folder .. "/plain", "wb"))
  local piece = ("x"):rep(2 ^ 20)
  begin = now()
  for _ = 1, math.ceil(bytes / #piece) do file:write(piece) end
  file:flush()
  if sync then ffi.C.fsync(ffi.C.fileno(file)) end
  file:close()
  local took = now() - begin
  os.execute("sync")
  return took
end
print(("plain writes of as many bytes to one file: %s; with fsync: %s"):format(
  rate(bytes, plain(false)), rate(bytes, plain(true))))
os.execute("rm -rf " .. folder)
