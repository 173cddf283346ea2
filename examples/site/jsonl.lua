-- Reads the strings of JSON Lines: an object on each line, of which other members are skipped.

local unicode = require("unicode")

local jsonl = {}

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

-- The text of a JSON string without its quotes. Escaped backslashes step aside first, so that what
-- follows one is not taken for an escape.
local function unescape(text)
  if not text:find("\\", 1, true) then return text end
  return (text:gsub("\\\\", "\\u005c")
    :gsub("\\u([dD][89aAbB]%x%x)\\u([dD][c-fC-F]%x%x)", function(high, low)
      return unicode.encode(0x10000 + (tonumber(high, 16) - 0xD800) * 1024
        + tonumber(low, 16) - 0xDC00)
    end)
    :gsub("\\([^u])", function(letter) return ESCAPES[letter] or letter end)
    :gsub("\\u(%x%x%x%x)", function(code) return unicode.encode(tonumber(code, 16)) end))
end

-- The place of the quote that ends the string that begins behind `at`.
local function string_end(line, at)
  local place = at + 1
  while true do
    place = line:find('["\\]', place)
    if not place then return nil end
    if line:byte(place) == 34 then return place end
    place = place + 2
  end
end

-- The place behind a value that is no string: a word, or a list or object with all that is in it.
local function skip(line, at)
  local depth = 0
  while at do
    at = line:find('["%[%]{},]', at)
    if not at then return nil end
    local letter = line:sub(at, at)
    if depth == 0 and (letter == "," or letter == "}") then return at end
    if letter == "[" or letter == "{" then depth = depth + 1 end
    if letter == "]" or letter == "}" then depth = depth - 1 end
    if letter == '"' then at = string_end(line, at) end
    at = at and at + 1
  end
end

---The members of an object that are strings.
---@param line string
---@return table<string, string>? members nil where this is no object.
function jsonl.strings(line)
  local members = {}
  local at = line:match("^%s*{%s*()")
  if not at then return nil end
  while line:sub(at, at) == '"' do
    local key_end = string_end(line, at)
    local value = key_end and line:match("^%s*:%s*()", key_end + 1)
    if not value then return nil end
    local after
    if line:sub(value, value) == '"' then
      after = string_end(line, value)
      if not after then return nil end
      members[unescape(line:sub(at + 1, key_end - 1))] = unescape(line:sub(value + 1, after - 1))
      after = after + 1
    else
      after = skip(line, value)
      if not after then return nil end
    end
    at = line:match("^%s*,%s*()", after) or line:match("^%s*()", after)
  end
  return line:match("^}%s*$", at) and members or nil
end

---An item of a corpus.
---@class site.Text
---@field id string
---@field text string

---Reads a file of objects that have an "id" and a "text".
---@param path string
---@return site.Text[]? texts
---@return string? message
function jsonl.texts(path)
  local file, why = io.open(path, "r")
  if not file then return nil, why end
  local texts = {}
  for line in file:lines() do
    local members = jsonl.strings(line)
    if not members or (members.id or "") == "" or not members.text then
      file:close()
      return nil, ("%s:%d: no object with an \"id\" and a \"text\""):format(path, #texts + 1)
    end
    texts[#texts + 1] = { id = members.id, text = unicode.sound(members.text) }
  end
  file:close()
  return texts
end

return jsonl
