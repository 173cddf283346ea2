-- Search in the browser: the page, and what it searches as a script, since a page that was opened
-- from a disk may read nothing else.

local layout = require("layout")
local template = require("template")

local search = {}

local MAIN = template.fill([[
<h1>Search</h1>
<p id="found" role="status">Type a word, or its beginning, into the field above.</p>
<noscript><p>Searching needs JavaScript. <a href="all.html">All items</a> are on one page.</p>
</noscript>
<ol id="results"></ol>
]])

---@param config table
---@return string html
function search.page(config)
  return layout.page(config, { title = "Search", description = "Search in " .. config.title,
    main = MAIN, scripts = { "search-index.js" } })
end

---All names, ids and texts, an item on each line.
---@param corpus site.Corpus
---@return string script
function search.index(corpus)
  local string_of, lines = template.script_string, {}
  for i = 1, corpus.count do
    lines[i] = ("[%s,%s,%s]"):format(string_of(corpus.names[i]), string_of(corpus.ids[i]),
      string_of(corpus.texts[i]))
  end
  return "window.searchIndex = [\n" .. table.concat(lines, ",\n") .. "\n];\n"
end

return search
