-- ends: ok
for _, s in ipairs {"(", "{", "f(", "function() ", "a.b[", "- ", "not ", "1 .. ", "2 ^ ", "do ", "if x then ", "while 1 do "} do local f, e = load("return " .. s:rep(100000)) assert(not f and e, s) f, e = load(s:rep(100000)) assert(not f and e, s) end assert(not load(("("):rep(1000) .. "1" .. (")"):rep(1000)))
