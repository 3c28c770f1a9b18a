local function producer(list) return coroutine.wrap(function() for _, v in ipairs(list) do coroutine.yield(v) end end) end
local function filter(p, src) return coroutine.wrap(function() for v in src do if p(v) then coroutine.yield(v) end end end) end
local function map(f, src) return coroutine.wrap(function() for v in src do coroutine.yield(f(v)) end end) end
local function take(n, src) return coroutine.wrap(function() for i = 1, n do local v = src() if v == nil then return end coroutine.yield(v) end end) end
local function collect(src) local t = {} for v in src do t[#t + 1] = v end return table.concat(t, " ") end
print(collect(take(3, map(function(x) return x * x end, filter(function(x) return x % 2 == 1 end, producer { 1, 2, 3, 4, 5, 6, 7, 8, 9 })))))
local function naturals() local n = 0 return function() n = n + 1 return n end end
print(collect(take(5, filter(function(n) for i = 2, n - 1 do if n % i == 0 then return false end end return n > 1 end, naturals()))))
local function tree(t) if t then tree(t.l) coroutine.yield(t.v) tree(t.r) end end
local function insert(t, v) if not t then return { v = v } end if v < t.v then t.l = insert(t.l, v) else t.r = insert(t.r, v) end return t end
local root for _, v in ipairs { 5, 2, 8, 1, 9, 3 } do root = insert(root, v) end print(collect(coroutine.wrap(function() tree(root) end)))
