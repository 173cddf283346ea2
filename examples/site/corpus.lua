-- The corpus of a configuration: its texts with their ids, groups and file names. The embeddings
-- are opened only where something is computed from them.

local vkd = require("vkd")
local jsonl = require("jsonl")
local names = require("names")

local corpus = {}

---@class site.Corpus
---@field count integer
---@field ids string[]
---@field texts string[]
---@field names string[] File names without an ending.
---@field item_of table<string, integer> The place of an id in these lists.
---@field groups site.Group[] In the order of their first items; one without a name where the
---configuration has no groups.
---@field group_of site.Group[] That of each item.

---@class site.Group
---@field name string
---@field anchor string Its name in links.
---@field items integer[]

---The embeddings of a configuration.
---@param config table
---@return vkd.Embeddings
function corpus.embeddings(config)
  return assert(vkd.load(config.embeddings))
end

-- Without texts: the ids of the embeddings, or numbers.
local function ids_alone(config)
  local embeddings = corpus.embeddings(config)
  local ids, list = embeddings.ids, {}
  for i = 1, embeddings.num_items do
    local id = ids and ids[i] or ("Item %d"):format(i)
    list[i] = { id = id, text = id }
  end
  embeddings:free()
  return list
end

-- All groups, and that of each item.
local function groups_of(config, ids)
  local groups, of, anchors, group_of = {}, {}, {}, {}
  for i, id in ipairs(ids) do
    local name = config.group_of and config.group_of(id) or ""
    local group = of[name]
    if not group then
      group = { name = name, items = {} }
      of[name], groups[#groups + 1], anchors[#anchors + 1] = group, group, name
    end
    group.items[#group.items + 1], group_of[i] = i, group
  end
  anchors = names.of(anchors)
  for i, group in ipairs(groups) do group.anchor = anchors[i] end
  return groups, group_of
end

---Reads the texts of a configuration.
---@param config table
---@return site.Corpus
function corpus.read(config)
  local list = config.texts and assert(jsonl.texts(config.texts)) or ids_alone(config)
  if #list < 2 then error(("%s: a site needs two texts or more"):format(config.texts), 0) end
  local read = { count = #list, ids = {}, texts = {}, item_of = {} }
  for i, item in ipairs(list) do
    if read.item_of[item.id] then
      error(("%s: lines %d and %d have the same id, %s; give each its own"):format(config.texts,
        read.item_of[item.id], i, item.id), 0)
    end
    read.ids[i], read.texts[i], read.item_of[item.id] = item.id, item.text, i
  end
  read.names = names.of(read.ids)
  read.groups, read.group_of = groups_of(config, read.ids)
  return read
end

return corpus
