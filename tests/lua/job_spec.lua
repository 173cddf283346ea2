-- Jobs and progress: start, poll, wait, cancel, result; functions that are called meanwhile.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\\\])") .. "helper.lua")
local vkd = helper.vkd()
local failed = helper.failed

local function long_corpus()
  -- Seconds of work on every device that runs these specs, so that it can be caught at work.
  return helper.float_array(helper.numbers(1500, 4)), 1500
end

describe("a job", function()
  it("gives what batch_compute gives", function()
    local numbers = helper.numbers(60, 5)
    local expected = helper.text(assert(vkd.batch_compute(numbers, 60)))
    local job = assert(vkd.start(numbers, 60))
    assert.is_true(job:wait())
    assert.is_true(job:wait(0))
    local progress = assert(job:poll())
    assert.equal("done", progress.state)
    assert.equal(1, progress.fraction)
    assert.equal("sequences", progress.kind)
    assert.equal(60, progress.rows_done)
    assert.equal(60, progress.rows_total)
    assert.equal(60 * 59, progress.steps_done)
    assert.equal(60 * 59, progress.steps_total)
    assert.equal(expected, helper.text(assert(job:result())))
    local again, report = assert(job:result())
    job:free()
    assert.equal(expected, helper.text(again))
    assert.equal(60 * 59, report.steps)
    assert.equal(60, report.rows)
  end)

  it("is pending while at work, and can be cancelled", function()
    local job = assert(vkd.start(long_corpus()))
    local value, message, status = job:wait(0)
    assert.is_nil(value)
    assert.equal("pending", message)
    assert.equal("VKD_PENDING", status)
    failed("VKD_ERROR_NOT_FINISHED", "not finished", job:result())
    assert.equal("running", assert(job:poll()).state)
    job:cancel()
    failed("VKD_ERROR_CANCELLED", "cancelled", job:wait())
    failed("VKD_ERROR_CANCELLED", "cancelled", job:result())
    assert.equal("failed", assert(job:poll()).state)
    job:cancel()
    job:free()
  end)

  it("can be freed or dropped while at work", function()
    assert(vkd.start(long_corpus())):free()
    assert(vkd.start(long_corpus()))
    collectgarbage()
    collectgarbage()
  end)

  it("outlives its context", function()
    local context = assert(vkd.context())
    local job = assert(context:start(helper.numbers(40, 3), 40))
    context:free()
    assert.is_true(job:wait())
    assert.equal(40, assert(job:result()).count)
    job:free()
  end)

  it("goes on beside others", function()
    local jobs, expected = {}, {}
    for i = 1, 8 do jobs[i] = assert(vkd.start(helper.numbers(30, 4, i), 30)) end
    for i = 1, 8 do
      expected[i] = helper.text(assert(vkd.batch_compute(helper.numbers(30, 4, i), 30)))
    end
    for i = 8, 1, -1 do
      assert.is_true(jobs[i]:wait(60))
      assert.equal(expected[i], helper.text(assert(jobs[i]:result())))
      jobs[i]:free()
    end
  end)
end)

describe("progress", function()
  it("is told to a function, at the end with everything done", function()
    local calls, last = 0, nil
    local numbers = helper.numbers(50, 4)
    assert(vkd.batch_compute(numbers, 50, {
      progress = function(state)
        if last then assert.is_true(state.steps_done >= last.steps_done) end
        calls, last = calls + 1, state
      end,
    }))
    assert.is_true(calls >= 1)
    assert.equal("done", last.state)
    assert.equal(50 * 49, last.steps_done)
  end)

  it("lets an error of the function pass and stops the work", function()
    local values, count = long_corpus()
    local fine, message = pcall(vkd.batch_compute, values, count, {
      progress = function() error("enough", 0) end,
    })
    assert.is_false(fine)
    assert.equal("enough", message)
    local problem = {}
    fine, message = pcall(vkd.batch_compute, values, count, {
      progress = function() error(problem) end,
    })
    assert.is_false(fine)
    assert.equal(problem, message)
  end)

  it("is a line with words that are true for each kind of work", function()
    local text = require("vkd.progress").text
    local function line(kind, fields)
      local state = { kind = kind, state = "running", fraction = 0.5, rows_done = 1234,
        rows_total = 2468, rows_written = 0, steps_done = 3e6, steps_seconds = 2, files_done = 0,
        files_total = 0, bytes_written = 0, seconds = 10, seconds_left = 61 }
      for name, value in pairs(fields or {}) do state[name] = value end
      return text(state)
    end
    assert.equal(" 50 %  1,234 of 2,468 sequences, 1.50 M picks/s, 1 min 1 s left",
      line("sequences"))
    assert.equal(" 50 %  1,234 of 2,468 rows, 1.50 M dot products/s, 1 min 1 s left",
      line("neighbors"))
    assert.equal(" 50 %  1,234 of 2,468 rows, 1.50 M dot products/s, 1 min 1 s left",
      line("similarity"))
    local some = { rows_written = 7, rows_total = 14, files_total = 15, bytes_written = 3e7 }
    assert.equal(" 50 %  7 of 14 pages, 3 MB/s, 1 min 1 s left", line("site", some))
    -- From results there are no steps, and the first files may get their names at the end.
    some.steps_done, some.bytes_written = 0, 0
    assert.equal(" 50 %  7 of 14 pages, 1 min 1 s left", line("site", some))
    some.files_total = 1
    assert.equal(" 50 %  7 of 14 rankings, 1 min 1 s left", line("site", some))
    assert.equal("100 %  15 files, 1 MB/s, 10 s", line("site", { state = "done", fraction = 1,
      files_done = 15, files_total = 15, bytes_written = 1e7 }))
    assert.equal(" 50 %  1,234 of 2,468 rows, 1.50 M steps/s, 1 min 1 s left", line(nil))
    assert.equal("100 %  2,468 sequences, 1.50 M picks/s, 10 s",
      line("sequences", { state = "done", fraction = 1, rows_done = 2468 }))
    local begin = { steps_done = 0, files_done = 0 }
    assert.equal("  0 %  building the contribution matrix, 10 s", line("sequences", begin))
    assert.equal("  0 %  preparing the embeddings, 10 s", line("neighbors", begin))
    assert.equal("  0 %  preparing the files, 10 s", line("site", begin))
  end)

  it("draws nothing in a file", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    local line = vkd.progress_line(file)
    assert.is_false(line.visible)
    assert(vkd.batch_compute(helper.numbers(50, 4), 50, { progress = line }))
    line:finish()
    file:close()
    assert.equal("", helper.read_file(path))
    os.remove(path)
  end)
end)
