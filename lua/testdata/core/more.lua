local fns = {} for i = 1, 3 do fns[i] = function() i = i + 1 return i end end print(fns[1](), fns[1](), fns[2](), fns[3]())
local k = {} for i, v in ipairs{"a","b"} do k[i] = function() return i .. v end end print(k[1](), k[2]())
do local t = {} for i = 1, 5 do if i % 2 == 0 then goto cont end t[#t+1] = i ::cont:: end print(table.concat(t, ",")) end
do local i = 1 ::top:: local c = function() return i end i = i + 1 if i < 4 then goto top end print(c(), i) end
-- while with closures and break
do local f local n = 0 while true do local x = n f = function() x = x + 1 return x end n = n + 1 if n > 2 then break end end print(f(), f()) end
-- nested pcall/error/tbc
local function mk(n, err, y) return setmetatable({}, {__close = function(_, e) print("c" .. n, e) if y then coroutine.yield("y" .. n) end if err then error("E" .. n, 0) end end}) end
print(pcall(function() local a <close> = mk(1, true) local b <close> = mk(2, true) local c <close> = mk(3) error("orig", 0) end))
print(pcall(function() local a <close> = mk(1) local b <close> = mk(2, true) return "ret" end))
local co = coroutine.wrap(function() local r = {pcall(function() local a <close> = mk(1, false, true) local b <close> = mk(2, true, true) error("orig", 0) end)} print(table.unpack(r)) return "fin" end)
print(co()) print(co()) print(co())
co = coroutine.create(function() local a <close> = mk(1, true) local b <close> = mk(2, true) coroutine.yield(1) end)
print(coroutine.resume(co)) print(coroutine.close(co)) print(coroutine.status(co))
co = coroutine.create(function() local a <close> = mk(1) pcall(function() local b <close> = mk(2, true) coroutine.yield(1) end) print("no") end)
print(coroutine.resume(co)) print(coroutine.close(co))
co = coroutine.create(function() local a <close> = mk("pc") local ok = pcall(coroutine.yield, 1) print("not reached", ok) end) coroutine.resume(co) print(coroutine.close(co))
-- close with pcall inside handlers
co = coroutine.create(function() local a <close> = setmetatable({}, {__close = function(_, e) print(pcall(error, "inner")) end}) coroutine.yield() end) coroutine.resume(co) print(coroutine.close(co))
-- wrap error with close
local w = coroutine.wrap(function() local a <close> = mk("w", true) error("werr") end) print(pcall(w))
print(pcall(coroutine.wrap(function() error({}) end)))
print(select(2, pcall(coroutine.wrap(function() error("with pos") end))))
print(select(2, pcall(coroutine.wrap(function() local x = nil + 1 end))))
-- for loop with close value and break out via goto/return/error
local function it(n) return function(s, c) c = c + 1 if c <= n then return c end end, nil, 0, mk("it" .. n) end
for i in it(2) do end for i in it(3) do if i == 2 then goto done end end ::done::
print((function() for i in it(4) do if i == 2 then return "r" .. i end end end)())
-- varargs
local function v(...) local t = table.pack(...) return t.n, ... end print(v()) print(v(nil, nil)) print((v(1, 2, 3)))
local function v2(a, ...) local b, c = ... return a, b, c, select("#", ...) end print(v2(1)) print(v2(1, 2)) print(v2(1, 2, 3, 4))
print((function(...) return ... end)(1, nil, 3)) print(pcall(function(...) return select("#", ...) end, nil, nil, nil))
local big = {} for i = 1, 300 do big[i] = i end print(select("#", table.unpack(big)), (select(300, table.unpack(big)))) print(math.max(table.unpack(big)))
local function cnt(...) return select("#", ...) end print(cnt(table.unpack(big, 1, 250)), cnt(1, 2, table.unpack(big)))
local t2 = {table.unpack(big)} print(#t2) t2 = {1, 2, table.unpack(big)} print(#t2, t2[302])
-- metamethods inheritance & rawequal keys, multi level index functions
local A = setmetatable({}, {__index = function(t, k) return "A" .. k end}) local B = setmetatable({}, {__index = A}) local C = setmetatable({}, {__index = B}) print(C.x, rawget(C, "x"))
local P = setmetatable({}, {__newindex = A}) P.z = 1 print(rawget(P, "z"), rawget(A, "z"))
print(#setmetatable({}, {__len = function() return 42 end}), -setmetatable({}, {__unm = function() return "neg" end}), ~setmetatable({}, {__bnot = function() return "bn" end}))
local eqm = {__eq = function(a, b) return true end} print(setmetatable({}, eqm) == setmetatable({}, eqm), setmetatable({}, eqm) == {}, setmetatable({}, eqm) ~= setmetatable({}, {}), setmetatable({}, eqm) == 1)
local ltm = {__lt = function(a, b) return "yes" end, __le = function() return nil end} local x1, x2 = setmetatable({}, ltm), setmetatable({}, ltm) print(x1 < x2, x1 <= x2, x1 > x2, x1 >= x2, not (x1 < x2))
if x1 < x2 then print("lt true") end if x1 <= x2 then print("bad") else print("le false") end
local cm = setmetatable({}, {__concat = function(a, b) return (type(a) == "table" and "T" or a) .. "|" .. (type(b) == "table" and "T" or b) end}) print(cm .. "x", "x" .. cm, 1 .. cm .. 2, "a" .. "b" .. cm .. "c" .. "d", cm .. cm)
local im = setmetatable({}, {__index = table}) im:insert(1) im:insert(2) print(#im, im:concat(","))
print(pcall(function() local t = setmetatable({}, {__index = function(t, k) error("no " .. k, 2) end}) return t.foo end))
-- env
local function envt() local _ENV = {print = print} x = 1 print(x, _ENV.x) end envt() print(x)
local e = setmetatable({}, {__index = _G}) local f = load("y = 5 return y, print ~= nil", "c", "t", e) print(f()) print(y, e.y)
-- integer overflow, comparisons, conversions
print(math.maxinteger + 1 == math.mininteger, math.maxinteger * 2, math.mininteger * -1, 5 // 0.0, -5 // 0.0, 0/0 ~= 0/0, 3 % -2, -3 % 2, 3.5 % -2, -3.5 % 2, 5 % math.huge, -5 % math.huge)
print(1 < 1.5, 1 <= 1.0, 2^63 > math.maxinteger, -2^63 >= math.mininteger, 2^63 == math.maxinteger, math.mininteger <= -2^63, 1e308 * 10 > math.maxinteger, -1e308 * 10 < math.mininteger, math.maxinteger < 2^63, math.maxinteger + 0.0 == 2^63)
print("a" < "b", "a" < "B", "" < "a", "a\0b" < "a\0c", "Z" < "a", "10" < "9") print(10 == "10", 0 == -0, 1/0 == 1/-0.0, 0.0 == -0.0)
print(tostring(1e15), 1e15 // 1, 2^53 | 0, 1e2, 1e-5, 123.456e10, 0x7fffffffffffffff + 0, 0xffffffffffffffff, 0x1p-2, 1e999, -1e999)
print(string.format("%d %s %q", 3.0, 1.5, 1/3), #"\u{10FFFF}", "\x41\65\z
   B") print(tostring(-0.0), 0x.8p1, 3 | 0, 7 // 2.0, 2^2, 10 / 2) print(math.type(1), math.type(1.0), math.type("1"), 1e3 // 1 | 0)
print(pcall(function() return 1.5 // 0 end)) print(8 // 3, -8 // 3, 8 // -3, -8 // -3, 8 % 3, -8 % 3, 8 % -3, -8 % -3)
for _, s in ipairs{"0x", "1e", "1e+", ".", "", " ", "0x.p1", "1..2", "1 1", "0b1", "1_000", "infinity", "nan", "0x1.8", "1e5 ", "\t1\n", "--1", "+1", "- 1", "0x-1", "-0x10", "1e400", ".5", "5."} do io.write(tostring(tonumber(s)), " ") end print()
print(tostring(nil), tostring(true), tostring(12), tostring(1.5)) print(rawlen("abc"), next({}, nil), type(next), select("#", next({})))
