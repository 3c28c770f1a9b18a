print(1 == 1.0, "1" == 1, 1 < 1.5, 2 ^ 53 == 2 ^ 53 + 1, math.maxinteger < math.huge, math.mininteger <= -2 ^ 63)
print("a" < "b", "a" < "A", "" < "a", "a\0b" < "a\0c", "a\0" > "a", "abc" <= "abc", "Z" < "a")
print(math.maxinteger + 0.0 == math.maxinteger, math.maxinteger + 0.0 > math.maxinteger, 9007199254740993 < 9007199254740992.0)
local ops = {
  lt = function(a, b) return a < b end, le = function(a, b) return a <= b end,
  gt = function(a, b) return a > b end, ge = function(a, b) return a >= b end,
}
for _, name in ipairs { "lt", "le", "gt", "ge" } do
  for _, pair in ipairs { { 1, 2 }, { 2, 1 }, { 1, 1.0 }, { "1", 2 }, { {}, {} }, { 1, "x" }, { "x", 1 }, { true, false }, { print, print } } do
    print(name, pcall(ops[name], pair[1], pair[2]))
  end
  print(name, pcall(ops[name], nil, 1), pcall(ops[name], 1, nil))
end
local x = 5
print(x < 6, x <= 5, x > 5, x >= 6, 5 < x, 5 <= x, 5 > x, 5 >= x, x == 5, x ~= 5, 5 == x)
print(pcall(function(v) return v < 1 end, "a"), pcall(function(v) return 1 < v end, "a"))
print(pcall(function(v) return v > 1 end, {}), pcall(function(v) return 1 >= v end, {}))
local t = {}
print(t == t, t == {}, t ~= {}, print == print, "x" == "x", nil == false, x == nil, t.x == nil, nil == t.x)
print(1 < 2 == true, "abc" ~= "abd", not nil == true, not (1 == 2))
