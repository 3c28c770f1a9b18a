local function f(...) return select("#", ...), ... end
print(f()) print(f(nil)) print(f(nil, nil)) print(f(1, nil, 3))
local function g(...) local a, b = ... return a, b, ... end
print(g(1)) print(g(1, 2, 3)) print((g(1, 2)))
local function h(a, ...) local t = { ..., "end" } return #t, t[1], a, ... end
print(h(1, 2, 3), h(1, 2, 3))
local function k(...) local t = { "x", ... } return #t, table.unpack(t) end
print(k(1, 2, 3))
print(select(2, "a", "b", "c"), select(-1, "a", "b", "c"), select("#"), (select(2, "a", "b", "c")))
print(pcall(select, 0, 1)) print(pcall(select, -5, 1)) print(select(5, 1))
local function tail(n, ...) if n == 0 then return ... end return tail(n - 1, n, ...) end
print(tail(5))
local function count(...) return #{ ... } end
print(count(table.unpack({}, 1, 100)), count(1, 2), count())
print((function(...) local function inner(...) return ... end return inner(...), inner(...) end)(1, 2))
local function swap(a, b) return b, a end
print(swap(swap(1, 2)))
print(table.pack(f(1, nil)).n, #table.pack(1, 2, 3), table.unpack({ 1, 2, 3 }, 2), table.unpack({ 1, 2, 3 }, 2, 3))
local big = {}
for i = 1, 150 do big[i] = i end
print(select("#", table.unpack(big)), (select(150, table.unpack(big))), math.max(table.unpack(big)))
