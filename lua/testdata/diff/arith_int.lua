print(7 // 2, -7 // 2, 7 // -2, -7 // -2, 7 % 3, -7 % 3, 7 % -3, -7 % -3)
print(math.maxinteger + 1 == math.mininteger, math.mininteger // -1, math.mininteger % -1)
print(math.maxinteger * 2, math.mininteger - 1, -math.mininteger)
print(1 + 2 * 3 - 4, (1 + 2) * 3, 2 ^ 10, 7 / 2, 10 / 5, 3 | 4, 6 & 3, 5 ~ 1)
for _, d in ipairs { 1, 2, 3, -1, -2, -3, 10, math.mininteger, math.maxinteger } do
  for _, n in ipairs { 0, 1, -1, 5, -5, math.maxinteger, math.mininteger } do
    print(n, d, n // d, n % d, n * d, n - d, n + d)
  end
end
print(pcall(function() local z = 0 return 1 // z end))
print(pcall(function() local z = 0 return 1 % z end))
local a = 5
a = a + 1; a = a * a; a = a - 7; a = a // 4; a = a % 5
print(a)
print(0x7fffffffffffffff, 0xffffffffffffffff, 0x10000000000000000, 1e15, 123456789012345678901234567890)
