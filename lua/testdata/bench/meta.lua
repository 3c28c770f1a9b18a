-- Metamethods: operators on vectors, __index functions, __newindex, __call.
local V = {}
V.__index = V
V.__add = function(a, b) return setmetatable({x = a.x + b.x, y = a.y + b.y}, V) end
V.__eq = function(a, b) return a.x == b.x and a.y == b.y end
V.__lt = function(a, b) return a.x < b.x end
local function vec(x, y) return setmetatable({x = x, y = y}, V) end
local acc, one, n = vec(0, 0), vec(1, 2), 0
for i = 1, 300000 do
  acc = acc + one
  if acc == one or one < acc then n = n + 1 end
end
local proxy = setmetatable({}, {__index = function(_, k) return k * 2 end, __call = function(_, a) return a end})
local log = setmetatable({}, {__newindex = function(t, k, v) n = n + 1 end})
for i = 1, 500000 do
  n = n + proxy[i] % 2 + proxy(0)
  log.x = i
end
assert(acc.x == 300000 and n == 300000 + 500000)
