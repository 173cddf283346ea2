-- Finished sequences, in memory or in a file that is mapped: nothing of it is copied or locked, and
-- all readers share one copy.

local bit = require("bit")
local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local library = require("vkd.library")
local input = require("vkd.input")
local rows = require("vkd.rows")
local ids = require("vkd.ids")
local shards = require("vkd.shard")
local misuse, describe = check.misuse, check.describe
local c, sized, failure = library.c, library.sized, library.failure

local sequences = {}

---The rules by name, as C numbers them.
---@type table<string, integer>
sequences.RULES = {
  centroid = ffi.C.VKD_RULE_CENTROID,
  farthest = ffi.C.VKD_RULE_FARTHEST,
  mmr = ffi.C.VKD_RULE_MMR,
  chain = ffi.C.VKD_RULE_CHAIN,
}

local RULE_NAMES = {}
for name, number in pairs(sequences.RULES) do RULE_NAMES[number] = name end

---What a sequence asks of its next item.
---@alias vkd.Rule "centroid"|"farthest"|"mmr"|"chain"

---Finished sequences. `sequences[i]` is `sequences:row(i)`, nil beyond the last.
---@class vkd.Sequences: vkd.Rows
---@field count integer Number of sequences.
---@field length integer Items in each.
---@field num_items integer Items of the corpus.
---count x length item numbers, 0-based in index and value: `uint32_t *`, of a file `item_type`.
---It keeps its memory or file alive; pointers computed from it (`data + length`) do not.
---@field data ffi.cdata*
---@field item_type "uint16_t"|"uint32_t" What `data` and `pointer` point to.
---@field rule vkd.Rule
---@field lambda? number Of the rule mmr, rounded to 1/32768.
---@field head_length integer Items that were given of each sequence; 1: a start.
---@field shard? string Which part of a run they are (option shard), such as "2/4"; nil: the whole.
---@field whole_count integer Number of sequences of the whole run.
---@field has_values boolean Whether `values` has an answer.
---@field path? string Of a file.
---@field centered? boolean Of a file: the mean was subtracted.
---@field fingerprint? string Of a file: equal embeddings have equal ones.
---@field version? string Of a file: the library that wrote it.
---@field [integer] integer[]
---One sequence as a new Lua table of 1-based items, the start first. Keep it rather than asking
---again in a loop.
---@field row fun(self: vkd.Sequences, i: integer): integer[]
---The values of one sequence as a new Lua table: `values[p]` belongs to the item at place p (from
---1), 0 to the start or head. Only where they were asked for (option values).
---@field values fun(self: vkd.Sequences, i: integer): number[]
---One sequence without a copy: `length` item numbers, 0-based in index and value. The pointer keeps
---the results alive; pointers computed from it do not.
---@field pointer fun(self: vkd.Sequences, i: integer): ffi.cdata*
---Iterates over all: `for i, items in sequences:rows() do`.
---@field rows fun(self: vkd.Sequences): fun(...): integer?, integer[]?
---Writes them in the shape of an older program's file: true and a report, or a job.
---@field export fun(self: vkd.Sequences, path: string, options?: vkd.ExportOptions): ...
---Frees the memory or closes the file now. Pointers into it must not be used afterwards; without
---this it happens when the last one is collected.
---@field free fun(self: vkd.Sequences)

local Sequences = rows.class({
  name = "sequences",
  row_name = "sequence",
  row = function(self, index)
    local data, items = self.data + index * self.length, {}
    for place = 1, self.length do items[place] = data[place - 1] + 1 end
    return items
  end,
  pointer = function(self, index)
    return ffi.cast("const " .. self.item_type .. " *", self.data + index * self.length)
  end,
  fill_source = function(self, source)
    local file = rawget(self, "_file")
    if file then
      -- The file that is open, whatever has its path by now.
      source.sequences_file = library.hold(source, file)
      return
    end
    source.num_rows, source.num_items = self.count, self.num_items
    source.row_length, source.sequences = self.length, self.data
    source.rule = sequences.RULES[self.rule]
  end,
})
local methods = Sequences.methods

ids.add_to(Sequences, "sequences", { id = c.vkd_sequences_file_id,
  find_id = c.vkd_sequences_file_find_id, check = c.vkd_sequences_file_check })

