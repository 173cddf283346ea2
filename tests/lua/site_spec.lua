-- The files of a site through LuaJIT.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

describe("a site", function()
  local numbers = helper.numbers(20, 4)
  local folder, ids, metadata

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    ids, metadata = {}, {}
    for i = 1, 20 do ids[i], metadata[i] = "poem-" .. i, ('{"title":"No. %d"}'):format(i) end
  end)
  after_each(function() os.execute("rm -rf " .. folder) end)

  local function page(id)
    return helper.json(helper.read_file(folder .. "/pages/" .. id .. ".json"))
  end

  it("is written from embeddings, from results in memory and in a file, all the same", function()
    local options = { directory = folder .. "/pages", rankings = folder .. "/rankings.json",
      ids = ids, metadata = metadata }
    local function written(source, more)
      local all = {}
      for name, value in pairs(options) do all[name] = value end
      for name, value in pairs(more or {}) do all[name] = value end
      local done, report = assert(vkd.site(source, all))
      assert.is_true(done)
      assert.equal(21, report.files)
      local text = helper.read_file(folder .. "/rankings.json")
      for i = 1, 20 do text = text .. helper.read_file(folder .. "/pages/poem-" .. i .. ".json") end
      os.execute("rm -rf " .. folder)
      return text
    end
    os.execute("mkdir -p " .. folder)
    local found = assert(vkd.neighbors(numbers, 20, 19))
    local expected = written(found)
    assert.equal(expected, written(numbers, { k = 19, num_items = 20, threads = 3 }))
    assert.equal(expected, written(found, { sync = false, threads = 1 }))
    local path = os.tmpname()
    os.remove(path)
    local opened = assert(vkd.neighbors(numbers, 20, 19, { output = path }))
    assert.equal(expected, written(opened))
    os.remove(path)
  end)

  it("is of the file that is open, whatever has its path by now, and of none after free", function()
    local path = os.tmpname()
    for _, kind in ipairs({ "neighbors", "batch_compute" }) do
      local function compute(values, output)
        os.remove(output)
        local options = { output = output }
        if kind == "neighbors" then return assert(vkd.neighbors(values, 20, 5, options)) end
        return assert(vkd.batch_compute(values, 20, options))
      end
      local function first(source)
        assert(vkd.site(source, { directory = folder, ids = ids }))
        return helper.read_file(folder .. "/poem-1.json")
      end
      local opened = compute(numbers, path)
      local expected = first(opened)
      local other = compute(helper.numbers(20, 7), path .. ".other")
      assert.not_equal(expected, first(other))
      assert(os.rename(path .. ".other", path))
      assert.equal(expected, first(opened))
      os.remove(path)
      assert.equal(expected, first(opened))
      -- The job keeps the file, though nobody else does.
      local job = assert(vkd.start_site(opened, { directory = folder, ids = ids }))
      opened:free()
      assert(job:wait())
      job:free()
      assert.equal(expected, helper.read_file(folder .. "/poem-1.json"))
      helper.blames_caller("have been freed", function()
        local _ = vkd.site(opened, { directory = folder, ids = ids })
      end)
      os.execute("rm -rf " .. folder)
    end
  end)

  it("names the list by its rule, or as the caller says", function()
    local lists = { centroid = "different", farthest = "scattered", mmr = "related",
      chain = "journey" }
    for rule, list in pairs(lists) do
      local path = os.tmpname()
      os.remove(path)
      for _, output in ipairs({ false, path }) do
        local found = assert(vkd.batch_compute(numbers, 20, { rule = rule, length = 5,
          output = output or nil }))
        assert(vkd.site(found, { directory = folder .. "-" .. list, ids = ids }))
        assert(vkd.site(found, { directory = folder .. "-" .. list, ids = ids, list = "mine" }))
        local text = helper.read_file(folder .. "-" .. list .. "/poem-1.json")
        assert.equal(4, #helper.json(text).mine)
        assert(vkd.site(found, { directory = folder, ids = ids }))
        assert.equal(4, #helper.json(helper.read_file(folder .. "/poem-1.json"))[list])
        os.execute(("rm -rf %s-%s %s"):format(folder, list, folder))
      end
      os.remove(path)
    end
    local found = assert(vkd.neighbors(numbers, 20, 5))
    for _, bad in ipairs({ "", "id", "metadata", 'a"b', "a\n" }) do
      local done, message = vkd.site(found, { directory = folder, list = bad })
      assert.is_nil(done)
      assert.truthy(message:find("list", 1, true), message)
    end
    helper.blames_caller("NUL", function()
      local _ = vkd.site(found, { directory = folder, list = "a\0b" })
    end)
  end)

  it("tells how far it is, also before the first files have their names", function()
    local found = assert(vkd.neighbors(helper.numbers(900, 4), 900, 899))
    local text = require("vkd.progress").text
    -- The line of a job at work, none of whose files have their names; nil if it was too fast.
    local function line_at_work(target)
      local job, line = assert(vkd.start_site(found, target)), nil
      repeat
        local state = assert(job:poll())
        if state.state == "running" and state.files_done == 0 and state.rows_written > 0 then
          line = text(state)
          assert.equal(state.rows_written / 900, state.fraction)
        end
      until job:wait(0)
      assert.matches("^100 %%  [%d,]+ files, %d+ MB/s, ", text(assert(job:poll())))
      job:free()
      return line
    end
    for _, target in ipairs({ { directory = folder }, { rankings = folder .. "-rankings" } }) do
      local line
      for _ = 1, 30 do line = line or line_at_work(target) end
      assert.matches(target.rankings and "rankings" or "pages", line)
    end
    os.remove(folder .. "-rankings")
  end)

  it("has a page for each item, and rankings", function()
    local found = assert(vkd.neighbors(numbers, 20, 19))
    assert(vkd.site(found, { directory = folder .. "/pages", rankings = folder .. "/pages/all",
      ids = ids, metadata = metadata, top = 3 }))
    local items, similarities = found:row(7)
    local seventh = page("poem-7")
    assert.equal("poem-7", seventh.id)
    assert.equal("No. 7", seventh.metadata.title)
    assert.equal(3, #seventh.similar)
    for place = 1, 3 do
      assert.equal("poem-" .. items[place], seventh.similar[place].id)
      assert.is_true(math.abs(similarities[place] - seventh.similar[place].similarity) < 1e-6)
    end
    local all = helper.json(helper.read_file(folder .. "/pages/all"))
    assert.equal("similar", all.list)
    assert.equal("poem-20", all.ids[20])
    assert.same({ items[1] - 1, items[2] - 1, items[3] - 1 }, all.rankings[7])
  end)

  it("of sequences tells what is different; ids count from 1 without names", function()
    local sequences = assert(vkd.batch_compute(numbers, 20, { starts = { 5, 2 }, length = 4 }))
    local job = assert(vkd.start_site(sequences, { directory = folder .. "/pages" }))
    assert(job:wait())
    assert.is_true((job:result()))
    assert.equal(2, job:poll().files_total)
    job:free()
    local row, fifth = sequences:row(1), page("5")
    assert.same({ tostring(row[2]), tostring(row[3]), tostring(row[4]) }, fifth.different)
    assert.equal("2", page("2").id)
  end)

  it("is written by a context, too, and planned", function()
    local context = assert(vkd.context())
    local options = { directory = folder, k = 3, ids = ids, sync = false }
    local plan = assert(context:plan_site(20, 4, options))
    assert.equal(20, plan.rows)
    assert.equal(400, plan.steps)
    assert.equal(plan.steps, assert(vkd.plan_site(20, 4, options)).steps)
    ids[2] = "poem-1"
    helper.failed("VKD_ERROR_BAD_ID", "same", vkd.plan_site(20, 4, options))
    ids[2] = "poem-2"
    helper.blames_caller("k is needed", function()
      local _ = vkd.plan_site(20, 4, { directory = folder })
    end)
    options.num_items = 20
    local job = assert(context:start_site(numbers, options))
    assert(job:wait())
    assert.equal("site", assert(job:poll()).kind)
    job:free()
    local last
    options.progress = function(state) last = state end
    assert.is_true((context:site(numbers, options)))
    assert.equal(20, last.files_done)
    assert.is_true((context:site(assert(context:neighbors(numbers, 20, 3)),
      { directory = folder, ids = ids })))
    context:free()
  end)

  it("refuses what cannot be a file, and mistakes at the caller's line", function()
    local found = assert(vkd.neighbors(numbers, 20, 2))
    local function refused(status, text, options)
      options.directory = options.directory or folder .. "/pages"
      local result, message, name = vkd.site(found, options)
      assert.is_nil(result)
      assert.equal(status, name)
      assert.matches(text, message, 1, true)
    end
    ids[3] = "../up"
    refused("VKD_ERROR_BAD_ID", "item 2", { ids = ids })
    ids[3] = "poem-1"
    refused("VKD_ERROR_BAD_ID", "same", { ids = ids })
    metadata[9] = "{"
    refused("VKD_ERROR_BAD_METADATA", "item 8", { metadata = metadata })
    refused("VKD_ERROR_FILE", "/proc/nonexistent", { directory = "/proc/nonexistent/pages" })
    local function mistaken(text, source, options_given)
      options_given.directory = folder
      helper.blames_caller(text, function() local _ = vkd.site(source, options_given) end)
    end
    mistaken("holds 1 texts", found, { ids = { "a" } })
    mistaken("goes with embeddings", found, { k = 3 })
    mistaken("goes with embeddings", found, { device = "cpu" })
    mistaken("k is needed", numbers, { num_items = 20 })
    mistaken("no option", found, { pages = folder })
    ids[3] = 7
    mistaken("ids[3] must be a string", found, { ids = ids })
  end)
end)
