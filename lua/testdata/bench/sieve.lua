-- Primes by a table of booleans that starts at index 2.
local n, total = 800000, 0
for _ = 1, 3 do
  local composite = {}
  for i = 2, n do composite[i] = false end
  local count = 0
  for i = 2, n do
    if not composite[i] then
      count = count + 1
      for j = i * i, n, i do composite[j] = true end
    end
  end
  total = count
end
assert(total == 63951)
