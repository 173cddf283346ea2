-- Reads a JSON file of embeddings in one way, in a process of its own.
--
--   luajit json_reader.lua vkd|cjson|lua FILE    prints seconds, the share of the file, and bytes
--
-- "lua" parses the first items alone, some 5 MB. The bytes are those of the process at the most.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
package.path = here .. "../../lua/?.lua;" .. here .. "?.lua;" .. package.path
local how, path = arg[1], arg[2]

local now = dofile(here .. "../clock.lua")

-- A line of /proc/self/status in bytes.
local function status(name)
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^" .. name .. ":%s*(%d+)")
    if kilobytes then return kilobytes * 1024 end
  end
end

local function read()
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local readers = {}

function readers.vkd()
  local vkd = require("vkd")
  return function() return assert(vkd.load(path)), 1 end
end

function readers.cjson()
  local cjson = require("cjson")
  return function() return cjson.decode(read()), 1 end
end

function readers.lua()
  local parse = require("json_lua")
  local text = read()
  local last = text:sub(1, 5000000):match(".*()}, {")
  local sample = text:sub(1, last) .. "]}"
  return function() return parse(sample), #sample / #text end
end

local work = readers[how]()
local before, begin = status("VmRSS"), now()
local kept, share = work()
local seconds = now() - begin
assert(kept)
print(seconds, share, status("VmHWM") - before)
