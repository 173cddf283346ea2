-- Workers: what they are given, how their ends are told, and that nothing of them is left.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])")
local helper = dofile(here .. "helper.lua")
local workers = dofile(here .. "workers_helper.lua")
local vkd = helper.vkd()
local process = require("vkd.process")
local BEGIN, run, failed = workers.BEGIN, workers.run, workers.failed
local with_folder, runs = workers.with_folder, workers.runs

describe("workers", function()
  local before
  before_each(function() before = workers.descriptors() end)
  after_each(function()
    assert.is_false(workers.has_children())
    assert.equal(before, workers.descriptors())
  end)

  it("get their number, the count and the arguments as they are", function()
    local texts = { "two words", "it's \"quoted\" $HOME `ls` \\", "a\nb\n", "gedicht für dich 詩",
      "", "-e", "*", "\1\127\255" }
    with_folder(function(folder)
      local arguments = { folder, unpack(texts) }
      assert(run(3, [[save(arg[3] .. "/" .. index, table.concat(arg, "\0"))]], arguments))
      for index = 1, 3 do
        assert.equal(table.concat({ index, 3, unpack(arguments) }, "\0"),
          helper.read_file(folder .. "/" .. index))
      end
    end)
  end)

  it("get numbers that are equal", function()
    local numbers = { 0, 1, -7, 2 ^ 53, 2 ^ 53 - 1, 0.1, 1 / 3, 1e300, 5e-324, -0.1, 1e15 + 0.3,
      math.pi, math.huge, -math.huge }
    local arguments = { unpack(numbers) }
    for _, number in ipairs(numbers) do table.insert(arguments, ("%a"):format(number)) end
    assert(run(1, [[
      local half = (#arg - 2) / 2
      for i = 3, half + 2 do
        assert(("%a"):format(tonumber(arg[i])) == arg[i + half], arg[i])
      end
    ]], arguments))
    assert(run(1, [[
      assert(table.concat(arg, " ", 3) == "7 0.1 0.3333333333333333 -0 1e+300", arg[5])
    ]], { 7, 0.1, 1 / 3, -0.0, 1e300 }))
  end)

  it("are one for each processor by default", function()
    local pipe = io.popen("OMP_NUM_THREADS= OMP_THREAD_LIMIT= nproc")
    local count = pipe:read("*n")
    pipe:close()
    local _, report = assert(run(nil, "assert(count == tonumber(arg[3]))", { count }))
    assert.equal(count, #report)
    _, report = assert(run(0, "", {}))
    assert.equal(count, #report)
  end)

  it("tell how long they took and what they wrote to standard error", function()
    local done, report = run(2, [[
      if index == 2 then io.stderr:write("a warning\n") sleep(0.3) end
    ]])
    assert.is_true(done)
    assert.equal("", report[1].error_text)
    assert.equal("a warning", report[2].error_text)
    assert.is_true(report[2].seconds >= 0.3 and report.seconds >= report[2].seconds)
  end)

  it("share standard output, behind what was printed before, and have nothing to read", function()
    helper.with_file("print(arg[1], io.read('*a') == '')", function(path)
      local text = helper.run(([[
        package.path = %q
        local vkd = require("vkd")
        print("before")
        assert(vkd.workers(1, %q))
        print("after")
      ]]):format(package.path, path), "echo input |")
      assert.equal("before\n1\ttrue\nafter\nexit 0\n", text)
    end)
  end)

  it("inherit no pipe of each other", function()
    local pipes = [[
      local ffi = require("ffi")
      if not pcall(function() return ffi.C.spec_link end) then
        ffi.cdef('intptr_t spec_link(const char *, char *, size_t) __asm__("readlink");')
      end
      local pipes = {}
      for descriptor = 4, 255 do
        local to = ffi.new("char[64]")
        ffi.C.spec_link("/proc/self/fd/" .. descriptor, to, 63)
        if ffi.string(to):find("^pipe:") then table.insert(pipes, ffi.string(to)) end
      end
      return table.concat(pipes, " ")
    ]]
    -- Those that `make` and others leave open are no concern of this.
    local own = assert(loadstring(pipes))()
    assert(run(3, "assert((function() " .. pipes .. " end)() == arg[3])", { own }))
  end)

  it("may be many", function()
    local done, report = run(64, "assert(count == 64)")
    assert.is_true(done, report)
    assert.equal(64, #report)
  end)

  it("may write much to standard error", function()
    local _, report = assert(run(2, [[
      for i = 1, 16384 do io.stderr:write(("%063d\n"):format(i)) end
    ]]))
    for index = 1, 2 do
      local text = report[index].error_text
      assert.is_true(#text < 5000)
      assert.matches("^%.%.%. 0+%d+\n", text)
      assert.matches("016384$", text)
    end
  end)

  describe("that fail", function()
    it("end the call with number, exit code and error", function()
      local message = failed("worker 2 of 3 (", run(3, [[
        if index == 2 then error("no such row") end
      ]]))
      assert.matches("ended with exit code 1: ", message, 1, true)
      assert.matches("no such row", message, 1, true)
      failed("ended with exit code 7; it wrote nothing to standard error", run(1, "os.exit(7)"))
    end)

    it("by a signal are told with its number", function()
      failed("was ended by signal 9", run(2, [[
        if index == 1 then ffi.C.kill(ffi.C.getpid(), 9) end
      ]]))
      failed("was ended by signal 11", run(1, "ffi.cast('int *', 8)[0] = 1"))
    end)

    it("stop the others at once", function()
      with_folder(function(folder)
        local begin = process.now()
        failed("worker 3 of 4", run(4, [[
          save(arg[3] .. "/" .. index, ffi.C.getpid())
          if index == 3 then error("enough") end
          sleep(60)
        ]], { folder }))
        assert.is_true(process.now() - begin < 10)
        for index = 1, 4 do
          local file = io.open(folder .. "/" .. index)
          if file then
            assert.is_false(runs(file:read("*a")))
            file:close()
          end
        end
      end)
    end)

    it("let the others end by SIGTERM", function()
      with_folder(function(folder)
        failed("worker 2 of 2", run(2, [[
          if index == 2 then
            while not io.open(arg[3] .. "/ready") do sleep(0.05) end
            error("enough")
          end
          ffi.cdef("int sigemptyset(void *); int sigaddset(void *, int);"
            .. "int sigprocmask(int, void *, void *); int sigwait(void *, int *);")
          local set = ffi.new("char[128]")
          ffi.C.sigemptyset(set)
          ffi.C.sigaddset(set, 15)
          ffi.C.sigprocmask(0, set, nil)
          save(arg[3] .. "/ready", "")
          ffi.C.sigwait(set, ffi.new("int[1]"))
          save(arg[3] .. "/ready", "asked to end")
        ]], { folder }))
        assert.equal("asked to end", helper.read_file(folder .. "/ready"))
      end)
    end)

    it("end those too that ignore SIGTERM", function()
      with_folder(function(folder)
        local begin = process.now()
        failed("worker 2 of 2", run(2, [[
          if index == 1 then
            ffi.C.signal(15, ffi.cast("void *", 1))
            save(arg[3] .. "/ready", "")
            sleep(60)
          end
          while not io.open(arg[3] .. "/ready") do sleep(0.05) end
          error("enough")
        ]], { folder }))
        local seconds = process.now() - begin
        assert.is_true(seconds > 2 and seconds < 20)
      end)
    end)

    it("leave what they wrote, also where others hold their standard error", function()
      local begin = process.now()
      failed("exit code 3: last words", run(1, [[
        os.execute("sleep 20 &")
        io.stderr:write("last words\n")
        os.exit(3)
      ]]))
      assert.is_true(process.now() - begin < 10)
    end)

    it("by a text without end keep its end", function()
      local message = failed("exit code 1: ... ", run(1, [[
        io.stderr:write(("ü"):rep(20000), "x")
        os.exit(1)
      ]]))
      assert.matches("%.%.%. ü.*üx$", message)
      assert.is_true(#message < 5000)
    end)
  end)

  it("that close their standard error are waited for", function()
    with_folder(function(folder)
      assert(run(2, [[
        ffi.cdef("int close(int);")
        ffi.C.close(2)
        sleep(0.3)
        save(arg[3] .. "/" .. index, "done")
      ]], { folder }))
      for index = 1, 2 do assert.equal("done", helper.read_file(folder .. "/" .. index)) end
    end)
  end)

  it("are stopped after option timeout", function()
    local begin = process.now()
    failed("worker 2 of 2 (", run(2, "if index == 2 then sleep(60) end", {}, { timeout = 0.4 }))
    assert.is_true(process.now() - begin < 10)
    assert(run(2, "", {}, { timeout = 60 }))
  end)

  it("have the environment and additions", function()
    assert(run(1, [[
      assert(os.getenv("PATH") == arg[3])
      assert(os.getenv("VKD_SPEC_TEXT") == "a = b\n")
      assert(os.getenv("VKD_SPEC_NUMBER") == "0.1")
    ]], { os.getenv("PATH") },
      { environment = { VKD_SPEC_TEXT = "a = b\n", VKD_SPEC_NUMBER = 0.1 } }))
  end)

  it("find vkd where this program does, also by a path with spaces", function()
    with_folder(function(folder)
      assert(os.execute(("mkdir '%s/a folder' && cp -r %slua/vkd.lua %slua/vkd '%s/a folder'")
        :format(folder, helper.root, helper.root, folder)) == 0)
      helper.with_file([[
        assert(package.path:sub(1, #arg[3]) == arg[3])
        local own = debug.getinfo(require("vkd").workers, "S").source
        assert(own == "@" .. arg[3] .. "vkd.lua", own)
        assert(package.cpath == "a path/?.so;b")
      ]], function(script)
        local library = os.getenv("VKD_LIBRARY") or helper.root .. "target/release/libvkd.so"
        for _, by in ipairs({ "package.path = %q .. '?.lua;' .. package.path require('vkd')",
          "dofile(%q .. 'vkd.lua')" }) do
          local place = folder .. "/a folder/"
          local text = helper.run("local vkd = " .. by:gsub("^(package.*) (require.*)$",
            "(function() %1 return %2 end)()"):format(place) .. ([[
            package.cpath = "a path/?.so;b"
            print(vkd.workers(2, %q, { %q }))
          ]]):format(script, place), "VKD_LIBRARY=" .. library)
          assert.matches("^true", text)
        end
      end)
    end)
  end)

  it("that cannot be started are told", function()
    failed("the workers' script cannot be read: no/such.lua: No such file",
      vkd.workers(2, "no/such.lua"))
    failed("the workers' script cannot be read: tests: Is a directory", vkd.workers(2, "tests"))
    failed("worker 1 of 2 could not be started: /no/such/luajit: No such file",
      run(2, "", {}, { lua = "/no/such/luajit" }))
    failed("worker 1 of 2 could not be started",
      run(2, "", { ("x"):rep(4e6) }))
    assert(run(2, "", {}, { lua = "luajit" }))
  end)

  it("may have a script whose name begins as an option does", function()
    with_folder(function(folder)
      assert(os.execute(("echo 'assert(#arg == 2)' >'%s/-x.lua'"):format(folder)) == 0)
      local text = helper.run(([[
        local vkd = dofile(%q)
        ffi = require("ffi")
        ffi.cdef("int chdir(const char *);")
        ffi.C.chdir(%q)
        print(vkd.workers(2, "-x.lua"))
      ]]):format(helper.root .. "lua/vkd.lua", folder))
      assert.matches("^true", text)
    end)
  end)

  it("are stopped where a later one cannot be started", function()
    local spawn, pids = process.spawn, {}
    process.spawn = function(place, ...)
      if #pids == 2 then return nil, "no room" end
      assert(spawn(place, ...))
      pids[#pids + 1] = place[0]
      return true
    end
    local fine, done, message = pcall(run, 4, "sleep(60)")
    process.spawn = spawn
    assert(fine, done)
    failed("worker 3 of 4 could not be started: ", done, message)
    assert.matches("no room$", message)
    assert.equal(2, #pids)
    for _, pid in ipairs(pids) do assert.is_false(runs(pid)) end
  end)

  it("are stopped where descriptors run out", function()
    helper.with_file("require('ffi').cdef('int pause(void);') require('ffi').C.pause()",
      function(script)
        local text = helper.run(([[
          package.path = %q
          local vkd = require("vkd")
          for _ = 1, 3 do print(select(2, vkd.workers(100, %q))) end
        ]]):format(package.path, script), "ulimit -n 40;")
        local first, second = text:match("^(%C+)\n(%C+)\n")
        assert.matches("^worker %d+ of 100 could not be started: .*Too many open files", first)
        assert.equal(first, second)
      end)
  end)

  it("leave nothing behind, again and again", function()
    helper.with_file("if arg[3] == 'fail' and arg[1] == '2' then os.exit(1) end", function(path)
      for round = 1, 50 do
        local done = vkd.workers(3, path, { round % 2 == 0 and "fail" or "pass" })
        assert.equal(round % 2 == 1 or nil, done)
      end
    end)
  end)

  it("run from a coroutine, which may yield in its progress and be dropped", function()
    local finished = coroutine.wrap(function() return run(2, "") end)()
    assert.is_true(finished)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(BEGIN, "sleep(60)")
    file:close()
    local thread = coroutine.create(function()
      vkd.workers(2, path, {}, { progress = coroutine.yield })
    end)
    local _, state = assert(coroutine.resume(thread))
    os.remove(path)
    assert.equal("running", state.state)
    thread = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
  end)
end)

describe("misuse of workers:", function()
  local script = helper.root .. "tests/lua/helper.lua"
  local cases = {
    { "count must be an integer from 0 to 1,024, not -1", -1, script },
    { "count must be an integer from 0 to 1,024, not 1025", 1025, script },
    { "count must be an integer", 1.5, script },
    { "count must be an integer", "2", script },
    { "script must be the path of a file, not nil", 2 },
    { "script must be the path of a file, not \"\"", 2, "" },
    { "script holds a NUL character", 2, "a\0b" },
    { "arguments must be a list of strings and numbers, not \"x\"", 2, script, "x" },
    { "arguments must be a list, but has \"progress\"; options come behind it", 2, script,
      { progress = true } },
    { "arguments[2] is nil, but arguments[3] is not", 2, script, { 1, nil, 3 } },
    { "arguments[1] must be a string or a number, not true", 2, script, { true } },
    { "arguments[1] must be a string or a number, not a table", 2, script, { {} } },
    { "arguments[2] holds a NUL character", 2, script, { "a", "b\0c" } },
    { "there is no option \"threads\" here", 2, script, {}, { threads = 2 } },
    { "option timeout must be a number of seconds above 0, not 0", 2, script, {}, { timeout = 0 } },
    { "option timeout must be a number of seconds", 2, script, {}, { timeout = 0 / 0 } },
    { "option lua must be the path of a file", 2, script, {}, { lua = "" } },
    { "option progress must be", 2, script, {}, { progress = {} } },
    { "option environment has \"A=B\", which cannot name a variable", 2, script, {},
      { environment = { ["A=B"] = "c" } } },
    { "option environment has 1, which cannot", 2, script, {}, { environment = { "A=B" } } },
    { "option environment.A must be a string or a number", 2, script, {},
      { environment = { A = false } } },
    { "option environment.A holds a NUL", 2, script, {}, { environment = { A = "\0" } } },
  }
  for i, case in ipairs(cases) do
    it(("%d: %s"):format(i, case[1]), function()
      helper.blames_caller(case[1], function()
        local _ = vkd.workers(case[2], case[3], case[4], case[5])
      end)
    end)
  end

  it("a fraction", function()
    for _, fraction in ipairs({ -0.1, 1.1, 0 / 0, "0.5", {} }) do
      helper.blames_caller("fraction must be a number from 0 to 1", function()
        local _ = vkd.report_progress(fraction)
      end)
    end
  end)
end)
