-- Reading and writing elements of arrays: matrix product and prefix sums.
local n = 140
local function matrix(f)
  local m = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do row[j] = f(i, j) end
    m[i] = row
  end
  return m
end
local a, b = matrix(function(i, j) return i + j end), matrix(function(i, j) return i - j + 0.5 end)
local c = matrix(function() return 0 end)
for i = 1, n do
  local ai, ci = a[i], c[i]
  for j = 1, n do
    local sum = 0
    for k = 1, n do sum = sum + ai[k] * b[k][j] end
    ci[j] = sum
  end
end
local t = {}
for i = 1, 1000 do t[i] = i end
for _ = 1, 4000 do
  for i = 2, 1000 do t[i] = (t[i - 1] + t[i]) % 1000 end
end
assert(c[1][1] > 0 and t[1000] >= 0)
