-- Allocation of small tables: binary trees.
local function tree(depth)
  if depth == 0 then return {} end
  return {left = tree(depth - 1), right = tree(depth - 1)}
end
local function check(t) return t.left and 1 + check(t.left) + check(t.right) or 1 end
local long, total = tree(14), 0
for _ = 1, 40 do total = total + check(tree(12)) end
local points = 0
for i = 1, 1000000 do
  local p = {x = i, y = 2}
  points = points + p.x - p.y
end
assert(check(long) == 32767 and total == 40 * 8191)
