local function counter()
  local n = 0
  return function() n = n + 1 return n end
end
local c1, c2 = counter(), counter()
print(c1(), c1(), c2(), c1())
local fs = {}
for i = 1, 5 do fs[i] = function() i = i + 1 return i end end
print(fs[1](), fs[1](), fs[2](), fs[5]())
local gs = {}
local j = 0
while j < 3 do j = j + 1 local k = j gs[j] = function() k = k + 10 return k, j end end
print(gs[1](), gs[1](), gs[3]())
local hs = {}
repeat local v = j hs[#hs + 1] = function() return v end j = j - 1 until v == 1
print(hs[1](), hs[2](), hs[3]())
local ks = {}
for k, v in pairs { 10, 20, 30 } do ks[k] = function() v = v + 1 return k, v end end
print(ks[1](), ks[1](), ks[3]())
local function compose(...)
  local fns = { ... }
  return function(x) for i = #fns, 1, -1 do x = fns[i](x) end return x end
end
print(compose(function(x) return x + 1 end, function(x) return x * 2 end)(5))
local function Y(f) return (function(x) return x(x) end)(function(x) return f(function(...) return x(x)(...) end) end) end
print(Y(function(self) return function(n) return n <= 1 and 1 or n * self(n - 1) end end)(10))
local function a1() local x = 1 local function b1() local function c1() x = x + 1 return x end return c1 end return b1()(), x end
print(a1())
do
  local shared = 0
  local inc, get = function() shared = shared + 1 end, function() return shared end
  inc() inc() shared = shared * 10
  print(get(), shared)
end
local function param(p) local function up() p = p * 2 return p end return up end
local u = param(3) print(u(), u())
