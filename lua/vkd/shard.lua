-- The option shard: which part of a run is computed here.

local ffi = require("ffi")
local check = require("vkd.check")
local misuse, describe = check.misuse, check.describe

local shards = {}

---What the option may be.
shards.TYPES = "string table"

---A part of a run: its number from 1, and how many there are.
---@class vkd.Shard
---@field index integer
---@field count integer

local function numbers_of(option)
  if type(option) == "table" then return option[1], option[2] end
  local index, count = option:match("^(%d+)/(%d+)$")
  return tonumber(index), tonumber(count)
end

---The part that option shard names; nil without it.
---@param options table
---@return vkd.Shard?
function shards.of(options)
  local option = options.shard
  if option == nil then return nil end
  local index, count = numbers_of(option)
  if not (check.is_integer(index, 0, check.MOST) and check.is_integer(count, 0, check.MOST)) then
    misuse("option shard must be such as \"2/4\" or { 2, 4 }, not %s", describe(option))
  end
  if index < 1 or index > count then
    misuse("option shard is %d/%d; shards are numbered from 1 to %d", index, count, count)
  end
  return { index = index, count = count }
end

---How many of so many sequences are a part's own.
---@param shard vkd.Shard?
---@param sequences integer
---@return integer
function shards.share(shard, sequences)
  if not shard then return sequences end
  local all = ffi.new("uint64_t", sequences)
  return tonumber(all * shard.index / shard.count - all * (shard.index - 1) / shard.count)
end

---As the option has it, "2/4".
---@param index integer
---@param count integer 0: no part.
---@return string?
function shards.text(index, count)
  if count == 0 then return nil end
  return ("%.0f/%.0f"):format(index, count)
end

return shards
