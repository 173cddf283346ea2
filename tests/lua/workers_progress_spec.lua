-- The progress of workers, and workers that read one file of results.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])")
local helper = dofile(here .. "helper.lua")
local workers = dofile(here .. "workers_helper.lua")
local vkd = helper.vkd()
local BEGIN, run, failed = workers.BEGIN, workers.run, workers.failed
local with_folder, runs, soon = workers.with_folder, workers.runs, workers.soon

describe("the progress of workers", function()
  local before
  before_each(function() before = workers.descriptors() end)
  after_each(function()
    assert.is_false(workers.has_children())
    assert.equal(before, workers.descriptors())
  end)

  it("is what they report", function()
    local states = {}
    assert(run(2, [[
      package.path = arg[3]
      local vkd = require("vkd")
      for i = 1, 4 do
        assert(vkd.report_progress(i / 8) == true)
        sleep(0.15)
      end
      if index == 2 then sleep(0.4) end
    ]], { package.path }, { progress = function(state) table.insert(states, state) end }))
    local last = table.remove(states)
    assert.equal("done", last.state)
    assert.equal(1, last.fraction)
    assert.equal(2, last.rows_done)
    assert.same({ 1, 1 }, last.fractions)
    local fraction, partial, ended = 0, false, false
    for _, state in ipairs(states) do
      assert.equal("running", state.state)
      assert.equal("workers", state.kind)
      assert.equal(2, state.rows_total)
      assert.is_true(state.fraction >= fraction and state.fraction < 1)
      fraction = state.fraction
      partial = partial or state.fractions[1] > 0 and state.fractions[1] < 1
      ended = ended or state.rows_done == 1 and state.fraction >= 0.75
    end
    assert.is_true(partial and ended)
  end)

  it("is read while they run, however often they report", function()
    assert(run(4, [[
      package.path = arg[3]
      local vkd = require("vkd")
      for _ = 1, 20 do
        for i = 0, 1000 do vkd.report_progress(i / 1000) end
      end
    ]], { package.path }))
  end)

  it("ends in a failure, or by an error of the caller's function", function()
    local last
    failed("exit code 5", run(2, "if index == 1 then os.exit(5) end sleep(60)", {},
      { progress = function(state) last = state end }))
    assert.equal("failed", last.state)
    local problem = {}
    local fine, message = pcall(run, 2, "sleep(60)", {},
      { progress = function() error(problem) end })
    assert.is_false(fine)
    assert.equal(problem, message)
  end)

  it("is drawn as a line", function()
    local text = require("vkd.progress").text
    local state = { kind = "workers", state = "running", fraction = 0, rows_done = 0,
      rows_total = 4, steps_done = 0, steps_total = 4, steps_seconds = 0, seconds = 2 }
    assert.equal("  0 %  workers are at work, 2 s", text(state))
    state.fraction, state.steps_done, state.rows_done, state.seconds_left = 0.5, 2, 1, 9
    assert.equal(" 50 %  1 of 4 workers, 9 s left", text(state))
    assert(run(2, "", {}, { progress = true }))
    assert(run(2, "", {}, { progress = vkd.progress_line(io.stderr) }))
  end)

  it("is harmless elsewhere", function()
    assert.is_false(vkd.report_progress(0.5))
    assert(run(1, [[
      -- The child has the variable, but is no worker.
      local command = "exec 3>" .. arg[4] .. "; luajit -e 'package.path = [=[" .. arg[3]
        .. "]=] assert(require([=[vkd]=]).report_progress(0.5) == false)'"
      assert(os.execute(command) == 0)
      assert(io.open(arg[4]):read("*a") == "")
      os.remove(arg[4])
    ]], { package.path, os.tmpname() }))
  end)

  it("ends a worker whose starter was killed", function()
    with_folder(function(folder)
      helper.with_file(BEGIN .. [[
        package.path = arg[3]
        local vkd = require("vkd")
        save(arg[4] .. "/new" .. index, ffi.C.getpid())
        os.rename(arg[4] .. "/new" .. index, arg[4] .. "/pid" .. index)
        -- What reads standard output does not wait for the workers.
        ffi.cdef("int close(int);")
        ffi.C.close(1)
        for i = 1, 1000 do
          vkd.report_progress(i / 1000)
          local both = io.open(arg[4] .. "/pid1") and io.open(arg[4] .. "/pid2")
          if both and index == 1 then ffi.C.kill(tonumber(arg[5]), 9) end
          sleep(0.05)
        end
      ]], function(script)
        local text = helper.run(([[
          package.path = %q
          local vkd = require("vkd")
          vkd.workers(2, %q, { package.path, %q, require("vkd.process").id() })
        ]]):format(package.path, script, folder))
        assert.matches("exit 137", text)
        for index = 1, 2 do
          local pid = helper.read_file(folder .. "/pid" .. index)
          assert.is_true(soon(function() return not runs(pid) end))
        end
      end)
    end)
  end)

  it("stops for Ctrl-C", function()
    helper.with_file(BEGIN .. [[
      if index == 1 then ffi.C.kill(tonumber(arg[3]), 2) end
      sleep(60)
    ]], function(script)
      local text = helper.run(([[
        package.path = %q
        local vkd = require("vkd")
        vkd.workers(2, %q, { require("vkd.process").id() })
      ]]):format(package.path, script))
      assert.matches("interrupted!", text)
      assert.matches("exit 1\n$", text)
    end)
  end)
end)

describe("workers and files of results:", function()
  it("each maps the results and writes its part of an output", function()
    with_folder(function(folder)
      local path = folder .. "/results"
      local numbers = helper.numbers(30, 3)
      local sequences = assert(vkd.batch_compute(numbers, 30, { output = path, device = "cpu" }))
      assert(run(4, [[
        local vkd = require("vkd")
        local results = assert(vkd.open(arg[3]))
        local lines = {}
        for i = index, results.count, count do
          lines[#lines + 1] = i .. ": " .. table.concat(results:row(i), " ") .. "\n"
          vkd.report_progress(i / results.count)
        end
        save(arg[4] .. "/part" .. index, table.concat(lines))
      ]], { path, folder }))
      local rows = 0
      for index = 1, 4 do
        for row, items in helper.read_file(folder .. "/part" .. index):gmatch("(%d+): (%C+)\n") do
          assert.equal(index % 4, tonumber(row) % 4)
          assert.equal(table.concat(sequences:row(tonumber(row)), " "), items)
          rows = rows + 1
        end
      end
      assert.equal(30, rows)
    end)
  end)
end)
