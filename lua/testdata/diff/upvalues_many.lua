local a1, a2, a3, a4, a5, a6, a7, a8, a9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
local function f() local function g() local function h() a1, a9 = a9, a1 return a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 end return h end return g() end
local h = f() print(h(), a1, a9, h(), a1, a9)
local fs = {} for i = 1, 3 do local a, b, c = i, i * 2, i * 3 fs[i] = { get = function() return a, b, c end, set = function(x) a, b, c = x, a, b end } end fs[1].set(100) fs[2].set(200) print(fs[1].get()) print(fs[2].get()) print(fs[3].get())
local function mk(...) local n = select("#", ...) local first = ... return function() n = n + 1 return n, first end end print(mk("a", "b")(), mk()())
do local x = 1 local function set(v) x = v end do local y = x set(5) y = y + x print(x, y) end set(x + 1) print(x) end
local function chain(n) if n == 0 then return function() return 0 end end local inner = chain(n - 1) return function() return n + inner() end end print(chain(20)())
local cnt = 0 local function visit(t) for _, v in ipairs(t) do if type(v) == "table" then visit(v) else cnt = cnt + v end end end visit { 1, { 2, { 3, 4 } }, 5 } print(cnt)
local function evil() local x = 0 local function inc() x = x + 1 return x end return x + inc() + x, inc() + x, x end print(evil())
local p = 1 local function order() p = p + 1 return p end print(p, order(), p, order() + p, p + order()) local t = { p, order(), p } print(t[1], t[2], t[3])
local s = "outer" local function shadow(s) return function() return s end end print(shadow("inner")(), s) for i = 1, 2 do local s = s .. i print((function() return s end)()) end
local w = 0 while w < 3 do local z = w w = w + 1 fs[w] = function() z = z + w return z end end print(fs[1](), fs[2](), fs[3](), fs[1]())
