-- What the results files of a site hold, as JSON for check.mjs:
--
--     luajit tests/site/dump.lua RESULTS-FOLDER LIST... >lists.json
--
-- An object of each list: of each id the ids of its picks, without itself, and of neighbours the
-- similarities.

package.path = "lua/?.lua;" .. package.path
local vkd = require("vkd")

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(letter)
    return ("\\u%04x"):format(letter:byte())
  end) .. '"'
end

local function array(list, format)
  local parts = {}
  for i, value in ipairs(list) do parts[i] = format(value) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function rounded(number) return ("%.2f"):format(number) end

local function row_of(results, i)
  local ids = results:ids(i)
  if results.k then
    local _, similarities = results:row(i)
    return results:id(i), ('{"ids":%s,"similarities":%s}'):format(array(ids, quoted),
      array(similarities, rounded))
  end
  return table.remove(ids, 1), ('{"ids":%s}'):format(array(ids, quoted))
end

local lists = {}
for place = 2, #arg do
  local results = assert(vkd.open(("%s/%s.safetensors"):format(arg[1], arg[place])))
  local rows = {}
  for i = 1, results.count do
    local id, row = row_of(results, i)
    rows[i] = quoted(id) .. ":" .. row
  end
  lists[#lists + 1] = quoted(arg[place]) .. ":{" .. table.concat(rows, ",\n") .. "}"
end
print("{" .. table.concat(lists, ",\n") .. "}")
