-- Opens files of results, whichever kind they hold.

local ffi = require("ffi")
local check = require("vkd.check")
local library = require("vkd.library")
local sequences = require("vkd.sequences")
local neighbors = require("vkd.neighbors")
local c, failure = library.c, library.failure

local files = {}

---Opens a finished file of results.
---@param path string
---@return vkd.Sequences|vkd.Neighbors|nil results
---@return string? message
---@return string? status
function files.open(path)
  local kind = ffi.new("uint32_t[1]")
  local status = c.vkd_results_identify(check.path(path, "path"), kind)
  if status ~= 0 then return failure(status) end
  if kind[0] == ffi.C.VKD_RESULTS_NEIGHBORS then return neighbors.open(path) end
  return sequences.open(path)
end

return files
