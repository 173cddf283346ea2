-- Neighbours through LuaJIT.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\])") .. "helper.lua")
local vkd = helper.vkd()

describe("neighbours", function()
  local rows = { { 1, 0 }, { 1, 0.1 }, { 0, 1 }, { -1, 0 }, { 1, 0.1 } }
  local context
  before_each(function() context = assert(vkd.context({ device = "cpu" })) end)

  it("are the most similar others, nearest first, the lower number first on ties", function()
    local found = assert(context:neighbors(rows, 5, 4))
    assert.equal(5, found.count)
    assert.equal(4, found.k)
    local items, similarities = found:row(1)
    assert.same({ 2, 5, 3, 4 }, items)
    assert.is_true(similarities[1] == similarities[2] and similarities[1] > 0.99)
    assert.is_true(math.abs(similarities[4] + 1) < 1e-4)
    assert.equal(4, found.indices[0 * 4 + 1])
    assert.same({ 5, 1, 3, 4 }, (found:row(2)))
  end)

  it("of other queries may be any item", function()
    local found = assert(vkd.neighbors(rows, nil, 1, { device = "cpu", queries = { { 0, 2 }, { -3, 0 } } }))
    assert.equal(2, found.count)
    assert.same({ 3 }, (found:row(1)))
    assert.same({ 4 }, (found:row(2)))
  end)

  it("are the same on the reference engine", function()
    local numbers = helper.numbers(90, 6)
    local one = assert(vkd.neighbors(numbers, 90, 7, { device = "cpu", center = true }))
    local other = assert(vkd.neighbors(numbers, 90, 7, { device = "reference", center = true }))
    for i = 1, 90 do assert.same({ one:row(i) }, { other:row(i) }) end
  end)

  it("refuse what cannot be, and mistakes at the caller's line", function()
    local function refused(status, ...)
      local result, _, name = context:neighbors(...)
      assert.is_nil(result)
      assert.equal(status, name)
    end
    refused("VKD_ERROR_ZERO_SIZE", rows, 5, 0)
    refused("VKD_ERROR_TOO_MANY_NEIGHBORS", rows, 5, 5)
    refused("VKD_ERROR_NOT_FINITE", { { 1, 0 }, { 0 / 0, 1 } }, 2, 1)
    assert.error_matches(function() context:neighbors(rows, 5) end, "k must be an integer")
    assert.error_matches(function() context:neighbors(rows, 5, 1, { queries = { { 1, 2, 3 } } }) end,
      "queries has 3 dimensions")
    local found = assert(context:neighbors(rows, 5, 1))
    assert.error_matches(function() found:row(6) end, "numbered from 1 to 5")
    assert.error_matches(function() found.row(1) end, "row is a method")
  end)

  it("say where they are not computed yet", function()
    local result, message, status = vkd.neighbors(rows, 5, 1, { device = "llvmpipe" })
    assert.is_nil(result)
    assert.equal("VKD_ERROR_UNSUPPORTED", status)
    assert.matches('device "cpu"', message, 1, true)
  end)
end)
