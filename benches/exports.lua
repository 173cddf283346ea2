-- Exporting all sequences and all neighbours of a corpus in the shapes of older programs: size,
-- time, processor time and by how much the memory of the process grew at its peak.
--
--     luajit benches/exports.lua [CORPUS.npy [FOLDER]]      default: the Psalms, a temporary folder

package.path = "lua/?.lua;" .. package.path
local vkd = require("vkd")

local now = dofile("benches/clock.lua")

-- The most memory in MB that the process had since it was last asked to forget.
local function peak()
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^VmHWM:%s+(%d+)")
    if kilobytes then return kilobytes / 1000 end
  end
end

local function forget_peak()
  local file = assert(io.open("/proc/self/clear_refs", "w"))
  file:write("5")
  file:close()
end

local corpus = arg[1] or "examples/data/psalms.npy"
local folder = arg[2] and arg[2] .. "/vkd-bench-exports" or os.tmpname()
os.remove(folder)
os.execute("mkdir " .. folder)

local embeddings = assert(vkd.load_npy(corpus))
local n = embeddings.num_items
local ids = {}
for i = 1, n do ids[i] = ("text-%05d"):format(i) end
local sequences = assert(vkd.batch_compute(embeddings, n, { device = "cpu",
  output = folder .. "/sequences" }))
local neighbors = assert(vkd.neighbors(embeddings, n, n - 1, { device = "cpu",
  output = folder .. "/neighbors" }))

local function measure(results, format, keys)
  local path = folder .. "/export"
  forget_peak()
  local before, begin, processor = peak(), now(), os.clock()
  local options = { format = format, keys = keys, ids = keys == "id" and ids or nil }
  local _, report = assert(results:export(path, options))
  local seconds, used = now() - begin, os.clock() - processor
  os.remove(path)
  print(("%-16s by %-6s %5.0f MB, %.2f s, %.2f s of a processor, %.1f MB more memory"):format(
    format, keys, report.bytes_written / 1e6, seconds, used, peak() - before))
end

print(("%d texts"):format(n))
for _, keys in ipairs({ "index", "id" }) do
  measure(sequences, "diversity_cache", keys)
  measure(neighbors, "rankings", keys)
end
measure(sequences, "sequences_bin", "index")
os.execute("rm -r " .. folder)