---Whether a value is sequences, in memory or in a file.
sequences.is = Sequences.is

---Sequences as C reads them.
sequences.source = Sequences.source

function methods:_free()
  local data, file, values = self.data, rawget(self, "_file"), rawget(self, "_values")
  self.data, self._file, self._values = nil, nil, nil
  if file then
    c.vkd_sequences_file_free(ffi.gc(file, nil))
  else
    memory.free(data)
    if values then memory.free(values) end
  end
end

function methods:values(i)
  local index = Sequences.check_row(self, i, "values")
  if not self.has_values then
    misuse("these sequences have no values; compute them with option values = true")
  end
  local from, values = self._values + index * self.length, {}
  for place = 1, self.length do values[place] = from[place - 1] end
  return values
end

local function no_such_start(item)
  return nil, ("no sequence begins with item %d (1-based); there are other starts"):format(item),
    "VKD_ERROR_START_OUT_OF_RANGE"
end

---The first sequence that begins with an item.
---@param item integer|string 1-based, or its id.
---@return integer? i Sequence number, 1-based.
---@return string? message
---@return string? status
function methods:find(item)
  Sequences.check(self, "find")
  if type(item) == "string" then
    local found, message, status = Sequences.item_of(self, item)
    if not found then return nil, message, status end
    item = found + 1
  end
  if not check.is_integer(item, 1, check.MOST + 1) then
    misuse("item must be an item number from 1, or an id, not %s", describe(item))
  end
  if rawget(self, "_file") then
    local out = ffi.new("uint32_t[1]")
    local status = c.vkd_sequences_file_find(self._file, item - 1, out)
    if status == 0 then return out[0] + 1 end
    if status ~= ffi.C.VKD_ERROR_START_OUT_OF_RANGE then return failure(status) end
    return no_such_start(item)
  end
  for index = 0, self.count - 1 do
    if self.data[index * self.length] == item - 1 then return index + 1 end
  end
  return no_such_start(item)
end

---What `Sequences:verify` found.
---@class vkd.VerifyReport: vkd.RowsReport
---Of these the picks were computed anew; without embeddings all, and none.
---@field sequences_checked integer
---@field picks_checked number 0 where the embeddings were not given.
---In cosine distance: up to some 0.001 is right, a wrong file shows 0.1 and more.
---@field worst_regret number
---@field mean_regret number
---@field worst_sequence integer 1-based.
---@field worst_pick integer Place in that sequence, 1-based.

-- Every row in memory must hold items of the corpus, each of them once.
local function verify_memory(self)
  -- The last sequence that held each item, counted from 1.
  local seen, message, name = memory.zeroed("uint32_t", self.num_items)
  if not seen then return nil, message, name end
  for index = 0, self.count - 1 do
    for place = 0, self.length - 1 do
      local item = self.data[index * self.length + place]
      if item >= self.num_items or seen[item] == index + 1 then
        return nil, ("sequence %d holds item %d (both 1-based) %s; compute it again"):format(
          index + 1, item + 1, item >= self.num_items and "beyond the last" or "twice"),
          "VKD_ERROR_INTERNAL"
      end
      seen[item] = index + 1
    end
  end
  return true
end

local function verify_file(self)
  local status = c.vkd_sequences_file_verify(self._file)
  if status ~= 0 then return failure(status) end
  return true
end

local function verify_rows(self)
  local sound, message, name = (rawget(self, "_file") and verify_file or verify_memory)(self)
  if not sound then return nil, message, name end
  return { rows_checked = self.count, sequences_checked = self.count, picks_checked = 0,
    worst_regret = 0, mean_regret = 0, worst_sequence = 1, worst_pick = 1 }
end

---How embeddings are given, and how much is checked against them.
---@class vkd.VerifyOptions
---@field num_items? integer Needed with a pointer.
---@field dim? integer As in `vkd.EmbeddingsOptions`.
---@field element_type? "f32"|"f16"|"f64"
---@field zero_rows? boolean Changes nothing: rows of zeros are admitted, as in the run.
---@field sequences? integer How many to check, spread over all; default 16.
---@field picks? integer Of each; default 64.

local VERIFY = check.join(input.OPTIONS, { num_items = "number", sequences = "number",
  picks = "number" })

