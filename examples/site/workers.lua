return function(_, script, arguments)
  local words = { "luajit", script, "1", "1" }
  for _, a in ipairs(arguments) do words[#words + 1] = "'" .. a:gsub("'", "'\\''") .. "'" end
  local code = os.execute(table.concat(words, " "))
  return code == 0 or nil, code == 0 and { {} } or "failed"
end
