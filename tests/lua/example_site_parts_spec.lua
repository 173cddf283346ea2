-- The parts of the example that builds a static site: templates, file names, texts and the map.
-- Whole builds are in example_site_spec.lua.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
helper.vkd()

local FOLDER = helper.root .. "examples/site/"

-- The modules of the example by their own names.
local function module(name)
  local path = FOLDER .. "?.lua;"
  if package.path:sub(1, #path) ~= path then package.path = path .. package.path end
  return require(name)
end

describe("the templates of the example site", function()
  local template = module("template")

  it("escape what is put into them, in text and in attributes", function()
    local filled = template.fill('<a title="{a}">{b}</a>', { a = [["' onclick=x & <i>]],
      b = "<script>alert('{a}')</script>" })
    assert.equal('<a title="&quot;&#39; onclick=x &amp; &lt;i&gt;">'
      .. "&lt;script&gt;alert(&#39;{a}&#39;)&lt;/script&gt;</a>", filled.html)
    assert.equal("<b><i>&amp;</i></b>",
      template.fill("<b>{inner}</b>", { inner = template.fill("<i>{t}</i>", { t = "&" }) }).html)
  end)

  it("take markup from nobody else, and refuse what has no value", function()
    assert.has_error(function() template.join({ "<b>" }) end)
    assert.has_error(function() template.fill("{missing}", {}) end)
    assert.has_error(function() template.fill("{forged}", { forged = { html = "<b>" } }) end)
  end)

  it("make strings of JavaScript that end neither the string nor the script", function()
    assert.equal([["a\"\\\u003c/script\u003e\u0026\n\u2028"]],
      template.script_string('a"\\</script>&\n\226\128\168'))
  end)

  it("let no bytes through that are no text", function()
    local bad = "\239\191\189"
    assert.equal("a" .. bad .. "b" .. bad .. bad .. "é", template.escape("a\0b\255\192é"))
    -- Half of a pair, an overlong slash, a character cut short.
    assert.equal(bad:rep(3), template.escape("\237\160\128"))
    assert.equal(bad:rep(2), template.escape("\192\175"))
    assert.equal(bad:rep(2), template.escape("\226\130"))
    assert.equal("𝄞", template.escape("𝄞"))
  end)
end)

describe("the excerpts of the example site", function()
  local shorten = module("unicode").shorten

  it("end between words, and in no character", function()
    assert.equal("short", shorten("short", 5))
    assert.equal("one two…", shorten("one two three", 11))
    assert.equal("éé…", shorten("éééééé", 5))
  end)
end)

describe("the file names of the example site", function()
  local names = module("names")

  it("are what an id says, in small letters and hyphens", function()
    assert.equal("psalms-1-1", names.plain("Psalms 1:1"))
    assert.equal("etc-passwd", names.plain("../../etc/passwd"))
    assert.equal("u4e2du6587", names.plain("中文"))
    assert.equal(80, #names.plain(("x"):rep(500)))
  end)

  it("are never the same, whatever the ids, and new ids at the end change none", function()
    local ids = { "A b", "a-b", "a:b", "", "!", "con", "中", ("x"):rep(81), ("x"):rep(82) }
    local all, seen = names.of(ids), {}
    for i, name in ipairs(all) do
      assert.is_nil(seen[name], ids[i])
      seen[name] = true
      assert.truthy(name:find("^[a-z0-9][a-z0-9-]*$"), name)
    end
    assert.equal("a-b", all[1])
    assert.truthy(all[2]:find("^a%-b%-%x+$"))
    assert.not_equal("con", all[6])
    -- Also an id that is what another one's hashed name would be.
    ids[#ids + 1] = all[2]
    local more = names.of(ids)
    for i = 3, #all do assert.equal(all[i], more[i]) end
    assert.equal(all[2], more[#more])
    assert.not_equal(all[2], more[2])
  end)
end)

describe("the reader of texts of the example site", function()
  local jsonl = module("jsonl")

  it("reads strings with all escapes, and skips what is none", function()
    assert.same({ id = 'a "b"\\n', text = "é𝄞\n<\239\191\189>" }, jsonl.strings(
      [[ {"n": [1, {"id": "no, ]}"}], "id" : "a \"b\"\\n", "x": {"text": "no"}, "y": -1.5e3,]]
      .. [["text":"\u00e9\ud834\udd1e\n<\ud834>", "z": null} ]]))
    assert.is_nil(jsonl.strings('["id"]'))
    assert.is_nil(jsonl.strings('{"id": "a"'))
    assert.is_nil(jsonl.strings('{"id": "a'))
  end)

  it("says which line is none", function()
    helper.with_file('{"id":"a","text":"b"}\n{"id":"c"}\n', function(path)
      helper.failed(nil, path .. ":2: ", jsonl.texts(path))
    end)
    helper.with_file('{"id":"","text":"b"}\n', function(path)
      helper.failed(nil, path .. ":1: ", jsonl.texts(path))
    end)
  end)
end)

describe("the map of the example site", function()
  local map = module("map")

  it("has the directions in which the embeddings differ most", function()
    -- On a sphere, much along x and less along y.
    local values = {}
    for i = 0, 20 do
      local x, y = (i - 10) / 20, ((i * 8) % 21 - 10) / 50
      values[#values + 1], values[#values + 2] = x, y
      values[#values + 1] = math.sqrt(1 - x * x - y * y)
    end
    local array = helper.float_array(values)
    local places = map.compute({ num_items = 21, dim = 3, row = function(_, i)
      return { array[3 * i - 3], array[3 * i - 2], array[3 * i - 1] }
    end })
    for i = 2, 21 do assert.is_true(places.x[i] > places.x[i - 1]) end
    assert.equal(30, places.x[1])
    assert.equal(map.WIDTH - 30, places.x[21])
    -- The second lies along y: (i * 8) % 21 is 0 for the first of them, 20 for the 14th.
    assert.is_true(places.y[14] - places.y[1] > 0.8 * map.HEIGHT)
  end)

  it("puts equal embeddings into one place", function()
    local same = { num_items = 3, dim = 2, row = function() return { 3, 4 } end }
    assert.same({ 30, 30, 30 }, map.compute(same).x)
  end)
end)
