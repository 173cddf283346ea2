-- What luacheck may take for granted: LuaJIT everywhere, busted's globals in the tests.
std = "luajit"
max_line_length = 120
-- Annotations are documentation; the one long line is better than a broken tag.
max_comment_line_length = false
files["tests/lua"] = { std = "luajit+busted" }
