-- The map: each item's place in the plane of the two principal components of the unit embeddings,
-- in which they differ most.
--
-- The components come by power iteration on the centred rows: of two vectors at once, the second
-- kept at a right angle to the first. The places are kept in a file with the fingerprint of the
-- embeddings, so that they are computed once.

local ffi = require("ffi")
local files = require("files")

local map = {}

---The places are whole numbers from the margin to these, less the margin.
map.WIDTH, map.HEIGHT = 2000, 1250
local MARGIN = 30

local ROUNDS, CLOSE = 100, 1e-4

---@class site.Map
---@field x integer[]
---@field y integer[]

local function dot(a, b, dim)
  local sum = 0
  for d = 0, dim - 1 do sum = sum + a[d] * b[d] end
  return sum
end

-- Takes `part` times `b` from `a`.
local function subtract(a, b, part, dim)
  for d = 0, dim - 1 do a[d] = a[d] - part * b[d] end
end

-- Gives a vector the length 1, unless it has none.
local function normalize(a, dim)
  local length = math.sqrt(dot(a, a, dim))
  if length > 0 then subtract(a, a, 1 - 1 / length, dim) end
end

-- All embeddings as 32-bit floats of length 1, less their mean.
local function centered_rows(embeddings)
  local count, dim = embeddings.num_items, embeddings.dim
  local rows, mean = ffi.new("float[?]", count * dim), ffi.new("double[?]", dim)
  for i = 1, count do
    local values, row, square = embeddings:row(i), rows + (i - 1) * dim, 0
    for d = 1, dim do square = square + values[d] * values[d] end
    local scale = square > 0 and 1 / math.sqrt(square) or 0
    for d = 0, dim - 1 do
      row[d] = values[d + 1] * scale
      mean[d] = mean[d] + row[d] / count
    end
  end
  for i = 0, count - 1 do subtract(rows + i * dim, mean, 1, dim) end
  return rows
end

-- The same numbers in every build.
local function start_vector(dim, seed)
  local vector = ffi.new("double[?]", dim)
  for d = 0, dim - 1 do
    seed = (seed * 1103515245 + 12345) % 2 ^ 31
    vector[d] = seed / 2 ^ 31 - 0.5
  end
  normalize(vector, dim)
  return vector
end

-- What the rows make of two vectors: the sums of all rows, each times its dot product with one.
local function multiply(rows, count, dim, first, second)
  local one, two = ffi.new("double[?]", dim), ffi.new("double[?]", dim)
  for i = 0, count - 1 do
    local row = rows + i * dim
    local a, b = 0, 0
    for d = 0, dim - 1 do
      local value = row[d]
      a, b = a + value * first[d], b + value * second[d]
    end
    for d = 0, dim - 1 do
      local value = row[d]
      one[d], two[d] = one[d] + a * value, two[d] + b * value
    end
  end
  return one, two
end

-- The two directions in which the rows differ most.
local function components(rows, count, dim)
  local first, second = start_vector(dim, 1), start_vector(dim, 2)
  for _ = 1, ROUNDS do
    local one, two = multiply(rows, count, dim, first, second)
    normalize(one, dim)
    subtract(two, one, dot(one, two, dim), dim)
    normalize(two, dim)
    local moved = 2 - math.abs(dot(one, first, dim)) - math.abs(dot(two, second, dim))
    first, second = one, two
    if moved < CLOSE * CLOSE then break end
  end
  return first, second
end

-- A component's sign means nothing: the largest value of it shall be positive.
local function with_sign(vector, dim)
  local largest = 0
  for d = 0, dim - 1 do
    if math.abs(vector[d]) > math.abs(largest) then largest = vector[d] end
  end
  if largest < 0 then subtract(vector, vector, 2, dim) end
  return vector
end

-- Where the rows lie along a direction, as whole numbers that fill `size`.
local function places(rows, count, dim, direction, size)
  local along, least, most = {}, math.huge, -math.huge
  for i = 1, count do
    along[i] = dot(rows + (i - 1) * dim, direction, dim)
    least, most = math.min(least, along[i]), math.max(most, along[i])
  end
  local scale = most > least and (size - 2 * MARGIN) / (most - least) or 0
  for i = 1, count do along[i] = math.floor(MARGIN + (along[i] - least) * scale + 0.5) end
  return along
end

---Computes the places of all items.
---@param embeddings vkd.Embeddings
---@return site.Map
function map.compute(embeddings)
  local count, dim = embeddings.num_items, embeddings.dim
  local rows = centered_rows(embeddings)
  local first, second = components(rows, count, dim)
  return {
    x = places(rows, count, dim, with_sign(first, dim), map.WIDTH),
    y = places(rows, count, dim, with_sign(second, dim), map.HEIGHT),
  }
end

local function path_of(config) return config.results .. "/map.txt" end

local function read(config, fingerprint, count)
  local text = files.read(path_of(config))
  if not text or text:match("^map ([^\n]+)\n") ~= fingerprint then return nil end
  local found = { x = {}, y = {} }
  for x, y in text:gmatch("\n(%d+) (%d+)") do
    found.x[#found.x + 1], found.y[#found.y + 1] = tonumber(x), tonumber(y)
  end
  return #found.x == count and found or nil
end

---The places of all items, from the file where that is of these embeddings.
---@param config table
---@param embeddings vkd.Embeddings
---@param fingerprint string Of the embeddings.
---@return site.Map
---@return boolean computed
function map.get(config, embeddings, fingerprint)
  local kept = read(config, fingerprint, embeddings.num_items)
  if kept then return kept, false end
  local computed = map.compute(embeddings)
  local lines = { "map " .. fingerprint }
  for i = 1, embeddings.num_items do lines[i + 1] = computed.x[i] .. " " .. computed.y[i] end
  files.write(path_of(config), table.concat(lines, "\n") .. "\n")
  return computed, true
end

return map
