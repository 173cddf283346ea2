-- What sequences and neighbours offer alike, in memory and in files.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local ffi = require("ffi")
local vkd = helper.vkd()

local N, DIM, K = 200, 3, 7
local numbers = helper.numbers(N, DIM)

-- Every kind of results, made by a function that takes the options of its call.
local KINDS = {
  sequences = {
    make = function(options) return assert(vkd.batch_compute(numbers, N, options)) end,
    pointers = { { field = "data", width = N, add = 1 } },
  },
  neighbors = {
    make = function(options) return assert(vkd.neighbors(numbers, N, K, options)) end,
    pointers = { { field = "indices", width = K, add = 1 },
      { field = "similarities", width = K, add = 0 } },
  },
}

local function overwrite_end(path)
  local file = assert(io.open(path, "r+b"))
  file:seek("end", -100)
  file:write(("\255"):rep(20))
  file:close()
end

for name, kind in pairs(KINDS) do
  for _, place in ipairs({ "memory", "a file" }) do
    describe(name .. " in " .. place, function()
      local path, results

      setup(function()
        path = os.tmpname()
        os.remove(path)
        results = kind.make({ output = place == "a file" and path or nil })
      end)
      teardown(function()
        results:free()
        os.remove(path)
      end)

      it("give a row as tables, by method and by index", function()
        assert.equal(N, results.count)
        for _, i in ipairs({ 1, 2, N }) do assert.same((results:row(i)), results[i]) end
        for _, i in ipairs({ 0, N + 1, 1.5, -1 }) do assert.is_nil(results[i]) end
        assert.is_nil(results.no_such_field)
      end)

      it("go through all rows", function()
        local seen = 0
        for i, first, second in results:rows() do
          seen = seen + 1
          assert.equal(seen, i)
          assert.same({ results:row(i) }, { first, second })
        end
        assert.equal(N, seen)
      end)

      it("give a row as it lies", function()
        local tables, pointers = { results:row(5) }, { results:pointer(5) }
        assert.equal(#kind.pointers, #pointers)
        for each, wanted in ipairs(kind.pointers) do
          for at = 0, wanted.width - 1 do
            local value = pointers[each][at]
            assert.equal(tables[each][at + 1], value + wanted.add)
            assert.equal(results[wanted.field][4 * wanted.width + at], value)
          end
        end
        local item = ffi.typeof("const " .. results.item_type .. " *")
        assert.is_true(ffi.istype(item, pointers[1]))
      end)

      it("blame the caller", function()
        for _, method in ipairs({ "row", "pointer" }) do
          for _, i in ipairs({ 0, N + 1, 1.5, "1" }) do
            helper.blames_caller("they are numbered from 1 to 200", function()
              local _ = results[method](results, i)
            end)
          end
        end
        for _, method in ipairs({ "row", "pointer", "rows", "verify", "free" }) do
          helper.blames_caller(("call it as %s:%s("):format(name, method), function()
            local _ = results[method]({})
          end)
        end
      end)

      it("are sound", function()
        local report = assert(results:verify())
        assert.equal(N, report.rows_checked)
      end)

      it("are known to be damaged", function()
        local damaged_path = os.tmpname()
        os.remove(damaged_path)
        local damaged = kind.make({ output = place == "a file" and damaged_path or nil })
        assert(damaged:verify())
        if place == "a file" then
          overwrite_end(damaged_path)
          helper.failed("VKD_ERROR_BAD_FILE", "does not fit its checksum", damaged:verify())
        else
          local items = damaged[kind.pointers[1].field]
          local sound = items[9]
          for _, wrong in ipairs({ N, 2 ^ 32 - 1, items[8] }) do
            items[9] = wrong
            helper.failed("VKD_ERROR_INTERNAL", "(", damaged:verify())
          end
          items[9] = sound
          assert(damaged:verify())
        end
        damaged:free()
        os.remove(damaged_path)
      end)

      it("can be freed, and say so afterwards", function()
        local freed_path = os.tmpname()
        os.remove(freed_path)
        local freed = kind.make({ output = place == "a file" and freed_path or nil })
        freed:free()
        freed:free()
        for _, wanted in ipairs(kind.pointers) do assert.is_nil(freed[wanted.field]) end
        for _, method in ipairs({ "row", "pointer", "rows", "verify" }) do
          helper.blames_caller("these results have been freed", function()
            local _ = freed[method](freed, 1)
          end)
        end
        helper.blames_caller("these results have been freed", function() local _ = freed[1] end)
        helper.blames_caller("these results have been freed", function()
          local _ = vkd.site(freed, { directory = "/no/such/folder" })
        end)
        os.remove(freed_path)
      end)

      it("stay readable through a pointer when all else is collected", function()
        local other_path = os.tmpname()
        os.remove(other_path)
        local options = { output = place == "a file" and other_path or nil }
        local expected = results:row(N)
        for each = 1, #kind.pointers do
          local pointer = select(each, kind.make(options):pointer(N))
          for _ = 1, 3 do collectgarbage() end
          if each == 1 then assert.equal(expected[1], pointer[0] + 1) end
          assert.is_true(pointer[0] == pointer[0])
        end
        os.remove(other_path)
      end)
    end)
  end
end

describe("pointers that are fields", function()
  -- In a process of its own: what fails here ends it.
  local function survives(field, make)
    local path = os.tmpname()
    os.remove(path)
    local text = helper.run(([[
      package.path = "%slua/?.lua;" .. package.path
      local vkd = require("vkd")
      local numbers = {}
      for i = 1, 3000 do numbers[i] = i * 7919 %% 1009 + 1 end
      local options = { output = %s }
      %s
      for _ = 1, 2 do
        local kept = make()[%q]
        local before = {}
        for i = 0, 99 do before[i] = kept[i] end
        collectgarbage()
        collectgarbage()
        -- What is freed by now would be used again.
        local others = {}
        for i = 1, 20 do others[i] = require("ffi").new("uint8_t[?]", 100000, i) end
        for i = 0, 99 do assert(kept[i] == before[i]) end
      end]]):format(helper.root, make.output and ("%q"):format(path) or "nil", make.text, field))
    os.remove(path)
    assert.equal("exit 0\n", text)
  end

  local SEQUENCES = "local function make() return assert(vkd.batch_compute(numbers, 1000, "
    .. "{ length = 40, output = options.output })) end"
  local NEIGHBORS = "local function make() return assert(vkd.neighbors(numbers, 1000, 40, "
    .. "options)) end"
  for field, text in pairs({ data = SEQUENCES, indices = NEIGHBORS, similarities = NEIGHBORS }) do
    for place, output in pairs({ memory = false, ["a file"] = true }) do
      it(("keep what they point to: %s in %s"):format(field, place), function()
        survives(field, { text = text, output = output })
      end)
    end
  end

  it("let go of it when they are collected", function()
    local path = os.tmpname()
    os.remove(path)
    assert(vkd.neighbors(numbers, N, K, { output = path }))
    local gone = setmetatable({}, { __mode = "v" })
    do
      local opened = assert(vkd.open(path))
      gone.results, gone.file, gone.pointer = opened, opened._file, opened:pointer(3)
    end
    for _ = 1, 4 do collectgarbage() end
    assert.same({}, gone)
    os.remove(path)
  end)
end)

describe("neighbours", function()
  it("are not checked against embeddings, and say so", function()
    local found = assert(vkd.neighbors(numbers, N, K))
    helper.blames_caller("only sequences are checked against embeddings", function()
      local _ = found:verify(numbers)
    end)
  end)

  it("in memory must be in order, and not the item itself", function()
    local found = assert(vkd.neighbors(numbers, N, K))
    found.similarities[K] = 0 / 0
    helper.failed("VKD_ERROR_INTERNAL", "row 2 (1-based)", found:verify())
    found.similarities[K] = 1
    assert(found:verify())
    found.indices[K] = 1
    helper.failed("VKD_ERROR_INTERNAL", "row 2 (1-based)", found:verify())
  end)
end)

describe("sequences in memory", function()
  it("are found by their start", function()
    local sequences = assert(vkd.batch_compute(numbers, N, { starts = { 9, 4 }, length = 3 }))
    assert.equal(2, sequences:find(4))
    helper.failed("VKD_ERROR_START_OUT_OF_RANGE", "begins with item 5 (1-based)", sequences:find(5))
    helper.blames_caller("option picks goes with embeddings", function()
      local _ = sequences:verify(nil, { picks = 3 })
    end)
    helper.blames_caller("only a file", function() local _ = sequences:verify(numbers) end)
  end)
end)
