local i = 0
while i < 3 do i = i + 1 if i == 2 then goto cont end io.write(i, " ") ::cont:: end print()
repeat local k = i i = i - 1 until k <= 1 print(i)
repeat local k = i; local f = function() return k end i = i + 1 until f() >= 3 print(i)
local fs = {}
repeat local n = #fs fs[n + 1] = function() n = n + 1 return n end until n >= 2
print(fs[1](), fs[1](), fs[2](), fs[3]())
while true do break end
while false do print("never") end
repeat break until false
local n = 10
while n > 0 do n = n - 1 if n % 2 == 0 then if n == 4 then break end else io.write(n, " ") end end print(n)
repeat if n then n = nil end until not n print(n)
local function f(n) while true do if n > 100 then return n end n = n * 2 end end print(f(3))
local x = 0 repeat local stop = x > 4 x = x + 1 until stop or x > 10 print(x)
while i > 0 do local j = i while j > 0 do j = j - 1 if j == 1 then goto next end end ::next:: i = i - 1 end print(i)
repeat local a = 1 do local b = a + 1 if b then break end end until true
while (function() i = i + 1 return i < 3 end)() do end print(i)
