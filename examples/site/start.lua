-- The pages that there is one of: the start page with the map, the list of all items, and the page
-- about how the site was made.

local layout = require("layout")
local map = require("map")
local results = require("results")
local template = require("template")
local fill, join = template.fill, template.join

local start = {}

local START = [[
<h1>{title}</h1>
<p class="lead">{about} The {items} stand on the map so that those of like meaning are near each
other{colors}. <a href="all.html">The same as a list.</a></p>
<figure>
<svg class="map" viewBox="0 0 {width} {height}" aria-hidden="true">
{dots}</svg>
<figcaption id="point">Point at a dot to see what it is.</figcaption>
</figure>
<section class="begin" aria-labelledby="begin">
<h2 id="begin">{begin}</h2>
<p class="note">{note}</p>
<ol>
{entries}</ol>
</section>
]]

-- A colour that can be told from those of the groups before and behind: their hues lie a golden
-- angle apart.
local function color(place) return ("hsl(%d,60%%,50%%)"):format(place * 137.508 % 360) end

-- The dots are no stops of the Tab key, which would be thousands: the list has the same links.
local DOT = '<a href="{href}" tabindex="-1"><circle cx="{x}" cy="{y}" r="9"><title>{id}</title>'
  .. "</circle></a>\n"

local function dots(corpus, places)
  local groups = {}
  for g, group in ipairs(corpus.groups) do
    local inside = {}
    for place, i in ipairs(group.items) do
      inside[place] = fill(DOT, { href = layout.item_path(corpus, i), id = corpus.ids[i],
        x = places.x[i], y = places.y[i] })
    end
    groups[g] = fill('<g color="{color}">\n{dots}</g>\n', { color = color(g), dots = join(inside) })
  end
  return join(groups)
end

local function link(corpus, i)
  return fill('<a href="{href}">{id}</a>', { href = layout.item_path(corpus, i),
    id = corpus.ids[i] })
end

---The start page.
---@param config table
---@param corpus site.Corpus
---@param places site.Map
---@param begin site.List
---@return string html
function start.page(config, corpus, places, begin)
  local first, entries = corpus.ids[1], {}
  local ids = results.picks(begin, first).ids
  table.insert(ids, 1, first)
  for place, id in ipairs(ids) do
    local i = corpus.item_of[id]
    entries[place] = fill("<li>{link}{text}</li>\n",
      { link = link(corpus, i), text = layout.excerpt(config, corpus, i) })
  end
  local colors = config.group_of and (", each %s in its colour"):format(config.group) or ""
  return layout.page(config, { title = "", description = config.about, main = fill(START, {
    title = config.title, about = config.about, items = config.items, colors = colors,
    width = map.WIDTH, height = map.HEIGHT, dots = dots(corpus, places),
    begin = begin.list.title, note = begin.list.note, entries = join(entries),
  }) })
end

local GROUP = '<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{name}</h2>\n<ul>\n{items}'
  .. "</ul>\n</section>\n"

---The list of all items.
---@param config table
---@param corpus site.Corpus
---@return string html
function start.all(config, corpus)
  local groups, title = {}, "All " .. config.items
  for g, group in ipairs(corpus.groups) do
    local links = {}
    for place, i in ipairs(group.items) do
      links[place] = fill("<li>{link}</li>\n", { link = link(corpus, i) })
    end
    groups[g] = fill(config.group_of and GROUP or "<ul>\n{items}</ul>\n",
      { anchor = group.anchor, name = group.name, items = join(links) })
  end
  return layout.page(config, { title = title, description = title .. ": " .. config.about,
    main = fill('<h1>{title}</h1>\n<div class="all">\n{groups}</div>\n',
      { title = title, groups = join(groups) }) })
end

local ABOUT = [[
<h1>How this site was made</h1>
<p>{about} Of each of the {count} {items} there is an embedding: {dim} numbers that say what it is
about, so that {items} of like meaning have like numbers. From these the library vkd computed, for
every {item}:</p>
<dl>
{lists}</dl>
<p>The map shows the two directions in which the embeddings differ most, their first two principal
components. Near on the map is often near in meaning, but most of what the numbers say is lost
there.</p>
<p>Nothing of this is computed in the browser: each page is a file, written beforehand by a script
in LuaJIT. Only the search, and the line that leads along a list, are JavaScript.</p>
<h2>Times of the build</h2>
<table>
<thead><tr><th scope="col">Step</th><th scope="col">Seconds</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
<p>Computed by vkd {version} on {device}; the pages by {workers}. These are the times of the build
that computed the lists: later ones write only what has changed.</p>
]]

---@param config table
---@param corpus site.Corpus
---@param times site.Times
---@return string html
function start.about(config, corpus, times)
  local lists, rows = {}, {}
  for i, list in ipairs(config.lists) do
    local rule = list.neighbors and "by cosine similarity" or "rule " .. list.rule
    if list.lambda then rule = rule .. (", lambda %g"):format(list.lambda) end
    lists[i] = fill("<dt>{title}</dt>\n<dd>{note} ({length} of them, {rule})</dd>\n", {
      title = list.title, note = list.note, length = list.length, rule = rule })
  end
  for i, step in ipairs(times.steps) do
    rows[i] = fill('<tr><th scope="row">{name}</th><td>{seconds}</td></tr>\n',
      { name = step.name, seconds = ("%.2f"):format(step.seconds) })
  end
  local workers = times.workers == 1 and "one process" or times.workers .. " processes"
  return layout.page(config, { title = "About", description = "How this site was made",
    main = fill(ABOUT, { about = config.about, count = corpus.count, items = config.items,
      item = config.item, dim = times.dim, version = times.version, device = times.device,
      workers = workers, lists = join(lists), rows = join(rows) }) })
end

return start
