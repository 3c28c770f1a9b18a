-- Growth of arrays and of tables with string keys and sparse integer keys.
local total = 0
for round = 1, 20 do
  local list = {}
  for i = 1, 60000 do list[#list + 1] = i end
  local objects = {}
  for i = 1, 5000 do objects[i] = {id = i, round = round} end
  local set = {}
  for i = 1, 12000 do set["key" .. i] = i end
  local sparse = {}
  for i = 1, 12000 do sparse[i * 1000] = true end
  total = total + #list + #objects + set.key12000
end
assert(total == 20 * (60000 + 5000 + 12000))
