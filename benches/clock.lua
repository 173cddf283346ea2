-- The seconds of a clock that only goes on, for the benchmarks in LuaJIT:
-- `local now = dofile(here .. "clock.lua")`.

local ffi = require("ffi")

-- Names of its own: other scripts in this state may declare the system's.
ffi.cdef([[
  typedef struct { long seconds, nanoseconds; } bench_time;
  int bench_clock(int clock, bench_time *time) __asm__("clock_gettime");
]])

return function()
  local time = ffi.new("bench_time")
  ffi.C.bench_clock(1, time) -- CLOCK_MONOTONIC
  return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end
