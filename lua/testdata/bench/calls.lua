-- Calls with several arguments and results, varargs, tail calls, upvalues.
local count = 0
local function pair(a, b) return b, a end
local function sum(...)
  local a, b, c = ...
  count = count + select("#", ...)
  return a + b + (c or 0)
end
local function down(n, acc) if n == 0 then return acc end return down(n - 1, acc + n) end
local total = 0
for i = 1, 1000000 do
  local x, y = pair(i, 1)
  total = total + x + y
end
for i = 1, 500000 do total = total + sum(i, 1) + sum(i, 2, 3) end
for _ = 1, 200 do total = total + down(5000, 0) end
assert(count == 2500000 and total > 0)
