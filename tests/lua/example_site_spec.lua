-- The example that builds a static site, with a few verses. Its parts are in
-- example_site_parts_spec.lua; what a browser makes of the pages is in tests/site.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()
local ffi = require("ffi")

local FOLDER = helper.root .. "examples/site/"
local PSALMS = helper.root .. "examples/data/psalms"

-- The modules of the example by their own names.
local function module(name)
  local path = FOLDER .. "?.lua;"
  if package.path:sub(1, #path) ~= path then package.path = path .. package.path end
  return require(name)
end

local function write_file(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

describe("a build of the example site", function()
  local site = module("site")
  local files = module("files")
  local psalms = assert(vkd.load_npy(PSALMS .. ".npy"))
  local VERSES = {}
  for line in io.lines(PSALMS .. ".jsonl") do
    VERSES[#VERSES + 1] = { line = line, item = #VERSES + 1 }
    if #VERSES == 60 then break end
  end
  local work

  before_each(function()
    work = os.tmpname()
    os.remove(work)
    assert(os.execute("mkdir " .. work) == 0)
  end)
  after_each(function() os.execute("rm -rf " .. work) end)

  -- Texts, and the embeddings of their items, as files of the corpus.
  local function write_corpus(verses)
    local lines, bytes = {}, psalms.dim * 2
    local header = ("{'descr': '<f2', 'fortran_order': False, 'shape': (%d, %d), }"):format(#verses,
      psalms.dim)
    header = header .. (" "):rep(117 - #header) .. "\n"
    local rows = { "\147NUMPY\1\0" .. string.char(#header, 0) .. header }
    for i, verse in ipairs(verses) do
      lines[i] = verse.line .. "\n"
      rows[i + 1] = ffi.string(psalms.data + (verse.item - 1) * psalms.dim, bytes)
    end
    write_file(work .. "/texts.jsonl", table.concat(lines))
    write_file(work .. "/embeddings.npy", table.concat(rows))
  end

  local function first(count) return { unpack(VERSES, 1, count) } end

  local function config(name)
    local path = ("%s/%s.lua"):format(work, name)
    write_file(path, ([[
      local config = dofile(%q)
      config.texts, config.embeddings = %q, %q
      config.site, config.results = %q, %q
      for _, list in ipairs(config.lists) do list.length = 5 end
      return config
    ]]):format(FOLDER .. "config.lua", work .. "/texts.jsonl", work .. "/embeddings.npy",
      work .. "/" .. name, work .. "/" .. name .. "-results"))
    return path
  end

  local function lines_of(command)
    local pipe, lines = assert(io.popen(command)), {}
    for line in pipe:lines() do lines[#lines + 1] = line end
    pipe:close()
    return lines
  end

  -- Each file with what changes when it is written, the inode and the time.
  local function stamps(name)
    local found = {}
    for _, line in ipairs(lines_of(("cd %s/%s && find . -type f -printf '%%P %%i %%T@\\n'"):format(
      work, name))) do
      local path, stamp = line:match("^(%S+) (.*)$")
      found[path] = stamp
    end
    return found
  end

  local function contents(name, but)
    local found = {}
    for path in pairs(stamps(name)) do
      if path ~= but then found[path] = helper.read_file(("%s/%s/%s"):format(work, name, path)) end
    end
    return found
  end

  -- The files that one state has and the other has not, or otherwise.
  local function changed(before, after)
    local names = {}
    for path, value in pairs(after) do
      if before[path] ~= value then names[#names + 1] = path end
    end
    table.sort(names)
    return names
  end

  it("has the same bytes whatever the number of workers", function()
    write_corpus(first(40))
    -- All but the page that shows the times.
    local expected
    for count = 1, 3 do
      local name = "site" .. count
      local report = site.build(config(name), count)
      assert.equal(40 + 8, report.written)
      local found = contents(name, "about.html")
      expected = expected or found
      assert.same({}, changed(expected, found))
      assert.same({}, changed(found, expected))
    end
    assert.is_string(expected["items/psalms-1-1.html"])
    assert.is_string(expected["items/psalms-5-1.html"])
  end)

  it("shows the lists that the results files hold", function()
    write_corpus(first(40))
    site.build(config("site"), 2)
    local page = helper.read_file(work .. "/site/items/psalms-2-3.html")
    for _, list in ipairs({ "related", "different", "nearest", "journey" }) do
      local results = assert(vkd.open(("%s/site-results/%s.safetensors"):format(work, list)))
      local ids = results:ids(assert(results:find("Psalms 2:3")))
      if list ~= "nearest" then table.remove(ids, 1) end
      local shown = {}
      local inside = assert(page:match('data%-list="' .. list .. '".-</ol>'))
      for href, id in inside:gmatch('<li><a href="(.-)%.html">(.-)</a>') do
        assert.equal(href, (id:lower():gsub("[ :]", "-")))
        shown[#shown + 1] = id
      end
      assert.same(ids, shown)
      assert.equal(5, #shown)
    end
  end)

  it("writes nothing the second time", function()
    write_corpus(first(40))
    local path = config("site")
    local report = site.build(path, 2)
    assert.same({ "related", "different", "nearest", "journey", "begin", "map" }, report.computed)
    local pages, results = stamps("site"), stamps("site-results")
    report = site.build(path, 1)
    assert.same({ 0, 0, {} }, { report.written, report.removed, report.computed })
    assert.same(pages, stamps("site"))
    assert.same(results, stamps("site-results"))
  end)

  it("writes what has changed when a text is added, and removes it again", function()
    write_corpus(first(40))
    local path = config("site")
    site.build(path, 1)
    local stamps_before, before = stamps("site"), contents("site")
    write_file(work .. "/site/items/mine.html", "mine")
    write_file(work .. "/site/items/psalms-1-1.html.partial", "of a build that was killed")

    write_corpus(first(41))
    local report = site.build(path, 2)
    assert.equal(6, #report.computed)
    local after = contents("site")
    assert.is_string(after["items/psalms-5-2.html"])
    assert.is_nil(after["items/psalms-1-1.html.partial"])
    after["items/mine.html"] = nil
    local new = stamps("site")
    new["items/mine.html"] = nil
    local written = changed(stamps_before, new)
    assert.same(changed(before, after), written)
    -- The manifest is not counted.
    assert.equal(#written - 1, report.written)
    assert.is_true(#written < 41)

    write_corpus(first(40))
    report = site.build(path, 2)
    assert.equal(1, report.removed)
    after = contents("site", "about.html")
    assert.equal("mine", after["items/mine.html"])
    after["items/mine.html"], before["about.html"] = nil, nil
    assert.same({}, changed(before, after))
    assert.same({}, changed(after, before))
  end)

  it("computes nothing where a text has changed and its embedding has not", function()
    write_corpus(first(40))
    local path = config("site")
    site.build(path, 1)
    local before, results = contents("site"), stamps("site-results")
    local verses = first(40)
    verses[7] = { item = 7,
      line = '{"id": "Psalms 2:1", "text": "<script>alert(1)</script> & why"}' }
    write_corpus(verses)
    local report = site.build(path, 2)
    assert.same({}, report.computed)
    assert.same(results, stamps("site-results"))
    local after = contents("site")
    local written = changed(before, after)
    assert.equal(#written, report.written)
    for name, bytes in pairs(after) do
      assert.is_nil(bytes:find("<script>alert", 1, true), name)
      local shows = bytes:find("&lt;script&gt;alert(1)&lt;/script&gt; &amp; why", 1, true)
        or bytes:find([[\u003cscript\u003ealert(1)\u003c/script\u003e \u0026 why]], 1, true)
      assert.equal(before[name] ~= bytes, shows ~= nil, name)
    end
  end)

  it("computes anew what is of other embeddings, ids or options", function()
    write_corpus(first(40))
    local path = config("site")
    site.build(path, 1)
    local verses = first(40)
    verses[40] = { item = 60, line = verses[40].line }
    write_corpus(verses)
    assert.equal(6, #site.build(path, 1).computed)
    verses[3] = { item = 3, line = '{"id": "Other", "text": "Other"}' }
    write_corpus(verses)
    local report = site.build(path, 1)
    assert.same({ "related", "different", "nearest", "journey", "begin" }, report.computed)
    assert.equal(1, report.removed)
    write_file(path, (helper.read_file(path):gsub("return config",
      "config.lists[1].lambda = 0.1 %0")))
    -- What is not computed keeps its time.
    local times = work .. "/site-results/times.txt"
    write_file(times, (helper.read_file(times):gsub("step %S+ (list: %a+)", "step 7.00 %1")))
    assert.same({ "related" }, site.build(path, 1).computed)
    local text = helper.read_file(times)
    assert.truthy(text:find("step 7.00 list: different", 1, true))
    assert.is_nil(text:find("step 7.00 list: related", 1, true))
  end)

  it("replaces nothing that it did not write", function()
    write_corpus(first(40))
    local path = config("site")
    files.make_folder(work .. "/site")
    write_file(work .. "/site/index.html", "mine")
    local fine, message = pcall(site.build, path, 1)
    assert.is_false(fine)
    assert.truthy(message:find("index.html is there, and no build of this site wrote it", 1, true))
    assert.equal("mine", helper.read_file(work .. "/site/index.html"))
    assert.same({ "index.html" }, lines_of(("cd %s/site && find . -type f -printf '%%P\\n'"):format(
      work)))
    -- A manifest that somebody wrote leads nowhere else.
    os.remove(work .. "/site/index.html")
    write_file(work .. "/mine.txt", "mine")
    write_file(work .. "/site/manifest.txt", "../mine.txt\n" .. work .. "/mine.txt\n")
    site.build(path, 1)
    assert.equal("mine", helper.read_file(work .. "/mine.txt"))
  end)

  it("says what does not fit together", function()
    write_corpus(first(40))
    local path = config("site")
    write_file(work .. "/texts.jsonl", '{"id":"a","text":"b"}\n{"id":"a","text":"c"}\n')
    local _, message = pcall(site.build, path, 1)
    assert.truthy(message:find("lines 1 and 2 have the same id, a", 1, true))
    write_file(work .. "/texts.jsonl", '{"id":"a","text":"b"}\n{"id":"d","text":"c"}\n')
    _, message = pcall(site.build, path, 1)
    assert.truthy(message:find("holds 2 texts, but", 1, true))
    write_file(work .. "/texts.jsonl", '{"id":"a","text":"b"}\n')
    _, message = pcall(site.build, path, 1)
    assert.truthy(message:find("needs two texts or more", 1, true))
    -- All that comes before anything is written.
    assert.is_nil(io.open(work .. "/site"))
  end)

  it("is of embeddings alone, too, of which the ids stand for the texts", function()
    write_corpus(first(3))
    local path = config("site")
    write_file(path, (helper.read_file(path):gsub("return config",
      "config.texts, config.group_of = nil, nil %0")))
    assert.equal(3 + 8, site.build(path, 2).written)
    local page = helper.read_file(work .. "/site/items/item-2.html")
    assert.truthy(page:find("<h1>Item 2</h1>", 1, true))
    -- There are but two others.
    local _, links = page:match('data%-list="journey".-</ol>'):gsub("<li>", "")
    assert.equal(2, links)
  end)
end)
