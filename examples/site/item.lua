-- The page of one item: its text, its lists, and the ways to the items around it.

local layout = require("layout")
local results = require("results")
local template = require("template")
local unicode = require("unicode")
local fill, join = template.fill, template.join

local item = {}

local MAIN = [[
<article>
<h1>{id}</h1>
{text}</article>
<nav class="around" aria-label="Around this {item}">
<ul>
{around}</ul>
</nav>
<div class="lists">
{lists}</div>
]]

local LIST = [[
<section class="{class}" aria-labelledby="{name}">
<h2 id="{name}">{title}</h2>
<p class="note">{note}</p>
<ol data-list="{name}" data-walk="{walk}">
{entries}</ol>
</section>
]]

local ENTRY = '<li><a href="{href}">{id}</a>{bar}{text}</li>\n'
-- The number says it all; the bar is for the eye alone.
local BAR = [[
 <span class="similarity"><span class="hidden">similarity </span>{number}</span>
<svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">]]
  .. [[<rect width="{width}" height="3"/></svg>]]

local function bar(similarity)
  if not similarity then return fill("") end
  local part = math.max(0, math.min(1, similarity))
  return fill(BAR, { number = ("%.2f"):format(similarity), width = ("%.1f"):format(part * 100) })
end

-- Pages of items lie side by side.
local function href(corpus, place) return corpus.names[place] .. ".html" end

local function list_of(config, corpus, opened, id)
  local list, picks = opened.list, results.picks(opened, id)
  local entries = {}
  for place, picked in ipairs(picks.ids) do
    local i = corpus.item_of[picked]
    entries[place] = fill(ENTRY, { href = href(corpus, i), id = picked,
      bar = bar(picks.similarities and picks.similarities[place]),
      text = list.brief and fill("") or layout.excerpt(config, corpus, i) })
  end
  local class = list.brief and "brief" or "full"
  return fill(LIST, { name = list.name, title = list.title, note = list.note, class = class,
    walk = list.walk .. " " .. id, entries = join(entries) })
end

local PREVIOUS = '<li><a rel="prev" href="{href}">Previous: {name}</a></li>\n'
local NEXT = '<li><a rel="next" href="{href}">Next: {name}</a></li>\n'
local GROUP = '<li><a href="../all.html#{anchor}">All of {name}</a></li>\n'
-- The script makes a walk of it that begins here.
local BEGIN = '<li><a class="begin" data-begin="{list}" href="{href}">Begin the {title}</a></li>\n'

-- The items before and behind this one, its group, and where walks begin.
local function around(config, corpus, lists, i)
  local links = {}
  local function add(source, values) links[#links + 1] = fill(source, values) end
  if i > 1 then add(PREVIOUS, { href = href(corpus, i - 1), name = corpus.ids[i - 1] }) end
  if i < corpus.count then add(NEXT, { href = href(corpus, i + 1), name = corpus.ids[i + 1] }) end
  if config.group_of then
    add(GROUP, { anchor = corpus.group_of[i].anchor, name = corpus.group_of[i].name })
  end
  for _, opened in ipairs(lists) do
    local list = opened.list
    if list.brief then
      local first = corpus.item_of[results.picks(opened, corpus.ids[i]).ids[1]]
      add(BEGIN, { list = list.name, href = href(corpus, first), title = list.title:lower() })
    end
  end
  return join(links)
end

---The page of item `i`.
---@param config table
---@param corpus site.Corpus
---@param lists site.List[]
---@param i integer
---@return string html
function item.page(config, corpus, lists, i)
  local id, text, shown = corpus.ids[i], corpus.texts[i], {}
  for place, opened in ipairs(lists) do shown[place] = list_of(config, corpus, opened, id) end
  local own_text = text == id and fill("") or fill('<p class="text">{text}</p>\n', { text = text })
  return layout.page(config, {
    title = id, description = unicode.shorten(text, 150), root = "../",
    main = fill(MAIN, { id = id, text = own_text, item = config.item,
      around = around(config, corpus, lists, i), lists = join(shown) }),
  })
end

return item
