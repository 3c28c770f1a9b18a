local a, b = 1, 2
local c = a + b * 3 - 4
c = c + 1
a, b = b, a
local t = {1, 2, 3, x = a, ["y z"] = b, [10] = c}
t.x.y = t[1] + t["x"]
t[a] = -c
print(t, #t, not a, ~b)
local s = "a" .. b .. c .. "d"
x = y
x.y:z(1, 2).w = s
local function f(...) return ... end
return f(t, f())
