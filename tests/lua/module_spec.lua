-- The module as a whole: loading it, devices, contexts, and many rounds of everything.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\\\])") .. "helper.lua")
local vkd = helper.vkd()

local MODULE = helper.root .. "lua/vkd.lua"

-- Forgets all modules of the binding.
local function unload()
  for name in pairs(package.loaded) do
    if name == "vkd" or name:match("^vkd%.") then package.loaded[name] = nil end
  end
end

local run = helper.run

local LIBRARY = require("ffi").os == "OSX" and "libvkd.dylib" or "libvkd.so"
-- The library must be found by where it lies.
local NO_LIBRARY = "VKD_LIBRARY= LD_LIBRARY_PATH= "

local function sh(command, ...)
  assert(os.execute(command:format(...)) == 0, command)
end

-- The module as `make install` lays it out, with the library in a folder of its own.
local function with_prefix(use)
  local prefix = os.tmpname()
  os.remove(prefix)
  sh("mkdir -p %s/share/lua/5.1 %s/lib/vkd", prefix, prefix)
  sh("cp -r %slua/vkd.lua %slua/vkd %s/share/lua/5.1/", helper.root, helper.root, prefix)
  local library = os.getenv("VKD_LIBRARY") or helper.root .. "target/release/" .. LIBRARY
  sh("cp %s %s/lib/vkd/%s", library, prefix, LIBRARY)
  local fine, message = pcall(use, prefix)
  sh("rm -r %s", prefix)
  assert(fine, message)
end

