-- Lists of texts, one for each item, as C reads them.

local ffi = require("ffi")
local check = require("vkd.check")
local library = require("vkd.library")
local misuse, describe, hold = check.misuse, check.describe, library.hold

local texts = {}

---The pointers to the texts of a list; `raw`, which is to point to them, keeps them.
---@param raw ffi.cdata* A struct.
---@param list string[]
---@param count integer How many there must be.
---@param name string Of the option.
---@return ffi.cdata* pointers `const char *[?]`
function texts.pointers(raw, list, count, name)
  if #list ~= count then
    misuse("option %s holds %d texts, but there are %d items", name, #list, count)
  end
  local pointers = hold(raw, ffi.new("const char *[?]", math.max(count, 1)))
  hold(raw, list)
  for i = 1, count do
    if type(list[i]) ~= "string" then
      misuse("%s[%d] must be a string, not %s", name, i, describe(list[i]))
    end
    if list[i]:find("\0", 1, true) then misuse("%s[%d] holds a NUL character", name, i) end
    pointers[i - 1] = list[i]
  end
  return pointers
end

return texts
