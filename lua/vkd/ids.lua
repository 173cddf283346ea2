-- The ids of items: how callers give them, and what results with ids answer.
--
-- Results in a file have them there; those in memory keep them as a Lua list, `_ids`, with the item
-- of each, `_item_of`.

local ffi = require("ffi")
local check = require("vkd.check")
local input = require("vkd.input")
local library = require("vkd.library")
local texts = require("vkd.texts")
local misuse, describe = check.misuse, check.describe
local failure, sized = library.failure, library.sized

local ids = {}

---The types of the option ids: a list, or an object that answers `ids[i]` and `#ids`.
ids.TYPES = "table cdata userdata"

-- LuaJIT does not ask a table's metatable for its length.
local function length_of(list)
  local metatable = type(list) == "table" and getmetatable(list)
  if type(metatable) == "table" and metatable.__len then return metatable.__len(list) end
  return #list
end

---The ids that a call gives, as a new list: the option, else those that come with the embeddings.
---@param options { ids?: any }
---@param embeddings any
---@param num_items integer
---@return string[]? list nil: there are none.
function ids.given(options, embeddings, num_items)
  local given, name = options.ids, "option ids"
  if given == nil and type(embeddings) == "table" then
    given, name = embeddings.ids, "embeddings.ids"
  end
  if given == nil then return nil end
  if not (" " .. ids.TYPES .. " "):find(" " .. type(given) .. " ", 1, true) then
    misuse("%s must be a list of strings, not %s", name, describe(given))
  end
  local count = length_of(given)
  if count ~= num_items then
    misuse("%s holds %d texts, but there are %d items", name, count, num_items)
  end
  local list = {}
  for i = 1, num_items do
    list[i] = given[i]
    if type(list[i]) ~= "string" then
      misuse("ids[%d] must be a string, not %s", i, describe(list[i]))
    end
  end
  return list
end

-- The 0-based item of each id; nil and why where two are equal.
local function items_of(list)
  local item_of = {}
  for i, id in ipairs(list) do
    if item_of[id] then
      return nil, ("items %d and %d (0-based) have the same id, %s; give each its own"):format(
        item_of[id], i - 1, describe(id)), "VKD_ERROR_BAD_ID"
    end
    item_of[id] = i - 1
  end
  return item_of
end

-- Writes the ids of a call to the options that C reads. Those of an open file of embeddings stay
-- where they are.
local function set(raw, options, given, num_items)
  local open = options.ids == nil and type(given) == "table" and rawget(given, "_embeddings")
  if open then
    raw.ids_of = library.hold(raw, open)
    return
  end
  local list = ids.given(options, given, num_items)
  if list then raw.ids = texts.pointers(raw, list, #list, "ids") end
end

---Brings the ids of a call to where its results go: to the options that C reads, for a file, or to
---the fields of results in memory.
---@param raw ffi.cdata*
---@param options { ids?: any, output?: string }
---@param given any The embeddings.
---@param num_items integer
---@return table? fields
---@return string? message Where two ids are equal.
---@return string? status
function ids.place(raw, options, given, num_items)
  if options.output then
    set(raw, options, given, num_items)
    return {}
  end
  local list = ids.given(options, given, num_items)
  if not list then return {} end
  local item_of, message, status = items_of(list)
  if not item_of then return nil, message, status end
  return { _ids = list, _item_of = item_of }
end

---The C functions of an open file of results.
---@class vkd.FileFunctions
---@field id ffi.cdata*
---@field find_id ffi.cdata*
---@field check ffi.cdata*

local CHECK = check.join(input.OPTIONS, { num_items = "number", ids = ids.TYPES })

---Adds to a class of results what its ids answer: the methods `id`, `ids` and `check`, and
---`class.item_of`.
---@param class table From vkd.rows.
---@param name string What a variable of the class is called.
---@param c vkd.FileFunctions
function ids.add_to(class, name, c)
  local methods = class.methods

  local function check_ids(self, method)
    class.check(self, method)
    if not self.has_ids then
      misuse("these %s have no ids; compute them with option ids, or from embeddings with ids",
        name)
    end
  end

  local text, bytes = ffi.new("const char *[1]"), ffi.new("uint64_t[1]")

  -- The id of a 0-based item; results that are sound hold no other.
  local function id_of(self, item)
    local list = rawget(self, "_ids")
    if list then return list[item + 1] end
    local status = c.id(self._file, item, text, bytes)
    if status ~= 0 then return failure(status) end
    return ffi.string(text[0], tonumber(bytes[0]))
  end

  function methods:id(item)
    check_ids(self, "id")
    if not check.is_integer(item, 1, self.num_items) then
      misuse("there is no item %s; they are numbered from 1 to %d", describe(item), self.num_items)
    end
    return id_of(self, item - 1)
  end

  function methods:ids(i)
    class.check_row(self, i, "ids")
    check_ids(self, "ids")
    local items, all = self:row(i), {}
    for place, item in ipairs(items) do
      local id, message, status = id_of(self, item - 1)
      if not id then return nil, message, status end
      all[place] = id
    end
    return all
  end

  ---The 0-based item that has an id.
  function class.item_of(self, id)
    check_ids(self, "find")
    local item_of = rawget(self, "_item_of")
    if item_of then
      local item = item_of[id]
      if item then return item end
      return nil, ("no item has the id %s; give one of the ids that the results were computed with")
        :format(describe(id)), "VKD_ERROR_NO_SUCH_ID"
    end
    local found = ffi.new("uint32_t[1]")
    local status = c.find_id(self._file, check.text(id, "the id"), found)
    if status ~= 0 then return failure(status) end
    return found[0]
  end

  function methods:check(embeddings, options)
    class.check(self, "check")
    options = check.options(options, CHECK)
    if not rawget(self, "_file") then
      misuse("only a file can be checked against embeddings; compute with option output")
    end
    local num_items = check.optional_count(options, "num_items", 0)
    local corpus, message, refused = input.corpus(embeddings, num_items, options)
    if not corpus then return nil, message, refused end
    local raw = sized("vkd_check_options")
    raw.element_type = corpus.element_type
    set(raw, options, embeddings, corpus.num_items)
    local status = c.check(self._file, corpus.pointer, corpus.num_items, corpus.dim, raw)
    if status ~= 0 then return failure(status) end
    return true
  end
end

return ids
