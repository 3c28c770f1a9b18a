local a, b, c = 1, 2, 3
a, b, c = c, a, b
print(a, b, c)
local t = { 1, 2, 3 }
local i = 1
i, t[i] = i + 1, 20
print(i, t[1], t[2])
i = 1
t[i], i = 30, 2
print(i, t[1], t[2])
t[i], t[i + 1], i = i, i + 1, 9
print(t[1], t[2], t[3], i)
a, b = 1
print(a, b)
a, b = 1, 2, 3
print(a, b)
a, b, c = (function() return 7, 8, 9 end)()
print(a, b, c)
a, b, c = 0, (function() return 7, 8, 9 end)()
print(a, b, c)
a, b, c = (function() return 7, 8, 9 end)(), 0
print(a, b, c)
local log = setmetatable({}, { __newindex = function(_, k, v) io.write(k, "=", tostring(v), " ") end })
log.a, log.b, log.c = 1, 2, 3
print()
do local a = { x = 1 } a, a.x = { x = 2 }, 3 print(a.x) end
do local a = { x = 1 } local old = a a.x, a = 5, nil print(a, old.x) end
x, y = 10, 20 x, y = y, x print(x, y)
local function f() t[1] = "changed" return 1 end
t[1], t[2] = t[1], f()
print(t[1], t[2])
local up = 1
local function swap() up, a = a, up return up, a end
a = 2
print(swap())
do local k = "x" local q = {} q[k], k = 1, "y" print(q.x, q.y, k) end
do local q, r = {}, {} q.r, q = q, r print(q == r, q.r) end
local s = "s" s, s = 1, 2 print(s)
_ENV.z1, z2 = 1, 2 print(z1, z2)
