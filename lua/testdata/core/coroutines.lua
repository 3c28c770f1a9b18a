-- coroutines
local co = coroutine.create(function(a, b)
  print("start", a, b)
  local c = coroutine.yield(a + b)
  print("got", c)
  local d, e = coroutine.yield(c * 2)
  print("got", d, e)
  return "fin", 99
end)
print(coroutine.resume(co, 1, 2)) print(coroutine.status(co)) print(coroutine.resume(co, 10)) print(coroutine.resume(co, "x", "y"))
print(coroutine.status(co)) print(coroutine.resume(co))
local w = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
print(w(), w(), w(), w()) print(pcall(w))
-- yield across pcall
co = coroutine.wrap(function() print(pcall(function() local x = coroutine.yield(1) error("oops " .. x) end)) print(xpcall(function() coroutine.yield(2) error("E") end, function(m) return "H:" .. m end)) return "end" end)
print(co()) print(co("val")) print(co())
-- yield across metamethods
local mt = {__add = function(a, b) return coroutine.yield("add") end, __index = function(t, k) return coroutine.yield("idx " .. k) end,
  __newindex = function(t, k, v) coroutine.yield("newidx") rawset(t, k, v) end, __eq = function() return coroutine.yield("eq") end,
  __lt = function() return coroutine.yield("lt") end, __le = function() return coroutine.yield("le") end, __concat = function(a, b) return coroutine.yield("cat") end,
  __len = function() return coroutine.yield("len") end, __call = function(self, x) return coroutine.yield("call" .. x) end, __unm = function() return coroutine.yield("unm") end}
local function run(f) local c = coroutine.wrap(f) local r = {c()} local i = 0
  while r[1] ~= "END" do io.write(tostring(r[1]), " ") i = i + 1 r = {c(i)} end print("END", table.unpack(r, 2)) end
run(function() local o = setmetatable({}, mt) local p = setmetatable({}, mt)
  local a = o + 1 local b = o.foo o.bar = 5 local c = o == p local d = o < p local e = o <= p local f = "x" .. o .. "y" local g = #o local h = o(7) local i = -o
  return "END", a, b, rawget(o, "bar"), c, d, e, f, g, h, i, not (o < p), o > p end)
run(function() for k, v in function(s, c) local x = coroutine.yield("iter") if x < 5 then return x, x * 2 end end do io.write("[", k, "=", v, "] ") end return "END" end)
-- close
do
  local function mk(n) return setmetatable({}, {__close = function(_, e) print("close", n, e) end}) end
  do local a <close> = mk("a") local b <close> = mk("b") print("in") end
  print(pcall(function() local a <close> = mk("a") local b <close> = mk("b") error("boom") end))
  local function f() local a <close> = mk("a") local b <close> = mk("b") return 1, 2, 3 end
  print(f())
  local function g(...) local a <close> = mk("g") return ... end
  print(g(1, 2, 3)) print((g(1,2)))
  for i = 1, 2 do local a <close> = mk("loop" .. i) if i == 2 then break end end
  do local i = 1 while true do local x <close> = mk("w" .. i) i = i + 1 if i > 2 then goto out end end ::out:: end
  print(pcall(function() local a <close> = setmetatable({}, {__close = function(_, e) print("e1", e) error("second") end}) error("first") end))
  print(pcall(function() local a <close> = setmetatable({}, {__close = function(_, e) print("A", e) end}) local b <close> = setmetatable({}, {__close = function(_, e) print("B", e) error("fromB") end}) end))
  local c = coroutine.create(function() local a <close> = mk("co") coroutine.yield(1) end)
  print(coroutine.resume(c)) print(coroutine.close(c)) print(coroutine.status(c)) print(coroutine.close(c))
  c = coroutine.create(function() local a <close> = setmetatable({}, {__close = function() error("cl") end}) coroutine.yield(1) end)
  print(coroutine.resume(c)) print(coroutine.close(c)) print(coroutine.status(c))
  c = coroutine.create(function() local a <close> = mk("errco") error("dead") end)
  print(coroutine.resume(c)) print(coroutine.status(c)) print(coroutine.close(c))
  local ww = coroutine.wrap(function() local a <close> = mk("wrapco") error("deadw") end)
  print(pcall(ww))
  -- yield in close
  run(function() local r = (function() local a <close> = setmetatable({}, {__close = function() coroutine.yield("closing") end}) return "ret" end)() return "END", r end)
  run(function() print(pcall(function() local a <close> = setmetatable({}, {__close = function(_, e) coroutine.yield("closing2") print("after", e) end}) error("E2") end)) return "END" end)
  -- for closing
  local function iter() return function(_, i) i = i + 1 if i < 4 then return i end end, nil, 0, mk("for") end
  for i in iter() do io.write(i, " ") end print()
  for i in iter() do io.write(i, " ") break end print()
  print(pcall(function() for i in iter() do error("in for") end end))
