-- The example site: seconds to compute its lists and map, to write its pages with 1, 2 and 4
-- processes, and to find that nothing has changed.
--
--     luajit benches/site.lua [CORPUS.npy [FOLDER]]     default: the Psalms, a temporary folder
--
-- Of another corpus the ids stand for the texts. The best of the rounds counts. Each has a folder
-- of its own, and all are removed in the end: ext4 is slow to make files while many were just
-- removed.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
local example = here .. "../examples/site/"
package.path = example .. "?.lua;" .. here .. "../lua/?.lua;" .. package.path
local site = require("site")

local WORKERS, ROUNDS = { 1, 2, 4 }, 5
local corpus = arg[1]

local folder = arg[2] and arg[2] .. "/vkd-bench-site" or os.tmpname()
os.remove(folder)
assert(os.execute("mkdir " .. folder) == 0)

-- A configuration with a folder of its own.
local configs = 0
local function new_config()
  configs = configs + 1
  local path = ("%s/%d.lua"):format(folder, configs)
  local file = assert(io.open(path, "w"))
  file:write(("local config = dofile(%q)\n"):format(example .. "config.lua"))
  if corpus then
    file:write(("config.texts, config.group_of, config.embeddings = nil, nil, %q\n"):format(corpus))
  end
  local name = ("%s/%d"):format(folder, configs)
  file:write(("config.site, config.results = %q, %q\nreturn config\n"):format(name,
    name .. "-results"))
  file:close()
  return path
end

-- A build from nothing, then one that finds all there.
local function measure(workers)
  local least, items = { compute = math.huge, write = math.huge, again = math.huge }, nil
  for _ = 1, ROUNDS do
    os.execute("sync")
    local config = new_config()
    local first = site.build(config, workers)
    local second = site.build(config, workers)
    assert(second.written == 0, "the second build wrote something")
    least.compute = math.min(least.compute, first.compute_seconds)
    least.write = math.min(least.write, first.write_seconds)
    least.again = math.min(least.again, second.seconds)
    items = first.items
  end
  return least, items
end

print("processes   compute   write pages   nothing to do   (seconds)")
local items
for _, workers in ipairs(WORKERS) do
  local least, count = measure(workers)
  items = count
  print(("%9d   %7.2f   %11.2f   %13.2f"):format(workers, least.compute, least.write,
    least.again))
end
local pipe = assert(io.popen("du -sm " .. folder .. "/1"))
print(("%d items, a site of %s MB"):format(items, pipe:read("*a"):match("%d+")))
pipe:close()
os.execute("rm -rf " .. folder)
