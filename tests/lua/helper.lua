-- Small helpers of the Lua specs: finding the module, JSON, SHA-256, corpora, and the check that an
-- error blames the spec's own line.
--
-- Run the specs from the repository's folder with
--   busted --lua=luajit tests/lua
-- (plain `busted` would start the standard interpreter, which has no ffi module). The shared
-- library must have been built: cargo build --release. VKD_DEVICE chooses the device, VKD_LIBRARY
-- the library.

local ffi = require("ffi")
local bit = require("bit")

local helper = {}

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
helper.root = here .. "../../"

---Loads the module as a program would that knows nothing but its path.
function helper.vkd()
  local path = helper.root .. "lua/?.lua"
  if not package.path:find(path, 1, true) then package.path = path .. ";" .. package.path end
  return require("vkd")
end

function helper.read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

---Writes a temporary file, calls `use` with its path and removes it.
function helper.with_file(bytes, use)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  local results = { pcall(use, path) }
  os.remove(path)
  if not results[1] then error(results[2], 0) end
  return unpack(results, 2, 5)
end

---What a script of its own process prints, with its exit status behind it. A crash of it is no
---crash of the specs.
function helper.run(script, environment)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(script)
  file:close()
  local pipe = assert(io.popen(("%s luajit %s 2>&1; echo exit $?"):format(environment or "", path)))
  local text = pipe:read("*a")
  pipe:close()
  os.remove(path)
  return text
end

