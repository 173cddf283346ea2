-- Reading embeddings from JSON: `vkd.load` beside Python's json, lua-cjson and a parser in plain
-- Lua, each in a process of its own and one after the other, five times; the best counts. And the
-- same embeddings from the file that `embeddings:write` makes.
--
--   luajit benches/json_load.lua [FILE]      default: 7,797 items of 768 dimensions, made once

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
package.path = here .. "../lua/?.lua;" .. package.path
local vkd = require("vkd")

local ROUNDS = 5
local baselines = here .. "baselines/"
local path = arg[1] or "target/embeddings.json"

local function exists(name)
  local file = io.open(name, "rb")
  if file then file:close() end
  return file ~= nil
end

if not exists(path) then
  local made = os.execute(("/usr/bin/python3 %sjson_corpus.py %s 7797 768"):format(baselines, path))
  assert(made == 0 or made == true, "the file was not made")
end

-- What a reader prints: the seconds that the whole file would take, and bytes.
local function run(command)
  local pipe = assert(io.popen(command .. " " .. path))
  local seconds, share, bytes = pipe:read("*n", "*n", "*n")
  pipe:close()
  assert(bytes, command .. " has failed")
  return seconds / share, share == 1 and bytes or nil
end

local READERS = {
  { "vkd.load", ("luajit %sjson_reader.lua vkd"):format(baselines) },
  { "Python's json", ("/usr/bin/python3 %sjson_python.py"):format(baselines) },
  { "lua-cjson", ("luajit %sjson_reader.lua cjson"):format(baselines) },
  { "plain Lua, a sample", ("luajit %sjson_reader.lua lua"):format(baselines) },
}

local best = {}
for _ = 1, ROUNDS do
  for i, reader in ipairs(READERS) do
    local seconds, bytes = run(reader[2])
    local found = best[i] or { seconds = math.huge }
    best[i] = { seconds = math.min(found.seconds, seconds), bytes = bytes }
  end
end

local embeddings = assert(vkd.load(path))
local values = embeddings.num_items * embeddings.dim * 4
local file = assert(io.open(path, "rb"))
local size = file:seek("end")
file:close()
print(("%d items of %d dimensions: %.0f MB of JSON, %.0f MB of values"):format(
  embeddings.num_items, embeddings.dim, size / 1e6, values / 1e6))
for i, reader in ipairs(READERS) do
  local seconds, bytes = best[i].seconds, best[i].bytes
  local memory = bytes and ("; memory %.2f of the values"):format(bytes / values) or ""
  print(("%-20s %7.3f s, %6.0f MB/s, %6.1f times%s"):format(reader[1], seconds,
    size / seconds / 1e6, seconds / best[1].seconds, memory))
end

local written = os.tmpname()
os.remove(written)
assert(embeddings:write(written))
local time = os.clock()
for _ = 1, 100 do assert(vkd.load(written)):free() end
print(("written as safetensors and opened: %.3f ms"):format((os.clock() - time) * 10))
os.remove(written)
