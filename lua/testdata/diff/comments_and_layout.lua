local a = 1; ; ; local b = 2
--[==[ long
comment ]==] print(a + b) --[[x]] print("after")
local f = function(...) return ... end
print(f
(1, 2))
local t = { 1, 2; 3, x = 1; y = 2, }
print(#t, t.x, t.y) print(f{ 1 }[1] == 1 and "ok", f"str", f[[long]], #f{ f{}, f{} }, type(f{}))
do end do ; end while false do end for _ = 1, 0 do end if nil then end repeat until true
local s <const>, c <close> = "attr", nil print(s)
goto done
do print("skipped") end
::done:: print("done")
local function nested() return function() return function() return "n" end end end print(nested()()())
print(("x"):rep(2), #"abc" == 3, - -1, not not true, 2^-1, a == nil and 1 or 2 == 2)
