local function lvl3() error("deep error") end
local function lvl2() lvl3() end
function lvl1() lvl2() end
print(xpcall(lvl1, debug.traceback))
local t = { method = function(self) local x = nil; return x.y end }
print(xpcall(function() t:method() end, debug.traceback))
print(debug.traceback("hi"))
print(debug.traceback("hi", 2))
local co = coroutine.create(function() local function inner() coroutine.yield() end inner() end)
coroutine.resume(co)
print(debug.traceback(co)) print(debug.traceback(co, "msg")) print(debug.traceback(co, nil, 1))
print(xpcall(function() string.rep() end, debug.traceback))
print(xpcall(function() local s = setmetatable({}, { __index = function(_, k) error("idx " .. k) end }) return s.foo end, debug.traceback))
print(xpcall(function() for _ in (function() error("iter") end) do end end, debug.traceback))
print(xpcall(function() return lvl1() end, debug.traceback))
print(xpcall(function() table.sort({ 3, 2, 1 }, function(a, b) error("cmp") end) end, debug.traceback))
print(xpcall(function() local _ = setmetatable({}, { __add = function() error("add") end }) + 1 end, debug.traceback))
