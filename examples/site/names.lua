-- File names from ids: safe on every system, each only once, and the same in every build.
--
-- "Psalms 1:1" is called psalms-1-1. Of ids that come to the same name, the first keeps it; the
-- others get the hash of their id behind it, so that new items at the end rename nothing.

local bit = require("bit")
local unicode = require("unicode")

local names = {}

-- Longer ones are cut: with a hash and an ending the name has room on every file system.
local LONGEST = 80

-- What Windows takes for a device, with any ending.
local DEVICES = { con = true, prn = true, aux = true, nul = true }
for number = 0, 9 do
  DEVICES["com" .. number], DEVICES["lpt" .. number] = true, true
end

-- FNV-1a, of 64 bits.
local function hash(text)
  local value = 0xcbf29ce484222325ULL
  for place = 1, #text do
    value = bit.bxor(value, text:byte(place)) * 0x100000001b3ULL
  end
  return bit.tohex(value)
end

-- Letters beyond ASCII are spelled by their numbers, so that no two systems write them in two ways.
local function spelled(text)
  return (text:gsub("[\194-\244][\128-\191]+", function(letter)
    local code = unicode.decode(letter, 1)
    return code and ("u%x"):format(code) or "-"
  end))
end

---What an id is called where no other has the name: a-z, 0-9 and hyphens.
---@param id string
---@return string
function names.plain(id)
  local name = spelled(id):lower():gsub("[^a-z0-9]+", "-"):gsub("^%-", "")
  return (name:sub(1, LONGEST):gsub("%-$", ""))
end

---The names of all ids, in their order.
---@param ids string[] No two are equal.
---@return string[]
function names.of(ids)
  local all, taken, late = {}, {}, {}
  for i, id in ipairs(ids) do
    local name = names.plain(id)
    if name == "" or DEVICES[name] or taken[name] then
      late[#late + 1] = i
    else
      all[i], taken[name] = name, true
    end
  end
  for _, i in ipairs(late) do
    local plain, salted = names.plain(ids[i]), ids[i]
    local name
    repeat
      local digits = hash(salted)
      name = (plain == "" and "" or plain .. "-") .. digits
      salted = salted .. digits
    until not taken[name]
    all[i], taken[name] = name, true
  end
  return all
end

return names
