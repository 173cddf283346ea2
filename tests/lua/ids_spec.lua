-- Ids through LuaJIT: of results in memory and in files, named or with the embeddings.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

describe("ids", function()
  local path
  before_each(function()
    path = os.tmpname()
    os.remove(path)
  end)
  after_each(function()
    for _, file in ipairs({ path, path .. ".partial" }) do os.remove(file) end
  end)

  local COUNT = 12
  local function corpus(ids)
    local rows = { ids = ids }
    for i = 1, COUNT do rows[i] = { math.sin(i), math.cos(i * 1.7), math.sin(i * 0.3), 0.2 } end
    return rows
  end
  local function psalms(changed)
    local ids = {}
    for i = 1, COUNT do ids[i] = "psalm-" .. i end
    if changed then ids[changed] = "another" end
    return ids
  end

  -- Sequences and neighbours, each with the call that computes them.
  local KINDS = {
    sequences = function(rows, options)
      options.length = 5
      return vkd.batch_compute(rows, options)
    end,
    neighbors = function(rows, options) return vkd.neighbors(rows, nil, 5, options) end,
  }

  for kind, compute in pairs(KINDS) do
    for place, output in pairs({ memory = false, ["a file"] = true }) do
      local function options(more)
        more = more or {}
        if output then more.output = path end
        return more
      end

      it(("of %s in %s name rows and find them"):format(kind, place), function()
        local results = assert(compute(corpus(), options({ ids = psalms() })))
        assert.is_true(results.has_ids)
        assert.equal("psalm-12", results:id(12))
        for i, items in results:rows() do
          local ids = results:ids(i)
          assert.equal(#items, #ids)
          for at, item in ipairs(items) do assert.equal("psalm-" .. item, ids[at]) end
        end
        assert.equal(7, results:find("psalm-7"))
        local found, message, status = results:find("psalm-13")
        assert.is_nil(found)
        assert.matches('no item .*has the id "psalm%-13"', message)
        assert.equal("VKD_ERROR_NO_SUCH_ID", status)
        assert.equal(3, results:find(3))
        results:free()
        helper.blames_caller("freed", function() results:ids(1) end)
      end)

      it(("come with the embeddings to %s in %s"):format(kind, place), function()
        -- As an object has them that is no table of its own.
        local ids = setmetatable({}, { __len = function() return COUNT end,
          __index = function(_, i) return "text " .. i end })
        local results = assert(compute(corpus(ids), options()))
        assert.equal("text 4", results:id(4))
        assert.equal(4, results:find("text 4"))
        -- What is named is taken instead.
        local named = assert(compute(corpus(ids), options({ ids = psalms(),
          overwrite = output or nil })))
        assert.equal("psalm-4", named:id(4))
      end)

      it(("that are equal are refused, of %s in %s"):format(kind, place), function()
        local ids = psalms()
        ids[3] = ids[1]
        local results, message, status = compute(corpus(), options({ ids = ids }))
        assert.is_nil(results)
        assert.matches('items 0 and 2 %(0%-based%) have the same id, "psalm%-1"', message)
        assert.equal("VKD_ERROR_BAD_ID", status)
      end)
    end

    it(("other than those of a file of %s are refused by name"):format(kind), function()
      assert(compute(corpus(psalms()), { output = path }))
      assert.is_true(assert(compute(corpus(), { output = path })).has_ids)
      local results, message, status = compute(corpus(psalms(9)), { output = path })
      assert.is_nil(results)
      assert.matches('"psalm%-9" at item 8, not "another" at item 8', message)
      assert.equal("VKD_ERROR_FILE_MISMATCH", status)
    end)

    it(("and embeddings are compared with a file of %s"):format(kind), function()
      local results = assert(compute(corpus(psalms()), { output = path }))
      assert.is_true(results:check(corpus()))
      assert.is_true(results:check(corpus(psalms())))
      assert.is_true(results:check(corpus(psalms(2)), { ids = psalms() }))
      local rows = corpus()
      rows[5][1] = 7
      local others = { fingerprint = rows, ['id is "psalm%-2"'] = corpus(psalms(2)) }
      for what, given in pairs(others) do
        local same, message, status = results:check(given)
        assert.is_nil(same)
        assert.matches(what, message)
        assert.equal("VKD_ERROR_FILE_MISMATCH", status)
      end
      local memory = assert(compute(corpus(), {}))
      helper.blames_caller("only a file", function() memory:check(corpus()) end)
    end)
  end

  it("are no part of results without them", function()
    local results = assert(vkd.batch_compute(corpus(), { length = 3 }))
    assert.is_false(results.has_ids)
    helper.blames_caller("have no ids", function() results:ids(1) end)
    helper.blames_caller("have no ids", function() results:id(1) end)
    helper.blames_caller("have no ids", function() results:find("psalm-1") end)
    local file = assert(vkd.neighbors(corpus(), nil, 3, { output = path }))
    assert.is_false(file.has_ids)
    helper.blames_caller("have no ids", function() file:ids(1) end)
  end)

  it("must be as many strings as there are items", function()
    local function wrong(part, ids)
      helper.blames_caller(part, function() vkd.batch_compute(corpus(), { ids = ids }) end)
    end
    wrong("option ids holds 3 texts, but there are 12 items", { "a", "b", "c" })
    local ids = psalms()
    ids[2] = 2
    wrong("ids[2] must be a string, not 2", ids)
    wrong("option ids must be a table", "psalm")
    helper.blames_caller("embeddings.ids must be a list of strings", function()
      vkd.batch_compute(corpus("psalm"), { length = 2 })
    end)
    ids[2] = "a\0b"
    helper.blames_caller("ids[2] holds a NUL", function()
      vkd.batch_compute(corpus(), { ids = ids, output = path })
    end)
    local results = assert(vkd.batch_compute(corpus(), { ids = psalms(), length = 2 }))
    helper.blames_caller("there is no item 13", function() results:id(13) end)
    helper.blames_caller("there is no sequence 13", function() results:ids(13) end)
  end)

  it("are of items, not of queries", function()
    local found = assert(vkd.neighbors(corpus(psalms()), nil, 2, { queries = { { 1, 2, 3, 4 } } }))
    assert.equal(2, #found:ids(1))
    helper.blames_caller("neighbours of other queries", function() found:find("psalm-1") end)
  end)

  it("are in plans what they are in runs", function()
    local options = { ids = psalms(), length = 3 }
    assert(vkd.plan(COUNT, 4, options))
    options.output = path
    assert(vkd.plan(COUNT, 4, options))
    options.ids = { "a" }
    helper.blames_caller("holds 1 texts", function() vkd.plan(COUNT, 4, options) end)
    assert(vkd.plan_neighbors(COUNT, 4, 3, { ids = psalms(), output = path }))
  end)

  it("of a file of embeddings go along into results", function()
    local corpus_path = os.tmpname()
    local lines = io.open(corpus_path, "w")
    for i = 1, 5 do lines:write(('{"id":"poem %d","embedding":[%d,1,2]}\n'):format(i * i, i)) end
    lines:close()
    local embeddings = assert(vkd.load(corpus_path))
    os.remove(corpus_path)
    for _, output in ipairs({ false, path }) do
      local results = assert(vkd.batch_compute(embeddings, { output = output or nil }))
      assert.equal(4, results:find("poem 16"))
      assert.equal("poem 25", results:ids(5)[1])
    end
    local results = assert(vkd.open(path))
    assert.is_true(results:check(embeddings))
    local ids = embeddings.ids
    ids[2] = "another"
    local checked, message, status = results:check(embeddings, { ids = ids })
    assert.is_nil(checked)
    assert.matches('its id is "\\?"?poem 4', message)
    assert.equal("VKD_ERROR_FILE_MISMATCH", status)
  end)

  it("name the pages of a site", function()
    local function page(source, more)
      local folder = os.tmpname()
      os.remove(folder)
      more = more or {}
      more.directory = folder
      local written, message = vkd.site(source, more)
      local text = written and helper.read_file(folder .. "/psalm-2.json")
      os.execute("rm -rf " .. folder)
      return text, message
    end
    local memory = assert(vkd.neighbors(corpus(psalms()), nil, 3))
    local file = assert(vkd.neighbors(corpus(psalms()), nil, 3, { output = path }))
    local expected = page(memory)
    assert.matches('^{"id":"psalm%-2",', expected)
    assert.equal(expected, page(file))
    assert.equal(expected, page(corpus(psalms()), { k = 3 }))
    local plain = assert(vkd.neighbors(corpus(), nil, 3))
    assert.equal(expected, page(plain, { ids = psalms() }))
    local ids = psalms()
    ids[1] = "a/b"
    local odd = assert(vkd.neighbors(corpus(ids), nil, 3))
    local none, message = page(odd)
    assert.is_nil(none or nil)
    assert.matches("is no file name", message)
  end)
end)
