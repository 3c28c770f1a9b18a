-- Arrays of numbers and booleans, and what happens when other values come.
local function show(name, t, n)
  local out = {}
  for i = 1, n or #t do out[i] = math.type(t[i]) and (math.type(t[i]) .. " " .. t[i]) or tostring(t[i]) end
  print(name, n or #t, table.concat(out, ","))
end

local t = {1, 2.5, true, false, -0.0, math.maxinteger, 1 / 0}
show("literal", t)
t[3] = 7
t[4] = nil
show("hole", t, 7)
t[7] = nil
t[6] = nil
t[5] = nil
show("shrunk", t, #t)
t[2] = "text"
show("object", t, 3)
t[2] = 2
show("number again", t, 3)

local a = {}
for i = 1, 100 do a[#a + 1] = i % 3 == 0 and i * 0.5 or i % 5 == 0 or i end
show("append", a)
a[50] = {}
print(type(a[50]), #a, a[49], a[51], a[100])
for i = 100, 1, -1 do a[i] = nil end
print(#a, next(a))
a[1] = print
print(a[1] == print, #a)

local from2 = {}
for i = 2, 40 do from2[i] = i % 2 == 0 end
print(from2[1], from2[2], from2[3], from2[40], from2[41])
from2[1] = 0
print(#from2)
from2[20] = "x"
print(#from2, from2[19], from2[20], from2[21])

local s = {}
for i = 1, 200 do s[i] = (i * 7919) % 211 end
table.sort(s)
local ordered = true
for i = 2, #s do ordered = ordered and s[i - 1] <= s[i] end
print(ordered, s[1], s[200])
table.insert(s, 1, -1)
table.insert(s, "end")
print(#s, s[1], s[2], s[202], table.remove(s), table.remove(s, 1), #s)
show("move", table.move({1, 2, 3}, 1, 3, 2))
show("move objects", table.move({"a", {}, "c"}, 1, 1, 2, {1, 2, 3}))
print(table.unpack({1, true, 2.0, nil, 5}, 1, 5))
print(table.concat({1, 2.5, 3}, "-"))
print(select("#", table.unpack({nil, nil, 3})), #table.pack(1, nil, 3) >= 1)

local seen = {}
for k, v in pairs({1, 2, nil, true, 5, x = 1}) do seen[#seen + 1] = tostring(k) .. "=" .. tostring(v) end
table.sort(seen)
print(table.concat(seen, " "))
for k in pairs(s) do s[k] = nil end
print(next(s), #s)

local mixed = setmetatable({}, {__index = function(_, k) return k end, __newindex = function(t, k, v) rawset(t, k, v) end})
for i = 1, 10 do mixed[i] = i / 2 end
mixed[4] = nil
print(mixed[4], mixed[10], mixed[11], #mixed)
local weak = setmetatable({1, 2, 3}, {__mode = "v"})
weak[4] = {}
collectgarbage()
print(#weak, weak[3], weak[4])
local nan = {0 / 0}
print(nan[1] ~= nan[1], rawequal(nan[1], nan[1]))
local zero = {-0.0}
print(1 / zero[1])
local boxed = {}
for i = 1, 9 do boxed[i] = i end
for i = 1, 9 do boxed[i] = boxed[i] .. "" end
print(table.concat(boxed, " "))
local bool = {}
for i = 1, 20 do bool[i] = i % 2 == 0 end
for i = 1, 20 do if bool[i] then bool[i] = nil end end
print(bool[1], bool[2], bool[19], bool[20])
