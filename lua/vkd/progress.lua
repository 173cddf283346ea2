-- The progress line: redraws itself on a terminal and stays silent in a pipe or a file. With
-- NO_COLOR set or TERM=dumb it uses no escape sequences.

local ffi = require("ffi")
local check = require("vkd.check")

local progress = {}

local posix = ffi.os ~= "Windows"
if posix and not pcall(ffi.typeof, "vkd_lua_winsize") then
  ffi.cdef([[
    typedef struct { unsigned short rows, columns, x, y; } vkd_lua_winsize;
    int vkd_lua_fileno(void *file) __asm__("fileno");
    int vkd_lua_isatty(int descriptor) __asm__("isatty");
    int vkd_lua_ioctl(int descriptor, unsigned long request, ...) __asm__("ioctl");
  ]])
end
-- What asks a terminal for its size, TIOCGWINSZ, has another number on the BSDs and macOS.
local WINDOW_SIZE = ffi.os == "Linux" and 0x5413 or 0x40087468

local function check_stream(stream)
  if io.type(stream) ~= "file" then
    check.misuse("stream must be an open file, not %s", check.describe(stream))
  end
end

---Whether a file is a terminal.
---@param stream file*
---@return boolean
function progress.is_terminal(stream)
  check_stream(stream)
  return posix and ffi.C.vkd_lua_isatty(ffi.C.vkd_lua_fileno(stream)) == 1
end

---The width of a terminal in characters.
---@param stream file*
---@return integer? columns nil where the file is no terminal or does not tell.
function progress.width(stream)
  if not progress.is_terminal(stream) then return nil end
  local size = ffi.new("vkd_lua_winsize")
  local status = ffi.C.vkd_lua_ioctl(ffi.C.vkd_lua_fileno(stream), WINDOW_SIZE, size)
  return status == 0 and size.columns > 0 and size.columns or nil
end

---Writes thousands separators into an integer.
---@param number number
---@return string
function progress.grouped(number)
  local text = ("%.0f"):format(number):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

local function duration(seconds)
  seconds = math.floor(seconds + 0.5)
  if seconds < 60 then return ("%d s"):format(seconds) end
  if seconds < 3600 then return ("%d min %d s"):format(math.floor(seconds / 60), seconds % 60) end
  return ("%d h %d min"):format(math.floor(seconds / 3600), math.floor(seconds % 3600 / 60))
end

-- What a kind of work does before its first step, what its rows and its steps are.
local WORDS = {
  sequences = { before = "building the contribution matrix", rows = "sequences", steps = "picks" },
  neighbors = { before = "preparing the embeddings", rows = "rows", steps = "dot products" },
  similarity = { before = "preparing the embeddings", rows = "rows", steps = "dot products" },
  site = { before = "preparing the files", rows = "files" },
  export = { before = "preparing the file", rows = "rows" },
  merge = { before = "preparing the file", rows = "sequences" },
  pages = { before = "preparing the files", rows = "pages" },
  workers = { before = "workers are at work", rows = "workers" },
  rankings = { before = "preparing the files", rows = "rankings" },
}
-- What a caller's own table may be about.
local ANY = { before = "preparing", rows = "rows", steps = "steps" }

-- Whether a job writes files only.
local WRITES = { site = true, export = true, merge = true }
local function writes(state) return WRITES[state.kind] == true end

-- Files get their names many at a time, so a site that is at work tells what is written.
local function words_for(state)
  if state.kind == "site" and state.state == "running" then
    return state.files_total == 1 and WORDS.rankings or WORDS.pages
  end
  return WORDS[state.kind] or ANY
end

local function done_of_total(state, words)
  local done, total = state.rows_done, state.rows_total
  if words == WORDS.site then
    done, total = state.files_done, state.files_total
  elseif writes(state) then
    done = state.rows_written
  end
  if total == nil or total == done then return progress.grouped(done) end
  return ("%s of %s"):format(progress.grouped(done), progress.grouped(total))
end

local function speed(state, words)
  if writes(state) then
    if state.seconds <= 0 or state.bytes_written == 0 then return nil end
    return ("%.0f MB/s"):format(state.bytes_written / state.seconds / 1e6)
  end
  if state.steps_seconds <= 0 then return nil end
  return ("%.2f M %s/s"):format(state.steps_done / state.steps_seconds / 1e6, words.steps)
end

---What the line says, without any escape sequences.
---@param state vkd.Progress
---@return string
function progress.text(state)
  local words = words_for(state)
  local written = writes(state) and state.rows_written or 0
  if state.steps_done == 0 and written == 0 and state.state == "running" then
    return ("  0 %%  %s, %s"):format(words.before, duration(state.seconds))
  end
  local percent = ("%3d %%  "):format(math.floor(state.fraction * 100))
  local parts = { ("%s %s"):format(done_of_total(state, words), words.rows) }
  parts[#parts + 1] = speed(state, words)
  if state.state ~= "running" then
    parts[#parts + 1] = duration(state.seconds)
  elseif state.seconds_left then
    parts[#parts + 1] = duration(state.seconds_left) .. " left"
  end
  return percent .. table.concat(parts, ", ")
end

---A line that redraws itself. Call it with a progress table: `line(job:poll())`.
---@class vkd.ProgressLine
---@field visible boolean Whether anything is drawn: the stream is a terminal.
---@overload fun(state: vkd.Progress)
local Line = {}
Line.__index = Line

function Line:__call(state)
  if not self.visible then return end
  local text = progress.text(state)
  -- One column stays free: some terminals wrap as soon as the last one is written.
  local room = (progress.width(self._stream) or 80) - 1
  text = text:sub(1, room)
  if self._plain then
    self._stream:write("\r", text, (" "):rep(math.max(self._drawn - #text, 0)))
  else
    local percent, rest = text:match("^(%s*%d+ %%)(.*)$")
    self._stream:write("\r\27[K\27[1m", percent or text, "\27[0m", rest or "")
  end
  self._stream:flush()
  self._drawn = #text
end

---Ends the line, so that what is written next begins on a fresh one. Harmless when nothing was
---drawn.
function Line:finish()
  if self._drawn > 0 then
    self._stream:write("\n")
    self._stream:flush()
    self._drawn = 0
  end
end

---Makes a progress line.
---@param stream? file* Where to draw; default: standard error.
---@return vkd.ProgressLine
function progress.line(stream)
  stream = stream or io.stderr
  local plain = (os.getenv("NO_COLOR") or "") ~= "" or os.getenv("TERM") == "dumb"
  return setmetatable(
    { visible = progress.is_terminal(stream), _stream = stream, _plain = plain, _drawn = 0 }, Line)
end

return progress
