-- Runs that are split into parts, and the parts as one file.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

describe("a run in parts", function()
  local numbers, ids = helper.numbers(20, 4), {}
  for i = 1, 20 do ids[i] = "poem-" .. i end
  local path, parts

  before_each(function()
    path, parts = os.tmpname(), {}
    os.remove(path)
    for i = 1, 4 do parts[i] = path .. ".part" .. i end
  end)
  after_each(function()
    for _, part in ipairs(parts) do os.remove(part) end
    for _, ending in ipairs({ "", ".partial", ".whole" }) do os.remove(path .. ending) end
  end)

  local function compute(shard, output, length)
    return vkd.batch_compute(numbers, 20,
      { shard = shard, output = output, length = length or 6, values = true, ids = ids })
  end

  local function all_parts()
    for i = 1, 4 do assert(compute({ i, 4 }, parts[i])) end
  end

  it("is merged to the file of one run", function()
    assert(compute(nil, path .. ".whole"))
    all_parts()
    local given, seen = { parts[3], parts[1], parts[4], parts[2] }, nil
    local merged, report = assert(vkd.merge(given, path,
      { progress = function(state) seen = state end }))
    assert.equal(helper.read_file(path .. ".whole"), helper.read_file(path))
    assert.equal(20, merged.count)
    assert.is_nil(merged.shard)
    assert.equal(20, merged.whole_count)
    assert.equal("poem-7", merged:ids(7)[1])
    assert.equal(20, report.rows)
    assert.equal("merge", seen.kind)
    assert.equal(1, seen.fraction)
    assert.equal(20, seen.rows_written)
    local whole = assert(vkd.open(path .. ".whole"))
    assert.same(whole:values(20), merged:values(20))
  end)

  it("has its own rows, in memory and in a file", function()
    local whole = assert(vkd.batch_compute(numbers, 20, { length = 6 }))
    assert.is_nil(whole.shard)
    local memory = assert(vkd.batch_compute(numbers, 20, { length = 6, shard = "2/3" }))
    assert.equal(7, memory.count)
    assert.equal(20, memory.whole_count)
    assert.equal("2/3", memory.shard)
    for i, items in memory:rows() do assert.same(whole[i + 6], items) end
    local file = assert(compute("2/3", parts[1]))
    assert.equal("2/3", file.shard)
    assert.equal(20, file.whole_count)
    for i, items in file:rows() do assert.same(whole[i + 6], items) end
    local starts = { starts = { 5, 9, 1 }, shard = "3/3", length = 6 }
    assert.same({ whole[1] }, { assert(vkd.batch_compute(numbers, 20, starts))[1] })
    assert.equal(7, assert(vkd.plan(20, 4, { shard = "2/3" })).rows)
  end)

  it("is a job that can be awaited", function()
    all_parts()
    local job = assert(vkd.merge(parts, path, { wait = false }))
    assert.equal("merge", job.kind)
    assert.is_true((job:wait()))
    assert.equal(20, assert(job:result()).count)
    job:free()
    -- Other results stay, unless they are to be overwritten.
    assert(vkd.batch_compute(numbers, 20, { output = path, overwrite = true, rule = "chain",
      ids = ids }))
    helper.failed("VKD_ERROR_FILE_MISMATCH", "its rule is chain, not centroid",
      vkd.merge(parts, path))
    assert.equal("centroid", assert(vkd.merge(parts, path, { overwrite = true })).rule)
  end)

  it("is refused where parts are missing or foreign", function()
    all_parts()
    helper.failed("VKD_ERROR_FILE_MISMATCH", "parts 2 and 4 of 4 are missing",
      vkd.merge({ parts[3], parts[1] }, path))
    assert(vkd.batch_compute(numbers, 20, { shard = "2/4", output = parts[2], overwrite = true,
      length = 7, values = true, ids = ids }))
    helper.failed("VKD_ERROR_FILE_MISMATCH", "the length of " .. parts[2] .. " is 7",
      vkd.merge(parts, path))
    assert.is_nil(io.open(path))
    helper.failed("VKD_ERROR_FILE_MISMATCH", "its part of a run is 3/4, not 1/4",
      compute("1/4", parts[3]))
    helper.failed("VKD_ERROR_BAD_OPTION", "shard is 1/21; the run has 20 sequences",
      compute("1/21"))
  end)

  it("blames the caller for what can be no part and no list of parts", function()
    local function compute_with(shard)
      return function() vkd.batch_compute(numbers, 20, { shard = shard }) end
    end
    for _, shard in ipairs({ "2", "a/b", "2/4/6", "-1/4", "2.5/4", {}, { 1 }, { "1", "4" } }) do
      helper.blames_caller("option shard must be such as \"2/4\"", compute_with(shard))
    end
    for _, shard in ipairs({ "0/4", "5/4", { 0, 0 }, "0/0" }) do
      helper.blames_caller("shards are numbered from 1 to", compute_with(shard))
    end
    for text, arguments in pairs({
      ["parts is empty"] = { {}, path },
      ["parts must be a list of paths"] = { "one", path },
      ["parts[2] must be the path"] = { { "one", 2 }, path },
      ["path must be the path of a file"] = { { "one" } },
      ["option progress goes with waiting"] = { { "a" }, path, { wait = false, progress = true } },
      ["there is no option \"overwrit\""] = { { "one" }, path, { overwrit = true } },
    }) do
      helper.blames_caller(text, function() vkd.merge(unpack(arguments, 1, 3)) end)
    end
  end)
end)
