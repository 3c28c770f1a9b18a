local fs = {}
do local i = 1 ::top:: local j = i fs[#fs + 1] = function() j = j + 1 return j, i end i = i + 1 if i <= 3 then goto top end end
for _, f in ipairs(fs) do print(f()) end print(fs[1]())
fs = {} for i = 1, 3 do local x = i * 10 if i == 2 then goto continue end do local y = x + 1 fs[#fs + 1] = function() x, y = x + 1, y + 1 return x, y end if i == 3 then goto continue end fs[#fs + 1] = function() return y end end ::continue:: end for _, f in ipairs(fs) do print(f()) end print(fs[2]())
local k = 0 fs = {} while true do local a = k k = k + 1 local function get() return a end if k > 3 then break end fs[k] = get if k == 2 then goto next end a = a + 100 ::next:: end print(fs[1](), fs[2](), fs[3]())
fs = {} for i, v in ipairs { "a", "b", "c" } do for j = 1, 2 do if j == 2 and i == 2 then goto out end fs[#fs + 1] = function() return i, v, j end end end ::out:: for _, f in ipairs(fs) do io.write(table.concat({ f() }, ","), " ") end print()
local function mk() local r = {} for i = 1, 2 do local c = 0 r[i] = { inc = function() c = c + i return c end, get = function() return c end } end return r end local m = mk() m[1].inc() m[1].inc() m[2].inc() print(m[1].get(), m[2].get())
fs = {} repeat local u = #fs + 1 fs[u] = function() return u end if u == 2 then goto done end until u >= 5 ::done:: print(#fs, fs[1](), fs[2]())
