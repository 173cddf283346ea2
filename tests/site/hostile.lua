-- A site of texts and ids that try to be more than text: writes its corpus and configuration into
-- a folder, `luajit tests/site/hostile.lua FOLDER`.

local folder = assert(arg[1], "name a folder")

local SCRIPT = "<script>window.broken = true</script>"
local HANDLER = "\"'><img src=x onerror=window.broken=true>"
local items = {
  { "plain", "A plain text." },
  { SCRIPT, SCRIPT .. " & more" },
  { HANDLER, HANDLER },
  { "</title></script><script>window.broken=1</script>", "</p></svg></script>" .. SCRIPT },
  { "../../up", "javascript:window.broken=1" },
  { "a b", "One of two that come to the same name." },
  { "a-b", "The other." },
  { "中文", "文字 and \226\128\168 a line" },
  { "CON", "{title} {root} $& `${window.broken = true}` \\\" \\u003c" },
}

-- A control character and a lone half of a pair are spelled in JSON.
local function json(text)
  return '"' .. text:gsub('["\\]', "\\%0") .. '\\u0001\\ud800"'
end

local function write(name, bytes)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(bytes)
  file:close()
end

local lines, vectors = {}, {}
for i, item in ipairs(items) do
  local id = '"' .. item[1]:gsub('["\\]', "\\%0") .. '"'
  lines[i] = ('{"id": %s, "text": %s}\n'):format(id, json(item[2]))
  local angle = i * 0.6
  vectors[i] = ("[%.6f, %.6f, 0.5]"):format(math.cos(angle), math.sin(angle))
end
write("texts.jsonl", table.concat(lines))
write("embeddings.json", "[" .. table.concat(vectors, ",\n") .. "]\n")
write("config.lua", ([[
local config = dofile(%q)
config.texts, config.embeddings = %q, %q
config.site, config.results = %q, %q
config.title, config.items, config.about = %q, %q, %q
config.group_of = function(id) return id:sub(1, 1) .. "<script>window.broken=1</script>" end
return config
]]):format(arg[0]:match("^(.*)tests/site/") .. "examples/site/config.lua",
  folder .. "/texts.jsonl", folder .. "/embeddings.json", folder .. "/site", folder .. "/results",
  "A title & " .. SCRIPT, "things" .. HANDLER, "About " .. HANDLER))
