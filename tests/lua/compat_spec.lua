-- The older interface as existing scripts load and declare it, alone in a Lua state and beside vkd.
--
-- Each version of the declarations has a Lua state of its own, as each script has.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

local N, DIM = 40, 6
local SCRIPTS = helper.root .. "tests/lua/scripts/"

local function sh(command, ...)
  local status = os.execute(command:format(...))
  assert(status == 0 or status == true, command)
end

local function absolute(path)
  local pipe = assert(io.popen(("readlink -f '%s'"):format(path)))
  local found = pipe:read("*l")
  pipe:close()
  return found
end

-- Rows of item numbers from 0, as scripts see them.
local function rows_of(sequences)
  local lines = {}
  for i, items in sequences:rows() do
    for k = 1, #items do items[k] = items[k] - 1 end
    lines[i] = table.concat(items, " ")
  end
  return table.concat(lines, "\n")
end

describe("existing scripts", function()
  local folder, library, numbers, expected
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    sh("mkdir '%s'", folder)
    -- Scripts know the library by this name; the link is all they need.
    library = folder .. "/libvkcompute.so"
    local built = os.getenv("VKD_LIBRARY") or helper.root .. "target/release/libvkd.so"
    sh("ln -s '%s' '%s'", absolute(built), library)
    numbers = helper.numbers(N, DIM)
    expected = rows_of(assert(vkd.batch_compute(numbers, N)))
  end)
  teardown(function() sh("rm -r '%s'", folder) end)

  -- What every script begins with.
  local prelude = ([[
    package.path = %q .. "lua/?.lua;" .. package.path
    local ffi = require("ffi")
    local helper = dofile(%q .. "tests/lua/helper.lua")
    local N, DIM = %d, %d
    local floats = helper.float_array(helper.numbers(N, DIM))
  ]]):format(helper.root, helper.root, N, DIM)

  -- What a script prints that goes on with `body`.
  local function run(body, environment)
    environment = ("VK_COMPUTE_LIB='%s' %s"):format(library, environment or "")
    return helper.run(prelude .. body, environment)
  end

  local FLOATS = ("local script = dofile(%q)\n"):format(SCRIPTS .. "floats.lua")
  local function halves(tile)
    return ("local script = dofile(%q)(%s)\n"):format(SCRIPTS .. "halves.lua", tile or "nil")
  end

  it("ask for one sequence after the other", function()
    local text = run(FLOATS .. [[
      local context = script.context()
      io.write(script.single(context, floats, N, DIM), "\n")
      script.lib.vkc_destroy(context)
    ]])
    assert.equal(expected .. "\nexit 0\n", text)
  end)

  it("step through batches of floats", function()
    local text = run(FLOATS .. [[
      local context = script.context()
      local first = script.batch(context, floats, N, DIM)
      for _ = 1, 3 do assert(script.batch(context, floats, N, DIM) == first) end
      io.write(script.batch(context, floats, N, DIM), "\n")
      script.lib.vkc_destroy(context)
    ]])
    assert.equal(expected .. "\nexit 0\n", text)
  end)

  for name, tile in pairs({ ["three"] = false, ["four"] = 256 }) do
    it("compute chunks of halves with " .. name .. " arguments", function()
      for _, size in ipairs({ 7, N }) do
        local text = run(halves(tile) .. ([[
          local halves, widened = script.halves(floats, N * DIM)
          for i = 1, N * DIM do assert(widened[i] == floats[i - 1]) end
          io.write(script.batches(halves, N, DIM, %d), "\n")
        ]]):format(size))
        assert.equal(expected .. "\nexit 0\n", text)
      end
    end)
  end

  -- From compiled code, what a caller leaves out is garbage, where the interpreter passes 0.
  it("call from loops that LuaJIT has compiled", function()
    local compile = 'require("jit.opt").start("hotloop=2")\n'
    local compiled = 'assert(require("jit.util").traceinfo(1), "nothing was compiled")\n'
    for _, tile in ipairs({ "nil", "256" }) do
      local text = run(compile .. halves(tile) .. [[
        script.most_slots = 1
        io.write(script.batches(script.halves(floats, N * DIM), N, DIM, 9), "\n")
      ]] .. compiled)
      assert.equal(expected .. "\nexit 0\n", text)
    end
    local text = run(compile .. FLOATS .. ([[
      local context = script.context()
      local found = script.single(context, floats, N, DIM)
      assert(script.batch(context, floats, N, DIM) == found)
      script.files(context, floats, N, DIM, %q)
      io.write(found, "\n")
    ]]):format(folder) .. compiled)
    assert.equal(expected .. "\nexit 0\n", text)
    assert.equal(0, helper.json(helper.read_file(folder .. "/rankings.json")).metadata.top_k)
  end)

  it("have fewer items than they try places", function()
    for n = 1, 11 do
      local text = run(halves(n % 2 == 0 and 64 or nil) .. ([[
        local halves = script.halves(floats, N * DIM)
        io.write(script.batches(halves, %d, DIM, 3), "\n")
      ]]):format(n))
      local some = { unpack(numbers, 1, n * DIM) }
      assert.equal(rows_of(assert(vkd.batch_compute(some, n))) .. "\nexit 0\n", text)
    end
  end)

  it("write pages and rankings", function()
    local text = run(FLOATS .. ([[
      local context = script.context()
      script.files(context, floats, N, DIM, %q)
      script.lib.vkc_destroy(context)
    ]]):format(folder))
    assert.equal("exit 0\n", text)
    local neighbors = assert(vkd.neighbors(numbers, N, N - 1))
    local rankings = helper.json(helper.read_file(folder .. "/rankings.json"))
    assert.equal(0, rankings.metadata.top_k)
    assert.equal(4, rankings.metadata.sort_threads)
    for i = 1, N do
      local page = helper.json(helper.read_file(("%s/poem_index_%d.json"):format(folder, i)))
      assert.equal("poem " .. i - 1, page.metadata.poem_id)
      assert.equal(N - 1, page.metadata.total_comparisons)
      assert.same(page.sorted_indices, rankings.rankings[tostring(i)])
      local items, similarities = neighbors:row(i)
      for k = 1, N - 1 do
        assert(math.abs(similarities[k] - page.similarities[k].similarity) < 1e-8)
        assert.equal(page.sorted_indices[k], tonumber(page.similarities[k].id))
      end
      assert.equal(items[1], page.sorted_indices[1])
    end
  end)

  it("limit the rankings", function()
    local text = run(halves() .. ([[
      local triangle, numbers = ffi.new("float[3]", { 0.5, 0.25, 0.125 }), ffi.new("uint32_t[3]")
      for i = 0, 2 do numbers[i] = 10 * i end
      local write = script.lib.vks_write_rankings_cache_parallel
      for top = 0, 3 do
        assert(write(triangle, 3, numbers, %q .. "/top" .. top, 2, top) == 0)
      end
    ]]):format(folder))
    assert.equal("exit 0\n", text)
    local function rankings(top) return helper.json(helper.read_file(folder .. "/top" .. top)) end
    assert.same({ ["0"] = { 10 }, ["10"] = { 0 }, ["20"] = { 0 } }, rankings(1).rankings)
    local all = { ["0"] = { 10, 20 }, ["10"] = { 0, 20 }, ["20"] = { 0, 10 } }
    for _, top in ipairs({ 0, 2, 3 }) do
      assert.same(all, rankings(top).rankings)
      assert.equal(top, rankings(top).metadata.top_k)
    end
  end)

  it("show progress in order with what Lua prints", function()
    local body = halves() .. [[
      io.write("before\n")
      script.lib.vkc_progress_update_ex("Texts", 1, 4, nil)
      io.write("between\n")
      script.lib.vkc_progress_update_ex("Texts", 4, 4, "done")
      script.lib.vkc_progress_finish()
      io.write("mode ", script.lib.vkc_progress_mode(), "\n")
    ]]
    assert.equal("before\nbetween\nmode 0\nexit 0\n", run(body))
    assert.equal("before\nbetween\nmode 0\nexit 0\n", run(body, "VKC_DEBUG="))
    local lines = "before\nTexts 1/4 (25%)\nbetween\nTexts 4/4 (100%) done\nmode 2\nexit 0\n"
    assert.equal(lines, run(body, "VKC_DEBUG=1"))
  end)

  it("are told what is wrong in one line", function()
    local text = run(FLOATS .. [[
      local context = script.context()
      assert(script.lib.vkd_init(context, nil, N, DIM) == nil)
      local diversity = script.lib.vkd_init(context, floats, N, DIM)
      script.lib.vkc_destroy(context)
      print(script.lib.vkd_compute_sequence(diversity, N, ffi.new("uint32_t[?]", N)))
      print(script.lib.vkc_get_error_string(-7) ~= nil, script.lib.vkc_get_device_memory(nil))
      script.lib.vkd_destroy(diversity)
    ]])
    assert.matches("[VKD] embeddings is NULL; pass a valid pointer\n", text, 1, true)
    assert.matches("[VKD] start is 40, but there are 40 items\n", text, 1, true)
    assert.matches("exit 0", text, 1, true)
    local none = run(FLOATS .. "assert(script.lib.vkc_init(false) == nil)", "VKD_DEVICE=cppu")
    assert.matches('^%[VKC%] VKD_DEVICE is "cppu"[^\n]*\nexit 0\n$', none)
  end)

  for name, order in pairs({
    ["before"] = 'local vkd = require("vkd")\nlocal script = dofile(%q)\n',
    ["behind"] = 'local script = dofile(%q)\nlocal vkd = require("vkd")\n',
  }) do
    it("share a Lua state with vkd, loaded " .. name .. " them", function()
      local text = run(order:format(SCRIPTS .. "floats.lua") .. [[
        local context = script.context()
        local rows = script.batch(context, floats, N, DIM)
        local sequences = assert(vkd.batch_compute(floats, N, { dim = DIM }))
        for line in rows:gmatch("[^\n]+") do
          local items = {}
          for item in line:gmatch("%d+") do items[#items + 1] = item + 1 end
          local same = assert(sequences:row(items[1]))
          assert(table.concat(same, " ") == table.concat(items, " "))
        end
        assert(ffi.C.VKC_SUCCESS == 0 and ffi.C.VKD_OK == 0)
        script.lib.vkc_destroy(context)
      ]])
      assert.equal("exit 0\n", text)
    end)
  end

  -- Each has its own declarations of the same functions, and one has vkd as well.
  it("run in several Lua states of one process at once", function()
    local one = [[
      function work()
        local context = script.context()
        local rows = script.batch(context, floats, N, DIM)
        script.lib.vkc_destroy(context)
        return rows
      end
    ]]
    local other = [[
      local halves = script.halves(floats, N * DIM)
      function work() return script.batches(halves, N, DIM, 9) end
    ]]
    local chunks = {
      prelude .. FLOATS .. one,
      prelude .. halves() .. other,
      prelude .. halves(256) .. other,
      prelude .. 'local vkd = require("vkd")\n' .. FLOATS .. one,
    }
    for i, chunk in ipairs(chunks) do chunks[i] = ("%q"):format(chunk) end
    local text = run(([[
      ffi.cdef("typedef struct lua_State lua_State;"
        .. "lua_State *luaL_newstate(void);"
        .. "void luaL_openlibs(lua_State *);"
        .. "int luaL_loadstring(lua_State *, const char *);"
        .. "int lua_pcall(lua_State *, int, int, int);"
        .. "const char *lua_tolstring(lua_State *, int, size_t *);"
        .. "void lua_settop(lua_State *, int);"
        .. "void lua_close(lua_State *);")
      local C, states = ffi.C, {}
      local function evaluate(state, chunk)
        local failed = C.luaL_loadstring(state, chunk) ~= 0 or C.lua_pcall(state, 0, 1, 0) ~= 0
        local found = C.lua_tolstring(state, -1, nil)
        found = found ~= nil and ffi.string(found) or ""
        C.lua_settop(state, 0)
        assert(not failed, found)
        return found
      end
      for i, chunk in ipairs({ %s }) do
        states[i] = C.luaL_newstate()
        C.luaL_openlibs(states[i])
        evaluate(states[i], chunk)
      end
      local vkd = require("vkd")
      local expected = evaluate(states[1], "return work()")
      -- A state that is closed unloads nothing that the others need.
      while #states > 0 do
        for _, state in ipairs(states) do assert(evaluate(state, "return work()") == expected) end
        C.lua_close(table.remove(states, 1))
        assert(vkd.batch_compute(floats, N, { dim = DIM }))
      end
      io.write(expected, "\n")
    ]]):format(table.concat(chunks, ", ")))
    assert.equal(expected .. "\nexit 0\n", text)
  end)

  it("name the library in a global, too", function()
    local text = helper.run(("VK_COMPUTE_LIB = %q\n%sprint(script.lib.vkc_init ~= nil)"):format(
      library, FLOATS), "VK_COMPUTE_LIB=/no/such/file")
    assert.equal("true\nexit 0\n", text)
  end)

  it("take rows of zeros", function()
    local text = run(FLOATS .. [[
      ffi.fill(floats + 3 * DIM, DIM * 4)
      local context = script.context()
      io.write(script.single(context, floats, N, DIM), "\n")
      assert(script.single(context, floats, N, DIM) == script.batch(context, floats, N, DIM))
    ]], "VKD_DEVICE=reference")
    for _, device in ipairs({ "cpu", "llvmpipe" }) do
      local other = run(FLOATS .. [[
        ffi.fill(floats + 3 * DIM, DIM * 4)
        io.write(script.single(script.context(), floats, N, DIM), "\n")
      ]], "VKD_DEVICE=" .. device)
      assert.equal(text, other)
    end
    assert.matches("exit 0", text, 1, true)
  end)
end)
