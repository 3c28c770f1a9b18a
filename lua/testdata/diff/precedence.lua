print(2 + 3 * 4 ^ 2 / 2, 2 ^ 3 ^ 2, -2 ^ 2, not 1 == 2, 1 .. 2 .. 3, 2 * 3 % 4, -3 % 5, - -3)
print(1 or 2 and 3, nil and 1 or 2, false or nil, 1 and 2 or 3, nil or false, false and error("x"))
print(1 + 1 == 2 and "yes" or "no", not not nil, #"abc" + 1, -#"abc", ~1 + 1, 1 << 2 << 3, "a" .. "b" == "ab")
print(1 < 2 and 2 < 3, 5 - 3 - 1, 2 / 2 / 2, 7 // 2 * 2, 1 | 2 ~ 3 & 4, 3 & 2 == 2 and 1 or 0)
print(2 ^ -2, 2 ^ - - 2, -2 ^ -2, not nil and 1, (2 + 3) * 4, ((1)))
local function f() return 1, 2, 3 end
print((f()), f(), (f()))
print(({ f(), f() })[4], #{ f(), f(), (f()) }, ({ (f()) })[2])
