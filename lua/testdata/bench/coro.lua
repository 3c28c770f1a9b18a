-- Resume and yield.
local co = coroutine.wrap(function(x)
  while true do x = coroutine.yield(x + 1) end
end)
local x = 0
for _ = 1, 800000 do x = co(x) end
assert(x == 800000)
local made = 0
for i = 1, 30000 do
  local gen = coroutine.wrap(function() for j = 1, 3 do coroutine.yield(j) end end)
  made = made + gen() + gen()
end
assert(made == 90000)
