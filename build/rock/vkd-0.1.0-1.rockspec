-- For `luarocks make build/rock/vkd-0.1.0-1.rockspec` in a checkout: builds the library and puts it
-- and the module where `require "vkd"` finds both. LuaJIT only: the module needs its ffi.
rockspec_format = "3.0"
package = "vkd"
version = "0.1.0-1"
source = {
  -- The checkout itself.
  url = "file://.",
}
description = {
  summary = "Diversity sequences and neighbours of embedded texts on any Vulkan device",
  license = "MIT OR Apache-2.0",
}
dependencies = { "lua == 5.1" }
build = {
  type = "make",
  build_target = "build-library",
  install_target = "install-rock",
  install_variables = { LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)" },
}