end
print(coroutine.isyieldable(), coroutine.running())
print(coroutine.wrap(function() return coroutine.isyieldable(), select(2, coroutine.running()) end)())
print(pcall(coroutine.yield)) print(pcall(coroutine.resume, 1)) print(pcall(coroutine.create, 1)) print(coroutine.resume(coroutine.running()))
print(pcall(coroutine.close, coroutine.running()))
local c2 c2 = coroutine.create(function() print(coroutine.status(c2)) print(coroutine.resume(c2)) local c3 = coroutine.wrap(function() print(coroutine.status(c2)) print(coroutine.resume(c2)) end) c3() end) coroutine.resume(c2)
print(pcall(function() table.sort({3,2,1}, function(a,b) coroutine.yield() end) end))
print(coroutine.wrap(function() return pcall(function() table.sort({3,2,1}, function(a,b) coroutine.yield() end) end) end)())
print(coroutine.wrap(function() return pcall(string.gsub, "abc", ".", function() coroutine.yield() end) end)())
-- deep
local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end print(deep(1000))
print(select(2, pcall(string.rep, "x", -1)), #string.rep("x", 10))
local function rec(n) if n == 0 then error("deep err") end local ok, e = pcall(rec, n-1) error(e, 0) end print(pcall(rec, 50))
local function nest(n) if n == 0 then return "bottom" end return coroutine.wrap(nest)(n - 1) end print(pcall(nest, 100)) print((pcall(nest, 250)))
print(pcall(pcall)) print(pcall(pcall, error, "x")) print(pcall(xpcall)) print(pcall(xpcall, print)) print(xpcall(function(...) return ... end, print, 1, 2, 3))
print(xpcall(function() local x = nil; x() end, function(m) return "handled: " .. m end))
print(xpcall(function() error({code = 5}) end, function(m) return m.code end))
-- upvalues
local fs = {} for i = 1, 3 do local j = i fs[i] = function() j = j + 1 return j + i end end print(fs[1](), fs[1](), fs[2](), fs[3]())
local function counter() local n = 0 return function() n = n + 1 return n end, function() return n end end local inc, get = counter() inc() inc() print(get())
-- multiple assignment & order
local a, b, c = (function() return 1, 2, 3 end)() print(a, b, c) a, b = b, a print(a, b) local t = {} t[1], t[2], t[3] = 1, 2 print(#t)
print(load("return 1 + 1")()) print(load("syntax error here")) print(load(function() return nil end)) local parts = {"return ", "42"} local pi = 0 print(load(function() pi = pi + 1 return parts[pi] end)())
print(load("x = 5; return x", "chunk", "t", {})()) print(pcall(load("error('e')", "=name"))) print(pcall(load("error('e')", "@file.lua"))) print(pcall(load("\n\nerror('e')", "some code\nmore")))
print(pcall(load, "return 1", "x", "b")) print(load("return 1", "x", "b")) print((load("\27Lua")))
print(next({})) print(next({10})) print(rawequal("a", "a")) for k, v in pairs({a = 1}) do print(k, v) end
for i, v in ipairs(setmetatable({}, {__index = function(t, i) if i < 4 then return i * i end end})) do io.write(i, "=", v, " ") end print()
for k, v in pairs(setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, 2 end end, t, nil end})) do print(k, v) end
print(getmetatable("").__index == string, getmetatable(setmetatable({}, {__metatable = "locked"})), pcall(setmetatable, setmetatable({}, {__metatable = 1}), {}))
