-- Calls of functions of the host.
local abs, type, select = math.abs, type, select
local n = 0
for i = 1, 2000000 do
  n = n + abs(-i)
  if type(n) == "number" then n = n + select("#", i, n) end
end
assert(n > 0)