describe("the module", function()
  it("tells the library's version", function()
    assert.matches("^%d+%.%d+%.%d+$", vkd.version)
  end)

  it("can be loaded anew in one Lua state", function()
    local numbers = helper.numbers(10, 3)
    local expected = helper.text(assert(vkd.batch_compute(numbers, 10)))
    for _ = 1, 3 do
      package.loaded.vkd = nil
      assert.equal(expected, helper.text(assert(require("vkd").batch_compute(numbers, 10))))
      unload()
      local fresh = require("vkd")
      assert.not_equal(vkd, fresh)
      assert.equal(expected, helper.text(assert(fresh.batch_compute(numbers, 10))))
      helper.blames_caller("cannot be split", function()
        local _ = fresh.batch_compute(numbers, 7)
      end)
    end
    collectgarbage()
    assert.equal(expected, helper.text(assert(vkd.batch_compute(numbers, 10))))
  end)

  it("needs no package.path, only its own path", function()
    local text = run(("local vkd = dofile(%q) print(vkd.version)"):format(MODULE))
    assert.equal(vkd.version .. "\nexit 0\n", text)
  end)

  describe("names what VKD_LIBRARY is", function()
    local function told(path, ...)
      local text = run(("dofile(%q)"):format(MODULE), "VKD_LIBRARY=" .. path)
      assert.matches("exit 1", text)
      for _, expected in ipairs({ "VKD_LIBRARY is " .. path, "or unset it", ... }) do
        assert.matches(expected, text, 1, true)
      end
    end

    -- A library that has what the text of C declares.
    local function with_library(c, use)
      local path = os.tmpname()
      local source = assert(io.open(path .. ".c", "w"))
      source:write(c)
      source:close()
      sh("cc -shared -fPIC -o %s.so %s.c", path, path)
      local fine, message = pcall(use, path .. ".so")
      sh("rm %s %s.c %s.so", path, path, path)
      assert(fine, message)
    end

    it("where it is missing", function() told("/no/such/libvkd.so", "there is no such file") end)

    it("where it is no library", function()
      told(helper.root .. "include/vkd.h", "which cannot be loaded: ")
    end)

    it("where it is another library", function()
      with_library("int other(void) { return 1; }", function(path)
        told(path, "which is no library of vkd", "it was loaded, but has no function vkd_version")
      end)
    end)

    it("where it lacks a function", function()
      with_library("int vkd_version(void) { return 256; }", function(path)
        told(path, "which is of another release than this vkd.lua", "has no function vkd_")
      end)
    end)

    it("where it is of another version", function()
      local c = 'int vkd_version(void) { return 9 << 8; } '
        .. 'const char *vkd_version_string(void) { return "0.9.0"; }'
      with_library(c, function(path)
        local text = run(("dofile(%q)"):format(MODULE), "VKD_LIBRARY=" .. path)
        assert.matches("for library version 0.1, but " .. path .. " is 0.9.0", text, 1, true)
      end)
    end)
  end)

  it("is found along a relative package.path", function()
    local script = 'package.path = "lua/?.lua;" .. package.path print(require("vkd").version)'
    local text = run(script, ("cd %s &&"):format(helper.root))
    assert.equal(vkd.version .. "\nexit 0\n", text)
    local from_tests = ("package.path = %q .. package.path print(require('vkd').version)"):format(
      "../../lua/?.lua;")
    text = run(from_tests, ("cd %stests/lua &&"):format(helper.root))
    assert.equal(vkd.version .. "\nexit 0\n", text)
  end)

  it("leaves package.path as it was, and has modules of ordinary names", function()
    local text = run(([[
      local before = package.path
      local vkd = dofile(%q)
      assert(package.path == before)
      assert(require("vkd.npy").load == vkd.load_npy)]]):format(MODULE))
    assert.equal("exit 0\n", text)
  end)

  it("is complete when it is installed, and finds the library in PREFIX/lib", function()
    with_prefix(function(prefix)
      sh("mv %s/lib/vkd/%s %s/lib/", prefix, LIBRARY, prefix)
      local text = run(([[
        package.path = "%s/share/lua/5.1/?.lua"
        local vkd = require("vkd")
        print(vkd.batch_compute({ 1, 2, 3, 4 }, 2, { device = "reference" }).count)
        local fine, message = pcall(vkd.batch_compute, { 1, 2, 3, 4 }, 3)
        assert(not fine and message:match("^/[^:]+:%%d+: vkd: the table"), message)]]):format(
        prefix), NO_LIBRARY)
      assert.equal("2\nexit 0\n", text)
    end)
  end)

  it("finds the library by the name that programs look for", function()
    if LIBRARY ~= "libvkd.so" then return end
    with_prefix(function(prefix)
      sh("mv %s/lib/vkd/%s %s/lib/libvkd.so.0", prefix, LIBRARY, prefix)
      local script = [[package.path = "%s/share/lua/5.1/?.lua" print(require("vkd").version)]]
      assert.equal(vkd.version .. "\nexit 0\n", run(script:format(prefix), NO_LIBRARY))
    end)
  end)

  it("passes by a library that is not vkd's", function()
    with_prefix(function(prefix)
      sh("mv %s/lib/vkd/%s %s/lib/", prefix, LIBRARY, prefix)
      sh("echo 'int nothing;' | cc -shared -x c - -o %s/share/lua/5.1/%s", prefix, LIBRARY)
      local script = [[package.path = "%s/share/lua/5.1/?.lua" print(require("vkd").version)]]
      assert.equal(vkd.version .. "\nexit 0\n", run(script:format(prefix), NO_LIBRARY))
    end)
  end)

  it("finds the library along package.cpath", function()
    with_prefix(function(prefix)
      local text = run(([[
        package.path = "%s/share/lua/5.1/?.lua"
        package.cpath = "/no/such/?.so;%s/lib/vkd/?.so"
        print(require("vkd").version)]]):format(prefix, prefix), NO_LIBRARY)
      assert.equal(vkd.version .. "\nexit 0\n", text)
    end)
  end)

  it("tells where it looked for the library", function()
    with_prefix(function(prefix)
      sh("echo none >%s/share/lua/5.1/%s", prefix, LIBRARY)
      local text = run(([[
        package.path = "%s/share/lua/5.1/?.lua"
        package.cpath = "/no/such/?.so"
        require("vkd")]]):format(prefix), NO_LIBRARY)
      assert.matches("the shared library was not found", text)
      assert.matches("install vkd's library (`make install` in its source tree)", text, 1, true)
      assert.not_matches("cargo", text)
      for _, place in ipairs({ "/share/lua/5.1/" .. LIBRARY .. " (",
        "/share/lua/5.1/../target/release/", "/share/lua/5.1/../../../lib/", "/no/such/",
        "the system's library path (" }) do
        assert.matches(place, text, 1, true)
      end
      assert.matches("`make install` in its source tree", text, 1, true)
      sh("mkdir %s/lua && cp -r %s/share/lua/5.1/vkd* %s/lua/ && touch %s/Cargo.toml", prefix,
        prefix, prefix, prefix)
      text = run(('dofile("%s/lua/vkd.lua")'):format(prefix), NO_LIBRARY)
      assert.matches("build it with `cargo build --release`", text, 1, true)
    end)
  end)

  it("says in a source tree how to build the library", function()
    with_prefix(function(prefix)
      sh("touch %s/share/lua/Cargo.toml", prefix)
      local text = run(("package.path = '%s/share/lua/5.1/?.lua' require('vkd')"):format(prefix),
        NO_LIBRARY)
      assert.matches("build it with `cargo build --release`, or set VKD_LIBRARY", text, 1, true)
    end)
  end)

  it("leaves no global variables behind", function()
    local text = run(([[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local vkd = dofile(%q)
      assert(vkd.batch_compute({ 1, 2, 3, 4 }, 2, { device = "reference" }))
      for name in pairs(_G) do if not before[name] then print(name) end end]]):format(
      MODULE))
    assert.equal("exit 0\n", text)
  end)

  it("survives the end of the program with everything open", function()
    local text = run(([[
      local vkd = dofile(%q)
      context = assert(vkd.context())
      local numbers = {}
      for i = 1, 2000 do numbers[i] = i * 7919 %% 1009 + 1 end
      job = assert(context:start(numbers, 500))
      other = assert(vkd.start(numbers, 500))]]):format(MODULE))
    assert.equal("exit 0\n", text)
  end)
end)

