local function res(name, log) return setmetatable({ name = name }, { __close = function(o, e) print("close", o.name, e) end }) end
do local a <close> = res "a" local b <close> = res "b" print("body") end
print(pcall(function() local a <close> = res "a" local b <close> = res "b" error("err", 0) end))
local function f() local a <close> = res "a" return "x", "y" end
print(f())
local function g() local a <close> = res "a" return f() end
print(g())
do local n <close> = nil local fl <close> = false print("nil ok") end
print(pcall(function() local x <close> = {} end))
print(pcall(function() local y <close> = 42 end))
print(pcall(function() local a <close> = setmetatable({}, { __close = function(_, e) print("in", e) error("second", 0) end }) error("first", 0) end))
print(pcall(function() local a <close> = res "outer" local b <close> = setmetatable({}, { __close = function() error("from close", 0) end }) end))
for i = 1, 2 do local c <close> = res("loop" .. i) if i == 1 then goto cont end print("i", i) ::cont:: end
while true do local c <close> = res "w" break end
local function h(...) local c <close> = res "va" return ... end
print(h(1, 2, 3))
print((function() local c <close> = res "p" return pcall(error, "inner") end)())
local co = coroutine.wrap(function() local a <close> = res "co" coroutine.yield(1) return 2 end)
print(co()) print(co())
local co2 = coroutine.create(function() local a <close> = res "co2" coroutine.yield(1) end)
coroutine.resume(co2) print(coroutine.close(co2), coroutine.status(co2))
local co3 = coroutine.wrap(function() local a <close> = setmetatable({}, { __close = function() coroutine.yield("in close") print("resumed") end }) return "done" end)
print(co3()) print(co3())
do
  local x <close> = res "x"
  local fn = function() return x.name end
  print(fn())
end
local function tail() local a <close> = res "t" return print("not tail") end
tail()
