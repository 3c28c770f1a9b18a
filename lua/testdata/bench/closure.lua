-- Creation and calls of closures.
local function adder(n)
  local sum = n
  return function(x) sum = sum + x return sum end
end
local total = 0
for i = 1, 600000 do
  local add = adder(i)
  add(1)
  total = total + add(2)
end
assert(total == 180002100000)
