-- Embeddings from files, with the ids of their items: what `vkd.load` and `vkd.load_npy` return,
-- and every call that computes takes. The library reads and checks the files; nothing of them is
-- copied where the format allows.

local bit = require("bit")
local ffi = require("ffi")
local check = require("vkd.check")
local memory = require("vkd.memory")
local library = require("vkd.library")
local misuse, describe = check.misuse, check.describe
local c, sized, hold, failure = library.c, library.sized, library.hold, library.failure

local embeddings = {}

---The element types as C numbers them, and how their values are declared.
local TYPES = {
  [ffi.C.VKD_F32] = { name = "f32", pointer = "const float *" },
  [ffi.C.VKD_F16] = { name = "f16", pointer = "const uint16_t *" },
  [ffi.C.VKD_F64] = { name = "f64", pointer = "const double *" },
}
local NUMBERS = {}
for number, element in pairs(TYPES) do NUMBERS[element.name] = number end

local FORMATS = { safetensors = ffi.C.VKD_FORMAT_SAFETENSORS, npy = ffi.C.VKD_FORMAT_NPY }

---Embeddings of a file, to be passed to `vkd.batch_compute` and the others as they are; num_items
---may then be left out.
---@class vkd.Embeddings
---All values, row after row, 0-based: item i begins at `data + (i - 1) * dim`. It keeps the memory
---or the file alive until `free()`; pointers computed from it do not. Of `vkd.load` it is read
---only. Of `vkd.load_npy` it may be written to, which does not change the file.
---@field data ffi.cdata*
---@field num_items integer
---@field dim integer
---@field element_type "f16"|"f32"|"f64" What `data` points to; halves as uint16_t.
---@field path? string Of `vkd.load`.
---@field has_ids boolean
---The ids of all items, 1-based; nil where there are none. A new Lua table the first time, kept
---then: of very many items rather ask `id(i)` and `find(id)`.
---@field ids? string[]
local Embeddings = {}
local metatable = {}

-- The ids as a Lua table.
local function all_ids(self)
  if not rawget(self, "has_ids") or rawget(self, "_freed") then return nil end
  local ids = {}
  for i = 1, self.num_items do ids[i] = self:id(i) end
  self.ids = ids
  return ids
end

function metatable.__index(self, key)
  if key == "ids" then return all_ids(self) end
  return Embeddings[key]
end

local function check_self(self, method)
  if getmetatable(self) ~= metatable then
    misuse("%s is a method: call it as embeddings:%s(...)", method, method)
  end
  if rawget(self, "_freed") then misuse("these embeddings have been freed") end
end

local function check_item(self, item)
  if not check.is_integer(item, 1, self.num_items) then
    misuse("item must be an integer from 1 to %d, not %s", self.num_items, describe(item))
  end
  return item
end

local function half_to_number(bits)
  local sign = bits >= 0x8000 and -1 or 1
  local exponent = bit.band(bit.rshift(bits, 10), 31)
  local fraction = bit.band(bits, 1023)
  if exponent == 0 then return sign * math.ldexp(fraction, -24) end
  if exponent == 31 then return fraction == 0 and sign * math.huge or 0 / 0 end
  return sign * math.ldexp(1024 + fraction, exponent - 25)
end

---One embedding as a new Lua table of numbers.
---@param item integer Item number, 1-based.
---@return number[] values `dim` numbers, 1-based.
function Embeddings:row(item)
  check_self(self, "row")
  local data, dim, values = self.data, self.dim, {}
  local first = (check_item(self, item) - 1) * dim
  local half = self.element_type == "f16"
  for d = 1, dim do
    local value = data[first + d - 1]
    values[d] = half and half_to_number(value) or value
  end
  return values
end

local function no_ids()
  return nil, "the embeddings have no ids; give vkd.load a file of them (option ids)",
    "VKD_ERROR_NO_SUCH_ID"
end

---The id of one item.
---@param item integer 1-based.
---@return string? id
---@return string? message
---@return string? status
function Embeddings:id(item)
  check_self(self, "id")
  check_item(self, item)
  if not self.has_ids then return no_ids() end
  local text, bytes = ffi.new("const char *[1]"), ffi.new("uint64_t[1]")
  local status = c.vkd_embeddings_id(self._embeddings, item - 1, text, bytes)
  if status ~= 0 then return failure(status) end
  return ffi.string(text[0], tonumber(bytes[0]))
end

---The item that has an id.
---@param id string
---@return integer? item 1-based.
---@return string? message
---@return string? status
function Embeddings:find(id)
  check_self(self, "find")
  if type(id) ~= "string" then misuse("id must be a string, not %s", describe(id)) end
  if not self.has_ids then return no_ids() end
  local item = ffi.new("uint32_t[1]")
  local status = c.vkd_embeddings_find(self._embeddings, check.text(id, "id"), item)
  if status ~= 0 then return failure(status) end
  return item[0] + 1
end

