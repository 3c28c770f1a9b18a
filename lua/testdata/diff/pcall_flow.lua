local function f(n) if n == 0 then return "done" end return (select(2, pcall(f, n - 1))) end
print(f(50))
print(pcall(function() return pcall(function() return pcall(error, "x") end) end))
local log = {}
local function g(x) log[#log + 1] = x if x > 3 then error(x) end return g(x + 1) end
print(pcall(g, 1)) print(table.concat(log, ","))
local r = { pcall(function(...) return ... end, 1, nil, 3) } print(#r, r[1], r[2], r[4])
for i = 1, 3 do local ok, e = pcall(function() if i == 2 then error("i2", 0) end return i end) print(ok, e) end
local function closing() local up = 0 local fn = function() up = up + 1 return up end pcall(function() fn() error() end) return fn() end print(closing())
local x = 10 pcall(function() x = x + 1 error() end) print(x)
print((pcall(error)), (pcall(type, 1)))
local ok, a, b = pcall(function() local t = setmetatable({}, { __index = function(_, k) error("idx " .. k, 0) end }) return t.foo end) print(ok, a, b)
print(pcall(string.gsub, "abc", "%w", function(c) error("in gsub " .. c, 0) end))
print(pcall(table.sort, { 3, 2, 1 }, function() error("in sort", 0) end))
print(pcall(function() for i = 1, 3 do if i == 2 then error("loop " .. i, 0) end end end))
print(xpcall(function() return select("#", nil, nil) end, print))
print(pcall(coroutine.wrap(function() error("in co", 0) end)))
print(pcall(next, nil)) print(pcall(ipairs)) print(pcall(rawset, {}, nil, 1)) print(pcall(rawset, 1, 2, 3)) print(pcall(rawget, 5, 1))
