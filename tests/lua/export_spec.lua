-- Results in the shapes of older programs, read back as their scripts do.

local ffi = require("ffi")
local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

describe("an export", function()
  local numbers = helper.numbers(20, 4)
  local path, ids

  before_each(function()
    path = os.tmpname()
    os.remove(path)
    ids = {}
    for i = 1, 20 do ids[i] = "poem-" .. i end
  end)
  after_each(function()
    os.remove(path)
    os.remove(path .. ".results")
  end)

  -- The same results in memory and in a file.
  local function both(compute)
    local memory = assert(compute(nil))
    local file = assert(compute(path .. ".results"))
    return { memory, file }
  end

  local function read()
    local text = helper.read_file(path)
    os.remove(path)
    return helper.json(text), text
  end

  it("is a diversity cache: the sequence of each start, which comes first", function()
    local found = both(function(output)
      return vkd.batch_compute(numbers, 20, { output = output })
    end)
    local texts = {}
    for i, sequences in ipairs(found) do
      assert.is_true((sequences:export(path, { model = "nomic" })))
      local cache, text = read()
      texts[i] = text
      assert.equal("nomic", cache.metadata.model)
      assert.equal(20, cache.metadata.num_poems)
      assert.equal(20, cache.metadata.top_k)
      for start = 0, 19 do
        local row, listed = sequences:row(start + 1), cache.sequences[tostring(start)]
        for place = 1, 20 do assert.equal(row[place] - 1, listed[place]) end
      end
    end
    assert.equal(texts[1], texts[2])
    local some = assert(vkd.batch_compute(numbers, 20, { starts = { 7, 3 }, length = 4 }))
    assert(some:export(path, { format = "diversity_cache", keys = "id", ids = ids, top = 3 }))
    local cache = read()
    local row = some:row(1)
    assert.same({ ids[7], ids[row[2]], ids[row[3]] }, cache.sequences["poem-7"])
    assert.equal(3, #cache.sequences["poem-3"])
    assert.equal(3, cache.metadata.top_k)
  end)

  it("is rankings with the numbers that their readers have", function()
    local found = both(function(output)
      return vkd.neighbors(numbers, 20, 19, { output = output })
    end)
    local poem_indices, texts = {}, {}
    for i = 1, 20 do poem_indices[i] = i end
    for i, neighbors in ipairs(found) do
      assert(neighbors:export(path, { numbers = poem_indices }))
      local cache, text = read()
      texts[i] = text
      assert.equal("pre_sorted_rankings", cache.metadata.format)
      assert.equal(20, cache.metadata.total_poems)
      assert.equal(0, cache.metadata.top_k)
      for item = 1, 20 do
        assert.same((neighbors:row(item)), cache.rankings[tostring(item)])
      end
    end
    assert.equal(texts[1], texts[2])
    assert(found[1]:export(path, { format = "rankings", top = 2 }))
    local cache = read()
    local row = found[1]:row(5)
    assert.same({ row[1] - 1, row[2] - 1 }, cache.rankings["4"])
    assert.equal(2, cache.metadata.top_k)
    assert(found[2]:export(path, { keys = "id", ids = ids }))
    assert.equal(ids[row[1]], read().rankings["poem-5"][1])
  end)

  it("has the ids of the results unless others are given", function()
    local found = both(function(output)
      return vkd.neighbors(numbers, 20, 3, { output = output, ids = ids })
    end)
    for _, neighbors in ipairs(found) do
      assert(neighbors:export(path, { keys = "id" }))
      local rankings = read().rankings
      for item = 1, 20 do assert.same(neighbors:ids(item), rankings["poem-" .. item]) end
      local others = {}
      for i = 1, 20 do others[i] = "text " .. i end
      assert(neighbors:export(path, { keys = "id", ids = others }))
      assert.equal(3, #read().rankings["text 20"])
    end
  end)

  it("is all sequences as numbers of 32 bits", function()
    local found = both(function(output)
      return vkd.batch_compute(numbers, 20, { output = output })
    end)
    for _, sequences in ipairs(found) do
      assert(sequences:export(path, { format = "sequences_bin" }))
      local bytes = helper.read_file(path)
      os.remove(path)
      assert.equal(4 + 4 * 20 * 20, #bytes)
      local read_numbers = ffi.cast("const uint32_t *", bytes)
      assert.equal(20, read_numbers[0])
      for start = 1, 20 do
        for place = 1, 20 do
          assert.equal(sequences[start][place] - 1, read_numbers[(start - 1) * 20 + place])
        end
      end
    end
  end)

  it("can be waited for, shown and cancelled", function()
    local found = assert(vkd.neighbors(numbers, 20, 19))
    local last
    local done, report = found:export(path, { progress = function(state) last = state end })
    assert.is_true(done)
    assert.equal(1, report.files)
    assert.equal(20, report.rows)
    assert.equal("export", last.kind)
    assert.equal(1, last.fraction)
    local job = assert(found:export(path, { wait = false, overwrite = true }))
    assert(job:wait())
    local text = require("vkd.progress").text(assert(job:poll()))
    assert.matches("^100 %%  20 rows, ", text)
    assert.is_true((job:result()))
    job:free()
    local large = assert(vkd.neighbors(helper.numbers(1500, 3), 1500, 1499))
    os.remove(path)
    job = assert(large:export(path, { wait = false }))
    -- The job has a copy.
    large:free()
    job:cancel()
    local finished, _, status = job:wait()
    job:free()
    if not finished then
      assert.equal("VKD_ERROR_CANCELLED", status)
      assert.is_nil(io.open(path))
    end
    assert.is_nil(io.open(path .. ".partial"))
  end)

  it("replaces only a file of its format, and only when told to", function()
    local sequences = assert(vkd.batch_compute(numbers, 20))
    assert(sequences:export(path))
    helper.failed("VKD_ERROR_BAD_FILE", "it is there already", sequences:export(path))
    assert(sequences:export(path, { overwrite = true }))
    helper.failed("VKD_ERROR_BAD_FILE", "its size is not",
      sequences:export(path, { overwrite = true, format = "sequences_bin" }))
    helper.failed("VKD_ERROR_FILE", "nonexistent", sequences:export("/nonexistent/file"))
  end)

  it("refuses results that its format cannot hold", function()
    local sequences = assert(vkd.batch_compute(numbers, 20, { length = 5 }))
    local found = assert(vkd.neighbors(numbers, 20, 3))
    local function refused(text, results, options)
      helper.failed("VKD_ERROR_BAD_OPTION", text, results:export(path, options))
    end
    refused("made of neighbours", sequences, { format = "rankings" })
    refused("made of sequences", found, { format = "diversity_cache" })
    refused("full sequences", sequences, { format = "sequences_bin" })
    refused("only a diversity cache", found, { model = "nomic" })
    ids[4] = ids[9]
    refused("two items have it", found, { keys = "id", ids = ids })
    assert.is_nil(io.open(path))
  end)

  it("blames the caller for mistakes", function()
    local found = assert(vkd.neighbors(numbers, 20, 3))
    local function mistaken(text, ...)
      local arguments = { ... }
      helper.blames_caller(text, function() local _ = found:export(unpack(arguments, 1, 2)) end)
    end
    mistaken("path must be the path of a file")
    mistaken("path must be the path of a file", 7)
    mistaken("no option", path, { fromat = "rankings" })
    mistaken("option format must be one of diversity_cache, rankings, sequences_bin", path,
      { format = "json" })
    mistaken("option keys must be one of id, index", path, { keys = "ids" })
    mistaken("needs option ids", path, { keys = "id" })
    mistaken("goes with keys", path, { ids = ids })
    mistaken("goes with keys", path, { keys = "id", ids = ids, numbers = { 1 } })
    mistaken("ids holds 1 texts", path, { keys = "id", ids = { "a" } })
    mistaken("numbers holds 1, but there are 20", path, { numbers = { 1 } })
    mistaken("NUL", path, { model = "a\0b" })
    mistaken("progress goes with waiting", path, { wait = false, progress = true })
    mistaken("option top", path, { top = 0 })
    helper.blames_caller("export is a method", function() local _ = found.export(path) end)
    local others = assert(vkd.neighbors(numbers, 20, 3, { queries = { { 1, 2, 3, 4 } } }))
    helper.blames_caller("other queries", function() local _ = others:export(path) end)
    found:free()
    helper.blames_caller("have been freed", function() local _ = found:export(path) end)
  end)
end)
