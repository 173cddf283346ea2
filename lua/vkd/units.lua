-- Counts and sizes in messages, as src/units.rs writes them: grouped by thousands, bytes with a
-- unit before them. Numbers of items and rows stay as they are, so that they can be looked up.

local units = {}

---A count: "1,234,567".
---@param number number
---@return string
function units.count(number)
  local digits = ("%.0f"):format(number)
  local first = (#digits - 1) % 3 + 1
  return digits:sub(1, first) .. digits:sub(first + 1):gsub("%d%d%d", ",%0")
end

local UNITS = { "kB", "MB", "GB", "TB", "PB", "EB" }

---A size: "1.5 GB (1,500,000,000 bytes)".
---@param number number
---@return string
function units.bytes(number)
  if number < 1000 then return ("%d %s"):format(number, number == 1 and "byte" or "bytes") end
  local size, unit = number / 1000, 1
  -- From here on one decimal is rounded to "1000.0".
  while size >= 999.95 and unit < #UNITS do size, unit = size / 1000, unit + 1 end
  return ("%.1f %s (%s bytes)"):format(size, UNITS[unit], units.count(number))
end

---A count with its noun: "1 item", "2 items".
---@param number number
---@param noun string
---@return string
function units.many(number, noun)
  return ("%s %s%s"):format(units.count(number), noun, number == 1 and "" or "s")
end

return units
