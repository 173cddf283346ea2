-- Checks of what callers pass. A mistake in a call raises an error that blames the caller's line,
-- no matter how deep inside the binding it is noticed.

local ffi = require("ffi")
local units = require("vkd.units")

local check = {}

-- The files of the binding lie in one folder, so a frame of the stack is ours if its source begins
-- with that folder. vkd.lua beside it ends in tail calls, which leave no frame.
local OWN = debug.getinfo(1, "S").source:match("^@.*[/\\]")

local function is_own(source)
  return OWN ~= nil and source:sub(1, #OWN) == OWN
end

---The largest number that an index or a count of the C library can have.
check.MOST = 4294967295

---Raises an error that carries the file and line of whoever called into the binding.
---@param message string
---@param ... any Arguments for string.format.
function check.misuse(message, ...)
  message = "vkd: " .. (select("#", ...) > 0 and message:format(...) or message)
  local level = 2
  local frame = debug.getinfo(level, "S")
  while frame and (frame.what == "C" or is_own(frame.source)) do
    level = level + 1
    frame = debug.getinfo(level, "S")
  end
  error(message, frame and level or 0)
end

local misuse = check.misuse

---Whether a value is an integer within limits that Lua numbers hold exactly.
---@param value any
---@param least number
---@param most number
---@return boolean
function check.is_integer(value, least, most)
  return type(value) == "number" and value >= least and value <= most and value % 1 == 0
end

---A short description of a value for error messages.
---@param value any
---@return string
function check.describe(value)
  if type(value) == "string" then
    local text = ("%q"):format(#value > 40 and value:sub(1, 40) .. "..." or value)
    -- %q breaks the line at each newline.
    return (text:gsub("\\\n", "\\n"))
  elseif type(value) == "number" or type(value) == "boolean" or value == nil then
    return tostring(value)
  elseif type(value) == "cdata" then
    return "cdata " .. tostring(ffi.typeof(value)):gsub("^ctype", "")
  end
  return "a " .. type(value)
end

local describe = check.describe

---Checks that every key of a table of options is known.
---@param options table?
---@param known table<string, string> Option names, and the Lua type or types of each value.
---@return table options
function check.options(options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then misuse("options must be a table, not %s", describe(options)) end
  for name, value in pairs(options) do
    local types = known[name]
    if not types then
      local names = {}
      for each in pairs(known) do names[#names + 1] = each end
      table.sort(names)
      misuse("there is no option %s here; there are: %s", describe(name), table.concat(names, ", "))
    end
    if not (" " .. types .. " "):find(" " .. type(value) .. " ", 1, true) then
      misuse("option %s must be a %s, not %s", name, types:gsub(" ", " or a "), describe(value))
    end
  end
  return options
end

---Several tables of known options as one.
---@param ... table<string, string>
---@return table<string, string>
function check.join(...)
  local all = {}
  for _, known in ipairs({ ... }) do
    for name, types in pairs(known) do all[name] = types end
  end
  return all
end

---A count that must be there.
---@param value any
---@param name string
---@param least integer
---@param most? number Default: what a count of the C library can be.
---@return integer
function check.count(value, name, least, most)
  most = most or check.MOST
  if not check.is_integer(value, least, most) then
    misuse("%s must be an integer from %d to %s, not %s", name, least, units.count(most),
      describe(value))
  end
  return value
end

---An optional count among the options.
---@param options table
---@param name string
---@param least integer
---@param most? number
---@return number?
function check.optional_count(options, name, least, most)
  local value = options[name]
  if value == nil then return nil end
  return check.count(value, "option " .. name, least, most)
end

---Checks that a table is a list without holes: `#` of one with holes is any of its borders. Keys
---that are no numbers do not count.
---@param list table
---@param name string
---@return integer length
function check.list(list, name)
  local count, last = 0, 0
  for key in pairs(list) do
    if type(key) == "number" then
      if not check.is_integer(key, 1, check.MOST) then
        misuse("%s[%s] is no place of a list, which is numbered from 1", name, tostring(key))
      end
      count, last = count + 1, math.max(last, key)
    end
  end
  if count < last then
    local missing = 1
    while list[missing] ~= nil do missing = missing + 1 end
    misuse("%s[%d] is nil, but %s[%d] is not: a list must have no holes", name, missing, name, last)
  end
  return count
end

---A text as C reads it, which ends it at its first NUL.
---@param text string
---@param name string
---@return ffi.cdata* text
function check.text(text, name)
  if text:find("\0", 1, true) then misuse("%s holds a NUL character", name) end
  return ffi.new("char[?]", #text + 1, text)
end

---Checks a path for C.
---@param path any
---@param name string
---@return ffi.cdata* text
function check.path(path, name)
  if type(path) ~= "string" or path == "" then
    misuse("%s must be the path of a file, not %s", name, describe(path))
  end
  return check.text(path, name)
end

---Checks the options of a file for the result.
---@param options { output?: string, overwrite?: boolean }
---@return ffi.cdata*? path
function check.output(options)
  if options.output then return check.path(options.output, "option output") end
  if options.overwrite then misuse("option overwrite goes with option output") end
  return nil
end

return check
