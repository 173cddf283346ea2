-- What all pages share: the frame around them, and items as links.

local template = require("template")
local unicode = require("unicode")

local layout = {}

local FRAME = [[
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="{description}">
<title>{title}</title>
<link rel="icon" href="{root}icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{root}style.css">
{scripts}</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="home" href="{root}index.html">{site}</a>
<nav aria-label="Site">
<ul>
<li><a href="{root}index.html">Map</a></li>
<li><a href="{root}all.html">All {items}</a></li>
<li><a href="{root}about.html">About</a></li>
</ul>
</nav>
<form role="search" action="{root}search.html">
<label for="q">Search</label>
<input id="q" name="q" type="search" autocomplete="off">
<button>Go</button>
</form>
</header>
<main id="main" tabindex="-1">
{main}</main>
<footer>
<p>{about}</p>
<p><a href="{root}about.html">How this site was made</a></p>
</footer>
</body>
</html>
]]

---@class site.Page
---@field title string Empty: the title of the site alone.
---@field description string
---@field main site.Markup
---@field root? string The way to the start page's folder, with a slash behind it.
---@field scripts? string[] Beside site.js.

---A whole page.
---@param config table
---@param page site.Page
---@return string html
function layout.page(config, page)
  local root, scripts = page.root or "", {}
  for _, name in ipairs(page.scripts or {}) do
    scripts[#scripts + 1] = template.fill('<script src="{name}" defer></script>\n',
      { name = root .. name })
  end
  scripts[#scripts + 1] = template.fill('<script src="{root}site.js" defer></script>\n',
    { root = root })
  return template.fill(FRAME, {
    language = config.language, site = config.title, items = config.items, about = config.about,
    title = page.title == "" and config.title or page.title .. " \226\128\147 " .. config.title,
    description = page.description, scripts = template.join(scripts), root = root,
    main = page.main,
  }).html
end

---Where the page of an item is, seen from the start page.
---@param corpus site.Corpus
---@param item integer
---@return string
function layout.item_path(corpus, item) return "items/" .. corpus.names[item] .. ".html" end

-- Each stands in many lists.
local excerpts = setmetatable({}, { __mode = "k" })

---The text of an item, cut for a list; of one without a text of its own nothing.
---@param config table
---@param corpus site.Corpus
---@param item integer
---@return site.Markup
function layout.excerpt(config, corpus, item)
  excerpts[corpus] = excerpts[corpus] or {}
  local known = excerpts[corpus]
  if known[item] then return known[item] end
  local text = corpus.texts[item]
  known[item] = text == corpus.ids[item] and template.fill("")
    or template.fill("\n<p>{text}</p>", { text = unicode.shorten(text, config.excerpt) })
  return known[item]
end

return layout
