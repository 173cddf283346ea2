-- What a run would take, as a table.

local library = require("vkd.library")

local plans = {}

--- What a run would take. With several devices groups and dispatches are sums over them, as if
--- each did the whole run.
--- @class vkd.Plan
--- @field host_bytes number The host's memory at the most; results in memory are part of it.
--- @field device_bytes number The device's memory at the most; 0 for the built-in engines.
--- @field output_bytes number The result, in memory or in the file.
--- @field corpus_bytes number The prepared embeddings, part of host_bytes.
--- @field groups number Groups of sequences or queries side by side, at least.
--- @field dispatches number Submissions to the device, at least; 0 for the built-in engines.
--- @field rows number Rows of the result: sequences, or those of neighbours or similarities.
--- @field steps number Picks of sequences; dot products of neighbours and similarities.
--- Rows of contributions held at once; 0 where none is kept: only sequences have some. Fewer than
--- items: the others are computed when they are needed. With several devices: of the one that holds
--- the fewest.
--- @field held_rows number
--- @field multiply_adds number Multiply-adds that the rows take, about; 0 but for sequences.
--- What the rows hold: contributions, weighted by the lengths of the embeddings, of the rule
--- centroid; similarities, of the others. nil but for sequences.
--- @field row_values? "contributions"|"similarities"
--- How the rows come: all before the first pick; when first needed, and kept as long as there is
--- room; computed in every step; or waiting for the items that may be next. What costs least; the
--- results are the same. nil but for sequences.
--- @field row_source? "matrix"|"cache"|"direct"|"lazy"

local FIELDS = { "host_bytes", "device_bytes", "output_bytes", "corpus_bytes", "groups",
  "dispatches", "rows", "steps", "held_rows", "multiply_adds" }

local ROW_VALUES = { "contributions", "similarities" }
local ROW_SOURCES = { "matrix", "cache", "direct", "lazy" }

--- Calls a C function that makes a plan.
--- @param plan fun(raw: ffi.cdata*): integer Gets the plan's struct, returns the status.
--- @return vkd.Plan? plan
--- @return string? message
--- @return string? status
function plans.make(plan)
  local raw = library.sized("vkd_run_plan")
  local status = plan(raw)
  if status ~= 0 then return library.failure(status) end
  local made = {}
  for _, field in ipairs(FIELDS) do made[field] = tonumber(raw[field]) end
  made.row_values = ROW_VALUES[raw.row_values]
  made.row_source = ROW_SOURCES[raw.row_source]
  return made
end

return plans
