-- What editors complete is what functions take: the fields of each annotated class of options are
-- the names that a function lists when it is given another.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

-- The annotated classes: their parents and the names of their fields.
local function classes()
  local found = {}
  local files = io.popen(("ls %slua/vkd.lua %slua/vkd/*.lua"):format(helper.root, helper.root))
  for path in files:lines() do
    local class
    for line in io.lines(path) do
      local name, parents = line:match("^%-%-%-@class ([%w_.]+):?(.*)")
      if name then
        class = { parents = {}, fields = {} }
        for parent in parents:gmatch("[%w_.]+") do table.insert(class.parents, parent) end
        found[name] = class
      elseif line:match("^%-%-%-@field") then
        table.insert(class.fields, line:match("^%-%-%-@field ([%w_]+)"))
      end
    end
  end
  files:close()
  return found
end

local found = classes()

local function add_fields(name, to)
  local class = assert(found[name], name)
  for _, field in ipairs(class.fields) do to[field] = true end
  for _, parent in ipairs(class.parents) do add_fields(parent, to) end
  return to
end

local function sorted(names)
  local list = {}
  for name in pairs(names) do table.insert(list, name) end
  table.sort(list)
  return table.concat(list, ", ")
end

-- The class of the options of each function that vkd.lua defines.
local function annotated()
  local functions, class = {}, nil
  for line in io.lines(helper.root .. "lua/vkd.lua") do
    class = line:match("^%-%-%-@param options%?? ([%w_.]+)") or class
    local name = line:match("^function vkd%.([%w_]+)%(")
    if name then functions[name], class = assert(class, name), nil end
  end
  return functions
end

local two = { { 1, 0 }, { 0, 1 } }
local unknown = { no_such_option = true }

-- A call of each, with an option that there is not.
local calls = {
  batch_compute = function() vkd.batch_compute(two, 2, unknown) end,
  start = function() vkd.start(two, 2, unknown) end,
  plan = function() vkd.plan(2, 2, unknown) end,
  neighbors = function() vkd.neighbors(two, 2, 1, unknown) end,
  start_neighbors = function() vkd.start_neighbors(two, 2, 1, unknown) end,
  plan_neighbors = function() vkd.plan_neighbors(2, 2, 1, unknown) end,
  similarity = function() vkd.similarity(two, 2, unknown) end,
  start_similarity = function() vkd.start_similarity(two, 2, unknown) end,
  plan_similarity = function() vkd.plan_similarity(2, 2, unknown) end,
  site = function() vkd.site(two, unknown) end,
  start_site = function() vkd.start_site(two, unknown) end,
  plan_site = function() vkd.plan_site(2, 2, unknown) end,
  merge = function() vkd.merge({ "a part" }, "a file", unknown) end,
  workers = function() vkd.workers(2, "a script", {}, unknown) end,
}

-- Functions of other files, with the class of their options.
local sequences = assert(vkd.batch_compute(two, 2))
local others = {
  ["vkd.ContextOptions"] = function() vkd.context(unknown) end,
  ["vkd.LoadOptions"] = function() vkd.load("a file", unknown) end,
  ["vkd.ExportOptions"] = function() sequences:export("a file", unknown) end,
  ["vkd.VerifyOptions"] = function() sequences:verify(two, unknown) end,
  ["vkd.CheckOptions"] = function() sequences:check(two, unknown) end,
  ["vkd.WriteOptions"] = function()
    local embeddings = assert(vkd.load(helper.root .. "tests/golden/two_items.npy"))
    embeddings:write("a file", unknown)
  end,
}

local function takes(call)
  local _, message = pcall(call)
  local list = assert(message:match("there are: (.*)$"), message)
  local names = {}
  for name in list:gmatch("[%w_]+") do names[name] = true end
  return names
end

describe("annotations name the options that are taken:", function()
  for name, class in pairs(annotated()) do
    it("vkd." .. name, function()
      local call = assert(calls[name], "this spec has no call of vkd." .. name)
      assert.are.equal(sorted(takes(call)), sorted(add_fields(class, {})))
    end)
  end
  for class, call in pairs(others) do
    it(class, function() assert.are.equal(sorted(takes(call)), sorted(add_fields(class, {}))) end)
  end
end)
