-- Lists the devices that vkd can use, best first, with what the engine makes of their limits.

package.path = (arg[0]:match("^(.*/)") or "./") .. "../lua/?.lua;" .. package.path
local vkd = require("vkd")

local function size(bytes)
  if bytes == 0 then return "unknown" end
  return bytes < 2 ^ 50 and ("%.1f GiB"):format(bytes / 2 ^ 30) or "any"
end

for _, device in ipairs(assert(vkd.devices())) do
  print(("%d  %s"):format(device.index, device.name))
  print(("   %s, %s"):format(device.kind, device.driver))
  print(("   memory %s, largest binding %s, subgroups of %d%s"):format(size(device.memory_bytes),
    size(device.max_binding_bytes), device.subgroup_size,
    device.loop_budget > 0 and (", %d loop rounds a dispatch"):format(device.loop_budget) or ""))
  if device.uuid:find("[1-9a-f]") then print("   UUID " .. device.uuid) end
end