---Checks every row, of a file also its checksum. A file is also checked against the embeddings that
---it was computed from: a sample of its picks anew, and in f64.
---@param embeddings? vkd.AnyEmbeddings
---@param options? vkd.VerifyOptions
---@return vkd.VerifyReport? report nil where a row is wrong.
---@return string? message
---@return string? status
function methods:verify(embeddings, options)
  Sequences.check(self, "verify")
  options = check.options(options, VERIFY)
  if embeddings == nil then
    for name in pairs(options) do misuse("option %s goes with embeddings", name) end
    return verify_rows(self)
  end
  if not rawget(self, "_file") then
    misuse("only a file can be verified against embeddings; compute with option output")
  end
  local raw, report = sized("vkd_verify_options"), sized("vkd_verify_report")
  raw.num_sequences = check.optional_count(options, "sequences", 1) or 0
  raw.num_picks = check.optional_count(options, "picks", 1) or 0
  local num_items = check.optional_count(options, "num_items", 0)
  local corpus, message, name = input.corpus(embeddings, num_items, options)
  if not corpus then return nil, message, name end
  raw.element_type = corpus.element_type
  local status = c.vkd_sequences_file_verify_against(self._file, corpus.pointer, corpus.num_items,
    corpus.dim, raw, report)
  if status ~= 0 then return failure(status) end
  return {
    rows_checked = self.count,
    sequences_checked = report.sequences_checked,
    picks_checked = tonumber(report.picks_checked),
    worst_regret = report.worst_regret,
    mean_regret = report.mean_regret,
    worst_sequence = report.worst_sequence + 1,
    worst_pick = report.worst_pick + 1,
  }
end

---@param results table The fields of sequences; `data` and `_values`, if any, from vkd.memory.
---@return vkd.Sequences
function sequences.in_memory(results)
  results.item_type, results.has_values = "uint32_t", results._values ~= nil
  results.has_ids = results._ids ~= nil
  -- As the library rounds it.
  local lambda = results.lambda
  if lambda then results.lambda = math.floor(lambda * 32768 + 0.5) / 32768 end
  return setmetatable(results, Sequences.metatable)
end

-- The values of a file lie one row behind the other.
local function values_of(file)
  local values = ffi.new("const float *[1]")
  local status = c.vkd_sequences_file_values(file, 0, values)
  if status ~= 0 then return failure(status) end
  return memory.anchored(file, values[0])
end

---@param path string
---@return vkd.Sequences? sequences
---@return string? message
---@return string? status
function sequences.open(path)
  local out = ffi.new("vkd_sequences_file *[1]")
  local status = c.vkd_sequences_file_open(check.path(path, "path"), out)
  if status ~= 0 then return failure(status) end
  local file = ffi.gc(out[0], c.vkd_sequences_file_free)
  local info, row = sized("vkd_sequences_file_info"), ffi.new("const void *[1]")
  status = c.vkd_sequences_file_get_info(file, info)
  if status == 0 then status = c.vkd_sequences_file_row(file, 0, row) end
  if status ~= 0 then return failure(status) end
  local item_type = info.item_bytes == 2 and "uint16_t" or "uint32_t"
  local has_values = bit.band(info.flags, ffi.C.VKD_VALUES) ~= 0
  local values, message, name
  if has_values then
    values, message, name = values_of(file)
    if not values then return nil, message, name end
  end
  local rule = RULE_NAMES[tonumber(info.rule)]
  return setmetatable({
    _file = file,
    _values = values,
    has_values = has_values,
    has_ids = bit.band(info.flags, ffi.C.VKD_IDS) ~= 0,
    rule = rule,
    lambda = rule == "mmr" and info.lambda or nil,
    head_length = info.head_length,
    shard = shards.text(info.shard_index, info.shard_count),
    whole_count = info.whole_count,
    path = path,
    -- The rows lie one behind the other.
    data = memory.anchored(file, ffi.cast("const " .. item_type .. " *", row[0])),
    count = info.count,
    length = info.length,
    num_items = info.num_items,
    item_type = item_type,
    centered = info.flags % 2 == 1,
    fingerprint = ffi.string(info.fingerprint),
    version = ffi.string(info.version),
  }, Sequences.metatable)
end

return sequences
