-- What all results have in common, sequences and neighbours, in memory and in files: rows that are
-- numbered from 1, asked for as Lua tables or as pointers, exported, and memory that can be freed
-- early.

local check = require("vkd.check")
local memory = require("vkd.memory")
local exports = require("vkd.export")
local library = require("vkd.library")
local misuse, describe = check.misuse, check.describe

local rows = {}

---@class vkd.Rows
---@field count integer Number of rows.
---@field has_ids boolean Whether the items have ids: then `ids`, `id` and `find` of an id answer.
---One row as a new Lua table of the ids of its items, in their order.
---@field ids fun(self: vkd.Rows, i: integer): string[]
---@field id fun(self: vkd.Rows, item: integer): string The id of an item, 1-based.
---Whether a file is of these embeddings: by their number, the ids where both have some, and the
---fingerprint. No row is computed anew. nil, with what differs first, where it is not.
---Options: vkd.CheckOptions.
---@field check fun(self: vkd.Rows, of: vkd.AnyEmbeddings, options?: table): true?, string?, string?

---How embeddings are given to `check`.
---@class vkd.CheckOptions
---@field num_items? integer Needed with a pointer.
---@field dim? integer As in `vkd.EmbeddingsOptions`.
---@field element_type? "f32"|"f16"|"f64"
---@field ids? vkd.AnyIds As in `vkd.OutputOptions`.
---@field zero_rows? boolean Changes nothing: rows of zeros are admitted, as in the run.

---What `verify` of results found, beside what it says of sequences.
---@class vkd.RowsReport
---@field rows_checked integer All rows.

---How one class of results is read and freed.
---@class vkd.RowsKind
---@field name string What a variable of the class is called in messages.
---@field row_name string What a row is called.
---@field row fun(self: table, index: integer): table, ... A 0-based row as Lua tables.
---@field pointer fun(self: table, index: integer): ffi.cdata*, ... A 0-based row as it lies.
---Puts the results into a `vkd_site_source`.
---@field fill_source fun(self: table, source: ffi.cdata*)

---Makes a class of results. Its objects have `count`, and `_free`, which frees what they hold.
---@param kind vkd.RowsKind
---@return table class Its metatable is `class.metatable`, its methods are in `class.methods`.
function rows.class(kind)
  local methods, metatable = {}, {}
  local class = { methods = methods, metatable = metatable }

  ---Whether a value is of this class.
  function class.is(value) return type(value) == "table" and getmetatable(value) == metatable end

  ---Checks that a method was called on results that have not been freed.
  function class.check(self, method)
    if not class.is(self) then
      misuse("%s is a method: call it as %s:%s(...)", method, kind.name, method)
    end
    if rawget(self, "_freed") then misuse("these results have been freed") end
  end

  local function check_row(self, i, method)
    class.check(self, method)
    if not check.is_integer(i, 1, self.count) then
      misuse("there is no %s %s; they are numbered from 1 to %d", kind.row_name, describe(i),
        self.count)
    end
    return i - 1
  end

  ---The 0-based index of row `i`, which must be one.
  class.check_row = check_row

  function methods:row(i) return kind.row(self, check_row(self, i, "row")) end

  function methods:pointer(i)
    return memory.anchored(self, kind.pointer(self, check_row(self, i, "pointer")))
  end

  ---The results as C reads them.
  function class.source(self)
    local source = library.sized("vkd_site_source")
    kind.fill_source(self, source)
    return source
  end

  function methods:export(path, options)
    class.check(self, "export")
    return exports.write(class.source(self), self, path, options)
  end

  local function next_row(self, i)
    if i < self.count then return i + 1, self:row(i + 1) end
  end

  function methods:rows()
    class.check(self, "rows")
    return next_row, self, 0
  end

  function methods:free()
    if not class.is(self) then misuse("free is a method: call it as %s:free()", kind.name) end
    if rawget(self, "_freed") then return end
    self._freed = true
    self:_free()
  end

  function metatable.__index(self, key)
    if type(key) ~= "number" then return methods[key] end
    if not check.is_integer(key, 1, rawget(self, "count")) then return nil end
    return (methods.row(self, key))
  end

  return class
end

return rows
