-- The golden cases through Lua: on the device of VKD_DEVICE every hash must be the recorded one.

local helper = dofile(debug.getinfo(1, "S").source:match("^@(.*[/\\\\])") .. "helper.lua")
local vkd = helper.vkd()

local FOLDER = helper.root .. "tests/golden/"
local cases = helper.json(helper.read_file(FOLDER .. "golden.json"))

-- All starts of the Psalms take the reference engine half a minute.
local function too_long(case, context)
  return case.n > 2000 and assert(context:info()).kind == "reference"
end

local function check(case, context, center)
  local expected = center and case.centered or case.plain
  local embeddings = assert(vkd.load_npy(FOLDER .. case.file))
  assert.equal(case.n, embeddings.num_items)
  assert.equal(case.d, embeddings.dim)
  local sequences, report, status = context:batch_compute(embeddings, { center = center })
  if expected.error then
    assert.is_nil(sequences)
    assert.equal("VKD_ERROR_ZERO_NORM_CENTERED", status)
    return
  end
  assert(sequences, report)
  local items = sequences:row(1)
  for k, item in ipairs(expected.first_row) do assert.equal(item, items[k] - 1) end
  assert.equal(expected.sequences_sha256, helper.hash(sequences))
end

describe("SHA-256 of the helper", function()
  it("gives the published values", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      helper.sha256(""))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      helper.sha256("abc"))
    assert.equal("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
      helper.sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))
  end)
end)

for _, kernel in ipairs({ "auto", "buffer", "registers" }) do
  describe("golden cases, " .. kernel .. " kernel:", function()
    local context

    setup(function() context = assert(vkd.context({ sequence_kernel = kernel })) end)
    teardown(function() context:free() end)

    for _, case in ipairs(cases) do
      for _, center in ipairs({ false, true }) do
        it(case.file:match("[^/]+$") .. (center and " centred" or " plain"), function()
          if too_long(case, context) then return pending("too long on this device") end
          check(case, context, center)
        end)
      end
    end
  end)
end
