-- Baseline: the direct method in plain LuaJIT loops, as scripts do it: a running centroid, and for
-- every untaken item its dot product with it. Prints seconds for all starts.
--
--   luajit luajit_direct.lua CORPUS.npy PICKS CENTER
--
-- PICKS picks of one sequence are timed. Later picks look at fewer items, so the time of one dot
-- product is scaled to the N (N - 1) / 2 of a sequence, and to N sequences.

local folder = arg[0]:match("^(.*/)") or "./"
package.path = folder .. "../../lua/?.lua;" .. package.path
local ffi = require("ffi")
local vkd = require("vkd")

local corpus = assert(vkd.load_npy(arg[1]))
local picks, center = tonumber(arg[2]), arg[3] == "1"
local n, dim = corpus.num_items, corpus.dim

local function half(bits)
  local sign = bits >= 32768 and -1 or 1
  local exponent, fraction = math.floor(bits / 1024) % 32, bits % 1024
  if exponent == 0 then return sign * fraction * 2 ^ -24 end
  return sign * (1 + fraction / 1024) * 2 ^ (exponent - 15)
end

-- Unit rows in float, read here so that nothing of the library is in the timed part.
local file = assert(io.open(arg[1], "rb"))
local bytes = file:read("*a")
file:close()
local header = 10 + bytes:byte(9) + 256 * bytes:byte(10)
local is_half = bytes:sub(1, header):find("<f2", 1, true)
local data = ffi.cast(is_half and "const uint16_t *" or "const float *",
  ffi.cast("const char *", bytes) + header)
local x = ffi.new("float[?]", n * dim)
for i = 0, n * dim - 1 do x[i] = is_half and half(data[i]) or data[i] end
if center then
  for d = 0, dim - 1 do
    local sum = 0
    for i = 0, n - 1 do sum = sum + x[i * dim + d] end
    for i = 0, n - 1 do x[i * dim + d] = x[i * dim + d] - sum / n end
  end
end
for i = 0, n - 1 do
  local sum = 0
  for d = 0, dim - 1 do sum = sum + x[i * dim + d] ^ 2 end
  for d = 0, dim - 1 do x[i * dim + d] = x[i * dim + d] / math.sqrt(sum) end
end

local function run(count)
  local centroid, taken, pick, dots = ffi.new("double[?]", dim), ffi.new("bool[?]", n), 0, 0
  for _ = 1, count do
    taken[pick] = true
    for d = 0, dim - 1 do centroid[d] = centroid[d] + x[pick * dim + d] end
    local best, best_item = math.huge, -1
    for item = 0, n - 1 do
      if not taken[item] then
        local score, row = 0, x + item * dim
        for d = 0, dim - 1 do score = score + centroid[d] * row[d] end
        if score < best then best, best_item = score, item end
        dots = dots + 1
      end
    end
    pick = best_item
  end
  return dots
end

run(2) -- compiles
local begin = os.clock()
local dots = run(picks)
print((os.clock() - begin) / dots * n * (n - 1) / 2 * n)
