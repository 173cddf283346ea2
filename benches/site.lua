-- The example site: seconds to compute its lists and map, to write its pages with 1, 2 and 4
-- processes, and to find that nothing has changed.
--
--     luajit benches/site.lua [CORPUS.npy [ROUNDS]]     default: the Psalms, 3 rounds
--
-- Of another corpus the ids stand for the texts. Medians of the rounds; the sites lie in a
-- temporary folder.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
local example = here .. "../examples/site/"
package.path = example .. "?.lua;" .. here .. "../lua/?.lua;" .. package.path
local site = require("site")

local WORKERS = { 1, 2, 4 }
local corpus, rounds = arg[1], tonumber(arg[2] or 3)

local folder = os.tmpname()
os.remove(folder)
assert(os.execute("mkdir " .. folder) == 0)

local function write_config(path)
  local file = assert(io.open(path, "w"))
  file:write(("local config = dofile(%q)\n"):format(example .. "config.lua"))
  if corpus then
    file:write(("config.texts, config.group_of, config.embeddings = nil, nil, %q\n"):format(corpus))
  end
  file:write(("config.site, config.results = %q, %q\nreturn config\n"):format(folder .. "/site",
    folder .. "/results"))
  file:close()
end

local function median(values)
  table.sort(values)
  return values[math.floor(#values / 2) + 1]
end

local config = folder .. "/config.lua"
write_config(config)

-- A build of nothing, then one that finds all there: three times.
local function measure(workers)
  local compute, write, again, report = {}, {}, {}, nil
  for round = 1, rounds do
    os.execute(("rm -rf %s/site %s/results && sync"):format(folder, folder))
    report = site.build(config, workers)
    compute[round], write[round] = report.compute_seconds, report.write_seconds
    local second = site.build(config, workers)
    assert(second.written == 0, "the second build wrote something")
    again[round] = second.seconds
  end
  return report, median(compute), median(write), median(again)
end

print("processes   compute   write pages   nothing to do   (seconds)")
local items
for _, workers in ipairs(WORKERS) do
  local report, compute, write, again = measure(workers)
  items = report.items
  print(("%9d   %7.2f   %11.2f   %13.2f"):format(workers, compute, write, again))
end
local pipe = assert(io.popen("du -sm " .. folder .. "/site"))
print(("%d items, a site of %s MB"):format(items, pipe:read("*a"):match("%d+")))
pipe:close()
os.execute("rm -rf " .. folder)
