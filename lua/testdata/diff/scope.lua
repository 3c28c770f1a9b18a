local x = 1
do local x = x + 1; print(x) do local x = x * 10 print(x) end print(x) end
print(x)
local x = x + 100
print(x)
local function f(x) x = x + 1 return x end
print(f(1), x)
local function g() return x end
x = 5
print(g())
for x = 1, 2 do io.write(x, " ") end print(x)
for _, x in ipairs { "a", "b" } do io.write(x, " ") end print(x)
if true then local x = "inner" end print(x)
repeat local done = true until done
print(done)
local a <const>, b <const> = 10, "str"
print(a + 1, b .. a, (function() return a, b end)())
local t <const> = {}
t.x = 1
print(t.x)
local function outer()
  local v = 1
  local function set(n) v = n end
  local function get() return v end
  return set, get
end
local s1, g1 = outer()
local s2, g2 = outer()
s1(10) s2(20)
print(g1(), g2())
local a; a = 1; local a; print(a)
local p, q, r = (function() return 1, 2 end)()
print(p, q, r)
local r1, r2 = 1
print(r1, r2)
