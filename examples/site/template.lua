-- Templates of HTML that escape what is put into them.
--
--   template.fill('<a href="{href}">{label}</a>', { href = "a.html", label = "Salt & light" })
--
-- Strings and numbers stand there as text, between tags and in quoted attributes. Only what `fill`
-- and `join` returned stands there as markup.

local unicode = require("unicode")

local template = {}

---@class site.Markup
---@field html string
local Markup = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;" }

local function markup(html) return setmetatable({ html = html }, Markup) end

---A text as HTML and SVG have it, also in attributes.
---@param text string
---@return string
function template.escape(text)
  text = unicode.sound(text)
  if not text:find("[&<>\"']") then return text end
  return (text:gsub("[&<>\"']", ENTITIES))
end

-- A template as its pieces: text and names in turn. Templates are few, so all are kept.
local pieces_of = {}

local function pieces(source)
  local parts, after = {}, 1
  for text, name, next_place in source:gmatch("([^{]*){([%w_]+)}()") do
    parts[#parts + 1], parts[#parts + 2], after = text, name, next_place
  end
  parts[#parts + 1] = source:sub(after)
  pieces_of[source] = parts
  return parts
end

local function html_of(value, name)
  if getmetatable(value) == Markup then return value.html end
  if type(value) == "string" then return template.escape(value) end
  if type(value) == "number" then return tostring(value) end
  error(("a template has no text for {%s}, but %s"):format(name, tostring(value)), 3)
end

---Puts values in the place of {names}.
---@param source string
---@param values? table<string, string|number|site.Markup>
---@return site.Markup
function template.fill(source, values)
  local parts, out = pieces_of[source] or pieces(source), {}
  for place = 1, #parts, 2 do
    out[place] = parts[place]
    local name = parts[place + 1]
    if name then out[place + 1] = html_of(values[name], name) end
  end
  return markup(table.concat(out))
end

---Markup, one piece behind the other.
---@param list site.Markup[]
---@return site.Markup
function template.join(list)
  local out = {}
  for i, piece in ipairs(list) do
    if getmetatable(piece) ~= Markup then error("only what fill returned can be joined", 2) end
    out[i] = piece.html
  end
  return markup(table.concat(out))
end

-- What would end a script, open a comment in it or break its line.
local IN_SCRIPTS = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t", ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026" }

---A text as a string of JavaScript, with its quotes.
---@param text string
---@return string
function template.script_string(text)
  local escaped = unicode.sound(text):gsub('[\\"\n\r\t<>&]', IN_SCRIPTS)
    :gsub("\226\128\168", "\\u2028"):gsub("\226\128\169", "\\u2029")
  return '"' .. escaped .. '"'
end

return template
