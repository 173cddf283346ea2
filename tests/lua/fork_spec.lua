-- A fork while contexts and jobs are there: in the child the parent's are refused and their
-- finalizers do nothing; what names no context works.

local ffi = require("ffi")
local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\\\])") .. "helper.lua")
local vkd = helper.vkd()

ffi.cdef([[
  int fork(void);
  int waitpid(int pid, int *status, int options);
  unsigned alarm(unsigned seconds);
  void _exit(int status);
]])

-- Runs `work` in a child, which must end within a minute; its error is this spec's.
local function in_child(work)
  helper.with_file("", function(path)
    local pid = ffi.C.fork()
    if pid == 0 then
      ffi.C.alarm(60)
      local fine, message = pcall(work)
      local file = assert(io.open(path, "w"))
      file:write(fine and "fine" or tostring(message))
      file:close()
      ffi.C._exit(0)
    end
    local status = ffi.new("int[1]")
    assert.equal(pid, ffi.C.waitpid(pid, status, 0))
    assert.equal(0, status[0], "the child was killed")
    assert.equal("fine", helper.read_file(path))
  end)
end

local function refused(value, message, status)
  assert(value == nil and status == "VKD_ERROR_OTHER_PROCESS", tostring(status))
  assert(message:find("fork", 1, true), message)
end

describe("a child after a fork", function()
  it("is refused its parent's context and job, and frees them without harm", function()
    local numbers = helper.numbers(40, 3)
    local expected = helper.text(assert(vkd.batch_compute(numbers, 40, { device = "cpu" })))
    local own = { context = assert(vkd.context()) }
    own.job = assert(own.context:start(helper.float_array(helper.numbers(1500, 4)), 1500))
    in_child(function()
      refused(own.context:info())
      refused(own.context:batch_compute(numbers, 40))
      refused(own.context:plan(40, 3))
      refused(own.job:wait())
      refused(own.job:poll())
      refused(own.job:result())
      own.job:cancel()
      own.job:free()
      own.context = nil
      collectgarbage()
      collectgarbage()
      -- The module's own context for a device was the parent's too: it makes another.
      local again = assert(vkd.batch_compute(numbers, 40, { device = "cpu" }))
      assert(helper.text(again) == expected)
    end)
    assert.is_true(own.job:wait())
    own.job:free()
    own.context:free()
  end)

  it("opens files of results", function()
    local path = os.tmpname()
    os.remove(path)
    assert(vkd.batch_compute(helper.numbers(30, 3), 30, { output = path, device = "cpu" }))
    local opened = assert(vkd.open(path))
    in_child(function()
      assert(opened[3][1] == 3)
      assert(assert(vkd.open(path))[7][1] == 7)
      opened = nil
      collectgarbage()
    end)
    assert.equal(3, opened[3][1])
    os.remove(path)
  end)
end)
