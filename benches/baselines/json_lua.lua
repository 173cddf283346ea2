-- JSON in plain Lua: a parser by recursive descent, as scripts carry it with them.

local find, sub, byte = string.find, string.sub, string.byte

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local CONSTANTS = { ["true"] = true, ["false"] = false }

local value

local function utf8(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xc0 + math.floor(code / 64), 0x80 + code % 64) end
  return string.char(0xe0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64,
    0x80 + code % 64)
end

local function unescaped(text)
  text = text:gsub("\\u(%x%x%x%x)", function(hex) return utf8(tonumber(hex, 16)) end)
  return (text:gsub("\\(.)", function(letter) return ESCAPES[letter] or letter end))
end

local function text_at(text, at)
  local from = at + 1
  while true do
    local quote = assert(find(text, '["\\]', at + 1), "a string has no end")
    if byte(text, quote) == 34 then
      local found = sub(text, from, quote - 1)
      return find(found, "\\", 1, true) and unescaped(found) or found, quote + 1
    end
    at = quote + 1
  end
end

local function array_at(text, at)
  local items, count = {}, 0
  at = find(text, "[^ \t\r\n]", at + 1)
  if byte(text, at) == 93 then return items, at + 1 end
  while true do
    count = count + 1
    items[count], at = value(text, at)
    at = find(text, "[^ \t\r\n]", at)
    if byte(text, at) == 93 then return items, at + 1 end
    assert(byte(text, at) == 44, "no comma")
    at = at + 1
  end
end

local function object_at(text, at)
  local members = {}
  at = find(text, "[^ \t\r\n]", at + 1)
  if byte(text, at) == 125 then return members, at + 1 end
  while true do
    local key, after = text_at(text, find(text, '"', at, true))
    at = assert(find(text, ":", after, true), "no colon") + 1
    members[key], at = value(text, at)
    at = find(text, "[^ \t\r\n]", at)
    if byte(text, at) == 125 then return members, at + 1 end
    assert(byte(text, at) == 44, "no comma")
    at = at + 1
  end
end

function value(text, at)
  at = assert(find(text, "[^ \t\r\n]", at), "the text ends")
  local letter = byte(text, at)
  if letter == 91 then return array_at(text, at) end
  if letter == 123 then return object_at(text, at) end
  if letter == 34 then return text_at(text, at) end
  local _, last = find(text, "^[%w%.+-]+", at)
  local word = sub(text, at, assert(last, "no JSON value"))
  if CONSTANTS[word] ~= nil then return CONSTANTS[word], last + 1 end
  return word ~= "null" and assert(tonumber(word), "no JSON value") or nil, last + 1
end

return function(text) return (value(text, 1)) end
