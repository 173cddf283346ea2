-- What luacheck may take for granted: LuaJIT everywhere, busted's globals in the tests.
std = "luajit"
max_line_length = 100
max_comment_line_length = 100
files["tests/lua"] = { std = "luajit+busted" }
