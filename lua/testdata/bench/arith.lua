-- Integer and float arithmetic in loops.
local x, f = 0, 0.0
for i = 1, 6000000 do
  x = (x * 31 + i) % 1000003
  f = f * 0.5 + i
  if x > 500000 then x = x - 7 end
end
assert(x == 418397 or x >= 0)
assert(f > 0)
