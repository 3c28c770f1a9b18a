local mt = { __lt = function(a, b) return a.v < b.v end, __le = function(a, b) return a.v <= b.v end, __eq = function(a, b) return a.v == b.v end }
local function new(v) return setmetatable({ v = v }, mt) end
local a, b, c = new(1), new(2), new(1)
print(a < b, a > b, a <= c, a >= b, a == c, a ~= c, a == b, a == 1, 1 == a)
if a == c then print("eq") end if a ~= c then print("ne") else print("not ne") end if not (a < b) then print("x") elseif a <= b then print("le") end
while a < b do a.v = a.v + 1 end print(a.v)
print(pcall(function() return a < 1 end)) print(pcall(function() return 1 < a end))
local trueish = setmetatable({}, { __eq = function() return 1 end, __lt = function() return nil end })
print(trueish == setmetatable({}, {}), trueish < {}, trueish ~= {})
local other = setmetatable({}, { __eq = function() return true end })
print(other == {}, {} == other, other == 1, other == "x", other ~= {})
print(pcall(function() return {} < {} end)) print(pcall(function() return {} < 1 end)) print(pcall(function() return nil < 1 end)) print(pcall(function() return "a" < 1 end)) print(pcall(function() return print < print end))
local cmp = setmetatable({}, { __lt = function(x, y) return type(x) .. type(y) end, __le = function() error("le!", 0) end })
print(cmp < 1, 1 < cmp, cmp > 1, 1 > cmp, pcall(function() return cmp <= 1 end), cmp < "x", "x" > cmp)
local t = { new(3), new(1), new(2) } table.sort(t) print(t[1].v, t[2].v, t[3].v)
table.sort(t, function(x, y) return x > y end) print(t[1].v, t[2].v, t[3].v)
