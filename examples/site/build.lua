-- From texts and embeddings to a finished static website.
--
--     luajit examples/site/build.lua [CONFIG.lua [WORKERS]]
--
-- Runs from any folder. For a site of your own copy this folder and change config.lua; the modules
-- beside this file are the steps, and site.lua has their order.

local here = arg[0]:match("^(.*[/\\])") or "./"
package.path = here .. "?.lua;" .. here .. "../../lua/?.lua;" .. package.path

-- A path without the steps back in it.
local function short(path)
  local count
  repeat
    path, count = path:gsub("([^/]+)/%.%./", function(name) return name ~= ".." and "" end, 1)
  until count == 0 or path:find("^%.%./")
  return path
end

local function main()
  local config_path = arg[1] or here .. "config.lua"
  local site = require("site")
  local report = site.build(config_path, tonumber(arg[2]))
  local computed = table.concat(report.computed, ", ")
  print(("%d items in %.2f s: computed %s; files written: %d, removed: %d"):format(report.items,
    report.seconds, computed == "" and "nothing" or computed, report.written, report.removed))
  print(("Look at it: open %s/index.html in a browser, or put the folder on any web server"):format(
    short(dofile(config_path).site)))
end

local fine, message = pcall(main)
if not fine then
  io.stderr:write("site: ", tostring(message), "\n")
  os.exit(1)
end
