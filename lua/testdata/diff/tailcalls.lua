local function loop(n) if n == 0 then return "end" end return loop(n - 1) end
print(loop(100000))
local function even(n) if n == 0 then return true end return (function(m) if m == 0 then return false end return even(m - 1) end)(n - 1) end
print(even(10001), even(1000))
local t = {} function t:m(n) if n == 0 then return self == t end return self:m(n - 1) end print(t:m(50000))
local function va(n, ...) if n == 0 then return ... end return va(n - 1, ...) end print(va(1000, 1, 2, 3))
print((function() return pcall(loop, 10) end)(), (function() return select(2, 1, 2, 3) end)())
local function cap(n) local x = n local f = function() return x end if n == 0 then return f() end return cap(n - 1) end print(cap(1000))
local function rec(n) return n == 0 and 0 or 1 + rec(n - 1) end print(rec(10000))
print(select(2, pcall(function() return nofn() end)), select(2, pcall(function() return error("tail", 0) end)))
local function ack(m, n) if m == 0 then return n + 1 elseif n == 0 then return ack(m - 1, 1) else return ack(m - 1, ack(m, n - 1)) end end print(ack(2, 3))
local function many(n) if n > 0 then return many(n - 1) end local a, b, c, d, e = 1, 2, 3, 4, 5 return a + b + c + d + e end print(many(10))
local mt = setmetatable({}, { __call = function(_, n) if n == 0 then return "mt end" end return _(n - 1) end }) print(mt(100))
