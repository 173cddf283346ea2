-- Draws docs/rules.svg: 300 points in the plane and the first 20 picks of each rule, numbered.
-- From the top of a checkout, after `make build`: luajit docs/rules.lua
--
-- Points are texts here, and cosine is their likeness: each is lifted to (x, y, 1), so that points
-- near each other in the plane are similar.

package.path = "lua/?.lua;" .. package.path
local vkd = require("vkd")

local COUNT, PICKS, FIRST = 300, 20, 1
local SIDE, MARGIN, GAP = 400, 16, 24

-- A small generator, so that the picture is the same everywhere: a multiplier of Lehmer's kind
-- (Park and Miller 1988).
local state = 20261129
local function random()
  state = state * 16807 % 2147483647
  return state / 2147483647
end

-- Points within -1..1, more of them around some centres. The first stands near the middle.
local function points()
  local centres, list = {}, { { 0.1, -0.05 } }
  for i = 1, 6 do centres[i] = { random() * 1.6 - 0.8, random() * 1.6 - 0.8 } end
  while #list < COUNT do
    local centre = centres[math.floor(random() * 9) + 1] or { 0, 0 }
    local width = centre[1] == 0 and 2 or 0.5
    local x = centre[1] + (random() - 0.5) * width
    local y = centre[2] + (random() - 0.5) * width
    if math.abs(x) <= 1 and math.abs(y) <= 1 then list[#list + 1] = { x, y } end
  end
  return list
end

local PANELS = {
  { rule = "centroid", title = "centroid: away from all of them" },
  { rule = "farthest", title = "farthest: away from each of them" },
  { rule = "mmr", lambda = 0.5, title = "mmr, lambda 0.5: like the first, no two alike" },
  { rule = "chain", title = "chain: always to the nearest", is_walk = true },
}

local svg = {}
local function add(text, ...) svg[#svg + 1] = text:format(...) end

local function place(point)
  return MARGIN + (point[1] + 1) / 2 * (SIDE - 2 * MARGIN),
    MARGIN + (1 - point[2]) / 2 * (SIDE - 2 * MARGIN)
end

-- Only of a walk the steps are drawn: elsewhere a pick has little to do with the one before it.
local function way(list, picks)
  local steps = {}
  for i, item in ipairs(picks) do steps[i] = ("%.1f,%.1f"):format(place(list[item])) end
  add('<polyline points="%s" fill="none" stroke="#36c"/>', table.concat(steps, " "))
end

local function panel(list, picks, it, left, top)
  add('<g transform="translate(%d %d)">', left, top)
  add('<text x="0" y="-8" font-size="14">%s</text>', it.title)
  add('<rect width="%d" height="%d" fill="none" stroke="#bbb"/>', SIDE, SIDE)
  for _, point in ipairs(list) do
    local x, y = place(point)
    add('<circle cx="%.1f" cy="%.1f" r="1.8" fill="#aaa"/>', x, y)
  end
  if it.is_walk then way(list, picks) end
  -- The first on top.
  for i = #picks, 1, -1 do
    local x, y = place(list[picks[i]])
    add('<circle cx="%.1f" cy="%.1f" r="6.5" fill="%s" stroke="#fff" stroke-width="0.5"/>', x, y,
      i == 1 and "#c33" or "#36c")
    add('<text x="%.1f" y="%.1f" font-size="8" fill="#fff" text-anchor="middle">%d</text>', x,
      y + 2.8, i)
  end
  add("</g>")
end

local list = points()
local embeddings = {}
for i, point in ipairs(list) do embeddings[i] = { point[1], point[2], 1 } end
local width, height = 2 * SIDE + 3 * GAP, 2 * SIDE + 4 * GAP + 8
add('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif">', width,
  height)
add('<rect width="%d" height="%d" fill="#fff"/>', width, height)
for i, it in ipairs(PANELS) do
  local sequences = assert(vkd.batch_compute(embeddings,
    { rule = it.rule, lambda = it.lambda, starts = { FIRST }, length = PICKS }))
  local column, line = (i - 1) % 2, math.floor((i - 1) / 2)
  panel(list, sequences:row(1), it, GAP + column * (SIDE + GAP),
    GAP + 8 + line * (SIDE + GAP + 16))
end
add("</svg>")
local file = assert(io.open("docs/rules.svg", "w"))
file:write(table.concat(svg, "\n"), "\n")
file:close()