describe("devices", function()
  it("are listed, the reference engine last", function()
    local devices = assert(vkd.devices())
    assert.is_true(#devices >= 1)
    for i, device in ipairs(devices) do
      assert.equal(i - 1, device.index)
      assert.is_true(#device.name > 0)
      assert.equal(32, #device.uuid)
    end
    assert.equal("reference", devices[#devices].kind)
  end)

  it("can be chosen by index and by name", function()
    local devices = assert(vkd.devices())
    for _, device in ipairs(devices) do
      local context = assert(vkd.context({ device = device.index }))
      assert.equal(device.name, assert(context:info()).name)
      context:free()
    end
    local _, report = assert(vkd.batch_compute({ 1, 2, 3, 4 }, 2, { device = "reference" }))
    assert.equal("reference", report.device)
  end)

  it("work together, as a list or all of them", function()
    local numbers = helper.numbers(300, 9)
    local expected = helper.text(assert(vkd.batch_compute(numbers, 300, { device = "cpu" })))
    for _, device in ipairs({ { "cpu", "llvmpipe" }, "llvmpipe + cpu", "all", { "cpu" } }) do
      local together, report = vkd.batch_compute(numbers, 300, { device = device })
      assert.equal(expected, helper.text(assert(together, report)))
    end
    local context = assert(vkd.context({ device = { "cpu", "llvmpipe" } }))
    local info = assert(context:info())
    assert.equal("several", info.kind)
    assert.is_truthy(info.name:find("CPU.* %+ llvmpipe"))
  end)

  it("keep their compiled kernels on the disk, or not", function()
    local folder = os.tmpname()
    os.remove(folder)
    local function start(options)
      return run(([[
        local vkd = dofile(%q)
        local context = assert(vkd.context(%s))
        assert(context:batch_compute({ 1, 2, 3, 4 }, 2))]]):format(MODULE, options),
        "VKD_PIPELINE_CACHE=" .. folder)
    end
    assert.equal("exit 0\n", start('{ device = "llvmpipe", pipeline_cache = false }'))
    assert.is_nil(io.open(folder))
    assert.equal("exit 0\n", start('{ device = "llvmpipe" }'))
    assert(io.open(folder)):close()
    os.execute("rm -r " .. folder)
  end)

  it("all give the same result", function()
    local numbers = helper.numbers(70, 9)
    local reference = { device = "reference" }
    local expected = helper.text(assert(vkd.batch_compute(numbers, 70, reference)))
    for _, device in ipairs(assert(vkd.devices())) do
      local options = { device = device.index }
      assert.equal(expected, helper.text(assert(vkd.batch_compute(numbers, 70, options))))
    end
  end)
end)

describe("contexts", function()
  it("work side by side", function()
    local first = assert(vkd.context())
    local second = assert(vkd.context({ sequence_kernel = "registers" }))
    local numbers = helper.numbers(40, 4)
    local job = assert(first:start(numbers, 40))
    local expected = helper.text(assert(second:batch_compute(numbers, 40)))
    assert.is_true(job:wait())
    assert.equal(expected, helper.text(assert(job:result())))
    local options = { context = second }
    assert.equal(expected, helper.text(assert(vkd.batch_compute(numbers, 40, options))))
    job:free()
    first:free()
    assert.equal(expected, helper.text(assert(second:batch_compute(numbers, 40))))
    second:free()
  end)

  it("take all their options", function()
    local context = assert(vkd.context({ memory_limit = 2 ^ 30, submit_target_ms = 5 }))
    assert.equal(2, assert(context:batch_compute({ 1, 2, 3, 4 }, 2)).count)
    context:free()
  end)
end)

describe("many rounds", function()
  it("of contexts, freed or dropped", function()
    for round = 1, 15 do
      local context = assert(vkd.context())
      assert(context:batch_compute({ 1, 2, 3, 4 }, 2))
      if round % 2 == 0 then context:free() end
    end
    collectgarbage()
    collectgarbage()
  end)

  it("of jobs and results", function()
    local numbers = helper.numbers(12, 3)
    local expected = helper.text(assert(vkd.batch_compute(numbers, 12)))
    for round = 1, 150 do
      local job = assert(vkd.start(numbers, 12))
      assert.is_true(job:wait())
      assert.equal(expected, helper.text(assert(job:result())))
      if round % 2 == 0 then job:free() end
    end
    collectgarbage()
    collectgarbage()
  end)
end)