-- JSON: enough for golden.json, which has no escapes in its strings

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function decode(text, at)
  at = skip(text, at)
  local letter = text:sub(at, at)
  if letter == "{" or letter == "[" then
    local value, close = {}, letter == "{" and "}" or "]"
    at = skip(text, at + 1)
    while text:sub(at, at) ~= close do
      local key, item
      if letter == "{" then
        key, at = decode(text, at)
        at = assert(text:match("^%s*:()", at), "no colon")
      end
      item, at = decode(text, at)
      value[key or #value + 1] = item
      at = skip(text, at)
      if text:sub(at, at) == "," then at = skip(text, at + 1) end
    end
    return value, at + 1
  elseif letter == '"' then
    local content, after = text:match('^"([^"\\]*)"()', at)
    return assert(content, "no end of a string"), after
  end
  local word, after = text:match("^([%w%.+-]+)()", at)
  local constants = { ["true"] = true, ["false"] = false }
  if constants[word] ~= nil then return constants[word], after end
  return assert(tonumber(word), "no JSON value"), after
end

function helper.json(text)
  return (decode(text, 1))
end

-- SHA-256

local band, bxor, bnot, ror, shr = bit.band, bit.bxor, bit.bnot, bit.ror, bit.rshift
local ROUNDS = ffi.new("int32_t[64]")
local FIRST = {}
do
  -- The constants are the first 32 bits of the fractions of roots of primes. A double holds those
  -- of the cube roots exactly enough.
  local count, number = 0, 2
  while count < 64 do
    local prime = true
    for divisor = 2, math.floor(math.sqrt(number)) do
      if number % divisor == 0 then prime = false end
    end
    if prime then
      ROUNDS[count] = bit.tobit(math.floor(number ^ (1 / 3) % 1 * 2 ^ 32))
      count = count + 1
      if count <= 8 then FIRST[count] = bit.tobit(math.floor(math.sqrt(number) % 1 * 2 ^ 32)) end
    end
    number = number + 1
  end
end

local function block(state, bytes, words)
  for i = 0, 15 do
    local b = bytes + 4 * i
    words[i] = bit.bor(bit.lshift(b[0], 24), bit.lshift(b[1], 16), bit.lshift(b[2], 8), b[3])
  end
  for i = 16, 63 do
    local x, y = words[i - 15], words[i - 2]
    words[i] = bit.tobit(words[i - 16] + bxor(ror(x, 7), ror(x, 18), shr(x, 3)) + words[i - 7]
      + bxor(ror(y, 17), ror(y, 19), shr(y, 10)))
  end
  local a, b, c, d = state[0], state[1], state[2], state[3]
  local e, f, g, h = state[4], state[5], state[6], state[7]
  for i = 0, 63 do
    local first = bit.tobit(h + bxor(ror(e, 6), ror(e, 11), ror(e, 25))
      + bxor(band(e, f), band(bnot(e), g)) + ROUNDS[i] + words[i])
    local second = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
      + bxor(band(a, b), band(a, c), band(b, c))
    h, g, f, e, d, c, b, a = g, f, e, bit.tobit(d + first), c, b, a, bit.tobit(first + second)
  end
  local sums = { [0] = a, b, c, d, e, f, g, h }
  for i = 0, 7 do state[i] = bit.tobit(state[i] + sums[i]) end
end

---SHA-256 in hex of `size` bytes at a cdata pointer, or of a string.
function helper.sha256(data, size)
  size = size or #data
  local bytes = ffi.cast("const uint8_t *", data)
  local state, words = ffi.new("int32_t[8]"), ffi.new("int32_t[64]")
  for i = 0, 7 do state[i] = FIRST[i + 1] end
  local whole = size - size % 64
  for at = 0, whole - 64, 64 do block(state, bytes + at, words) end
  local rest = size - whole
  local padded = rest < 56 and 64 or 128
  local tail = ffi.new("uint8_t[128]")
  ffi.copy(tail, bytes + whole, rest)
  tail[rest] = 0x80
  local bits = size * 8
  for i = 1, 7 do
    tail[padded - i] = bits % 256
    bits = math.floor(bits / 256)
  end
  for at = 0, padded - 64, 64 do block(state, tail + at, words) end
  local hex = {}
  for i = 0, 7 do hex[i + 1] = bit.tohex(state[i]) end
  return table.concat(hex)
end

---SHA-256 of finished sequences as little-endian 32-bit numbers.
function helper.hash(sequences)
  assert(ffi.abi("le"), "the golden hashes are of little-endian numbers")
  return helper.sha256(sequences.data, sequences.count * sequences.length * 4)
end

-- Corpora

---A flat table of numbers that 32-bit and 16-bit floats hold exactly, the same at every call.
function helper.numbers(num_items, dim, seed)
  local values, state = {}, seed or 1
  for i = 1, num_items * dim do
    state = (state * 1103515245 + 12345) % 2 ^ 31
    values[i] = math.floor(state / 65536) % 1023 - 511
    if values[i] == 0 then values[i] = 1 end
  end
  return values
end

function helper.float_array(values)
  return ffi.new("float[?]", #values, values)
end

---Rows of a flat table as a table of tables.
function helper.nested(values, dim)
  local rows = {}
  for i = 1, #values / dim do
    rows[i] = { unpack(values, (i - 1) * dim + 1, i * dim) }
  end
  return rows
end

---All rows as one text, for comparing results.
function helper.text(sequences)
  local lines = {}
  for i, items in sequences:rows() do lines[i] = table.concat(items, " ") end
  return table.concat(lines, "\n")
end

-- Errors

---Asserts that `call` raises an error that begins with the file and a line of `call` itself and
---contains `expected` (plain text).
function helper.blames_caller(expected, call)
  local fine, message = pcall(call)
  assert(not fine, "no error was raised; expected: " .. expected)
  local info = debug.getinfo(call, "S")
  local file, line, text = tostring(message):match("^(.-):(%d+): (.*)$")
  assert(file == info.short_src,
    ("blames %s instead of %s"):format(tostring(message), info.short_src))
  line = tonumber(line)
  assert(line >= info.linedefined and line <= info.lastlinedefined,
    "blames another line: " .. message)
  assert(text:find(expected, 1, true), ("%q does not contain %q"):format(text, expected))
end

---Asserts that a call returned nil, a message that contains `expected`, and this status.
function helper.failed(status, expected, ...)
  local value, message, name = ...
  assert(value == nil, "the call did not fail; expected: " .. expected)
  assert(type(message) == "string" and message:find(expected, 1, true),
    ("%q does not contain %q"):format(tostring(message), expected))
  assert(name == status, ("status %s instead of %s"):format(tostring(name), tostring(status)))
end

return helper
