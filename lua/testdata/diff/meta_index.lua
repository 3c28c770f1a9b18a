local log = {}
local t = setmetatable({ a = 1 }, { __index = function(t, k) log[#log + 1] = k return k .. "!" end })
print(t.a, t.b, t["c"], rawget(t, "b"), table.concat(log, ","))
local base = { x = "base" }
local mid = setmetatable({}, { __index = base })
local top = setmetatable({}, { __index = mid })
print(top.x, top.y) base.y = "late" print(top.y) mid.x = "mid" print(top.x)
print(pcall(function() local l = {} setmetatable(l, { __index = l }) return l.z end))
local w = {}
local p = setmetatable({}, { __newindex = function(t, k, v) rawset(t, k, v * 2) w[#w + 1] = k end })
p.a = 1 p.a = 5 p[1] = 2 p[1] = 3 print(p.a, p[1], #w)
local store = {}
local q = setmetatable({}, { __newindex = store, __index = store })
q.v = 1 print(rawget(q, "v"), store.v, q.v)
local ro = setmetatable({}, { __newindex = function() error("read only", 2) end })
print(pcall(function() ro.x = 1 end))
print(pcall(function() local n n.x = 1 end)) print(pcall(function() local n = 5 n.x = 1 end)) print(pcall(function() return (5).x end))
print(pcall(function() return ("x").y.z end)) print(pcall(function() return t.b.c.d.e end))
print(getmetatable("abc").__index == string, ("abc").len, ("x").foo)
print(pcall(setmetatable, 1, {})) print(pcall(setmetatable, {}, 1)) print(pcall(setmetatable, {}))
local locked = setmetatable({}, { __metatable = "locked" })
print(getmetatable(locked), pcall(setmetatable, locked, {}))
local cnt = 0
local auto = setmetatable({}, { __index = function(t, k) cnt = cnt + 1 local v = k * k rawset(t, k, v) return v end })
print(auto[3], auto[3], auto[4], cnt)
print(rawequal(t, t), rawlen({ 1, 2 }), rawlen("abc"), pcall(rawlen, 5))
local deflt = setmetatable({}, { __index = function() return 0 end })
deflt.x = deflt.x + 1 deflt.x = deflt.x + 1 print(deflt.x)