---@class vkd.WriteOptions
---@field format? "safetensors"|"npy" Default: safetensors, which has the ids too.
---Replace a safetensors file of embeddings that vkd wrote. No other file is replaced.
---@field overwrite? boolean

---Writes embeddings of `vkd.load` to a file that is opened at once the next time, in the element
---type that they have. It gets its name when it is whole.
---@param path string
---@param options? vkd.WriteOptions
---@return true? written
---@return string? message
---@return string? status
function Embeddings:write(path, options)
  check_self(self, "write")
  options = check.options(options, { format = "string", overwrite = "boolean" })
  local format = FORMATS[options.format or "safetensors"]
  if not format then
    misuse("option format must be \"safetensors\" or \"npy\", not %s", describe(options.format))
  end
  local text = check.path(path, "path")
  if not self._embeddings then
    misuse("embeddings of load_npy cannot be written; open the file with vkd.load")
  end
  local flags = options.overwrite and ffi.C.VKD_OVERWRITE or 0
  local status = c.vkd_embeddings_write(self._embeddings, text, format, flags)
  if status ~= 0 then return failure(status) end
  return true
end

---Frees the memory or closes the file now. Pointers into it must not be used afterwards; without
---this it happens when the last one is collected.
function Embeddings:free()
  if getmetatable(self) == metatable and rawget(self, "_freed") then return end
  check_self(self, "free")
  local handle, release = self._embeddings, self._release
  self.data, self._embeddings, self._release, self._freed = nil, nil, nil, true
  if handle then c.vkd_embeddings_free(ffi.gc(handle, nil)) end
  if release then release() end
end

---Makes embeddings of what was read.
---@param fields table `data`, `num_items`, `dim`, `element_type`; `_release` frees them.
---@return vkd.Embeddings
function embeddings.object(fields)
  fields.has_ids = fields.has_ids or false
  return setmetatable(fields, metatable)
end

---How a file is read. Most need nothing of it.
---@class vkd.LoadOptions
---@field array? string Of npz and safetensors. Default: the only array of two dimensions.
---@field id_key? string Of JSON: the key of an item's id. Default: "id", or else "poem_index".
---@field embedding_key? string Of JSON: of its embedding. Default: "embedding" or "vector".
---Of JSON: the key of the list of items, or of embeddings. Default: "embeddings" or "data".
---@field list_key? string
---@field ids? string A text file of one id on each line, instead of ids of the file.
---@field dim? integer Of a file that holds nothing but values: dimensions of each item.
---@field element_type? "f32"|"f16"|"f64" With dim: the type of the values. Default: "f32".

local OPTIONS = { array = "string", id_key = "string", embedding_key = "string",
  list_key = "string", ids = "string", dim = "number", element_type = "string" }

-- The options as C reads them.
local function raw_options(options)
  local raw = sized("vkd_embeddings_options")
  for _, name in ipairs({ "array", "id_key", "embedding_key", "list_key" }) do
    local text = options[name]
    if text then raw[name] = hold(raw, check.text(text, "option " .. name)) end
  end
  if options.ids then raw.ids_path = hold(raw, check.path(options.ids, "option ids")) end
  raw.dim = check.optional_count(options, "dim", 1) or 0
  local element_type = options.element_type
  if not element_type then return raw end
  if not NUMBERS[element_type] then
    misuse("option element_type must be \"f32\", \"f16\" or \"f64\", not %s",
      describe(element_type))
  end
  if not options.dim then
    misuse("option element_type goes with dim, of a file that holds nothing but values")
  end
  raw.element_type = NUMBERS[element_type]
  return raw
end

---Opens a file of embeddings: npy, npz, safetensors, JSON, JSON Lines, word2vec, GloVe, fvecs, or
---values alone. Its format is told by what it holds. See docs/embedding-files.md.
---@param path string
---@param options? vkd.LoadOptions
---@return vkd.Embeddings? embeddings
---@return string? message
---@return string? status
function embeddings.load(path, options)
  local raw = raw_options(check.options(options, OPTIONS))
  local out = ffi.new("vkd_embeddings *[1]")
  local status = c.vkd_embeddings_open(check.path(path, "path"), raw, out)
  if status ~= 0 then return failure(status) end
  local handle = ffi.gc(out[0], c.vkd_embeddings_free)
  local info, data = sized("vkd_embeddings_info"), ffi.new("const void *[1]")
  status = c.vkd_embeddings_get_info(handle, info)
  if status == 0 then status = c.vkd_embeddings_data(handle, data) end
  if status ~= 0 then return failure(status) end
  local element = TYPES[info.element_type]
  return embeddings.object({
    _embeddings = handle,
    data = memory.anchored(handle, ffi.cast(element.pointer, data[0])),
    num_items = info.num_items,
    dim = info.dim,
    element_type = element.name,
    has_ids = bit.band(info.flags, ffi.C.VKD_IDS) ~= 0,
    path = path,
  })
end

return embeddings
