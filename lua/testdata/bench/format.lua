-- string.format and conversions between strings and numbers.
local n, format = 0, string.format
for i = 1, 150000 do
  n = n + #format("%d %s %5.2f", i, "name", i / 7)
  n = n + #format("%-10s|%05d|%x", "left", i, i)
  n = n + #format("%q", "a\nb") + #tostring(i) + #tostring(i / 3)
  n = n + tonumber(format("%d", i)) + tonumber("0x10") + tonumber("12.5")
end
assert(n > 0)
