local a <const> = 5
local b <const> = a * 2 + 1
local s <const> = "str"
local n <const> = nil
local t <const> = true
local f <const> = -1.5
print(a, b, s, n, t, f, a + b, s .. a, not t, n == nil, -f)
local function use() return a, b, s, n, t, f, function() return a .. s end end
print(use()) print(select(7, use())())
if t then print("t") end if n then print("n") else print("not n") end
print(t and a or b, n or a, n and a, a == 5, a < b, b > 10, f < 0)
local tab = { [a] = s, [s] = a }
print(tab[5], tab.str, tab[a], tab[s], #s)
for i = a, b, a do io.write(i, " ") end print()
print(2 ^ 2 + 1, 7 // 2, 7 % 3, 7 / 2, 1 << 4, 3 & 1, 3 | 4, 3 ~ 1, ~3, -(-3), 1 / 0, 0 / 0 ~= 0 / 0, 3 % -2, -3 // 2)
print(0.0, -0.0, 0 * -1, 0.0 * -1, 1 // 0.0, 5 % 0.0 ~= 5 % 0.0, "a" .. 1 .. 2.0)
print(pcall(function() return 5 // 0 end), pcall(function() return 5 % 0 end))
