-- UTF-8: a code point as bytes, and texts that hold nothing else.

local unicode = {}

local REPLACEMENT = "\239\191\189"

---A code point in UTF-8; U+FFFD for what is no character.
---@param code integer
---@return string
function unicode.encode(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then
    return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
  end
  if code > 0x10FFFF or (code >= 0xD800 and code < 0xE000) then return REPLACEMENT end
  if code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64,
      0x80 + code % 64)
  end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

---The code point that begins at `at`, and the place behind it; nil where none does.
---@param text string
---@param at integer
---@return integer? code
---@return integer? after
function unicode.decode(text, at)
  local lead = text:byte(at)
  if lead < 0x80 then return lead, at + 1 end
  if lead < 0xC2 or lead > 0xF4 then return nil end
  local more = lead < 0xE0 and 1 or lead < 0xF0 and 2 or 3
  local code = lead % 2 ^ (6 - more)
  for place = at + 1, at + more do
    local byte = text:byte(place)
    if not byte or byte < 0x80 or byte > 0xBF then return nil end
    code = code * 64 + byte - 0x80
  end
  -- Not longer than it must be, no half of a pair, not beyond the last.
  local least = more == 1 and 0x80 or more == 2 and 0x800 or 0x10000
  if code < least or code > 0x10FFFF or (code >= 0xD800 and code < 0xE000) then return nil end
  return code, at + more + 1
end

local function sound_run(run)
  local parts, at = {}, 1
  while at <= #run do
    local code, after = unicode.decode(run, at)
    parts[#parts + 1] = code and run:sub(at, after - 1) or REPLACEMENT
    at = after or at + 1
  end
  return table.concat(parts)
end

---The text, with U+FFFD for each byte that is not part of a character, and for control characters
---that no page may hold.
---@param text string
---@return string
function unicode.sound(text)
  if not text:find("[%z\1-\8\11\12\14-\31\127-\255]") then return text end
  return (text:gsub("[\128-\255]+", sound_run):gsub("[%z\1-\8\11\12\14-\31\127]", REPLACEMENT))
end

---Cuts a text to about `bytes` bytes, between words where that loses little.
---@param text string
---@param bytes integer
---@return string
function unicode.shorten(text, bytes)
  if #text <= bytes then return text end
  -- No character is cut in two: those bytes continue one.
  while bytes > 0 and text:byte(bytes + 1) >= 0x80 and text:byte(bytes + 1) < 0xC0 do
    bytes = bytes - 1
  end
  local cut = text:sub(1, bytes)
  local whole = cut:match("^(.*[^%s%p])[%s%p]+[^%s]*$")
  return (whole and #whole > bytes / 2 and whole or cut) .. "\226\128\166"
end

return unicode
