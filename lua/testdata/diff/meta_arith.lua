local log = {}
local mt = {}
for _, op in ipairs { "add", "sub", "mul", "div", "mod", "pow", "idiv", "band", "bor", "bxor", "shl", "shr", "concat" } do
  mt["__" .. op] = function(a, b) return op .. ":" .. (type(a) == "table" and "T" or tostring(a)) .. ":" .. (type(b) == "table" and "T" or tostring(b)) end
end
mt.__unm = function(a, b) return "unm" .. tostring(rawequal(a, b)) end
mt.__bnot = function(a, b) return "bnot" .. tostring(rawequal(a, b)) end
mt.__len = function() return "len" end
local t = setmetatable({}, mt)
print(t + 1, 1 + t, t + t, t - 1, 1 - t, t * 2, 2 * t, t / 2, 2 / t, t % 2, 2 % t, t ^ 2, 2 ^ t, t // 2, 2 // t)
print(t & 1, 1 & t, t | 1, 1 | t, t ~ 1, 1 ~ t, t << 1, 1 << t, t >> 1, 1 >> t, -t, ~t, #t, t .. 1, 1 .. t, "s" + t, t + "s", 1.5 & t)
print(pcall(function() return {} + 1 end)) print(pcall(function() local x = {} return x - 1 end)) print(pcall(function() return 1 * nil end))
print(pcall(function() local a = {} return a.b + 1 end)) print(pcall(function() return gvar + 1 end)) print(pcall(function() return -{} end))
print(pcall(function() return #5 end)) print(pcall(function() local s = nil return #s end)) print(pcall(function() return 2 ^ {} end))
print(pcall(function() return {} & 1 end)) print(pcall(function() return 1.5 & 1 end)) print(pcall(function() return "x" & 1 end))
print(pcall(function() return "abc" + 1 end)) print(pcall(function() return {} .. "x" end)) print(pcall(function() local k = "5x" return k * 2 end))
print(pcall(function() return t + nil end), pcall(function() return nil + t end))
local n = setmetatable({}, { __add = function(a, b) return 1, 2, 3 end })
print(n + 1, (n + 1))
local und = setmetatable({}, { __index = function() return nil end }) print(pcall(function() return und + 1 end))
local bad = setmetatable({}, { __add = 5 }) print(pcall(function() return bad + 1 end))
local tab = setmetatable({}, { __add = setmetatable({}, { __call = function(self, a, b) return "called", b end }) }) print(tab + 7)
