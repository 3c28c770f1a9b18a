local a, b = "x", 5
print(a .. b, b .. a, a .. b .. a .. b, 1 .. 2, 1.5 .. "|" .. -0.0 .. "|" .. 1e100 .. "|" .. 2 ^ 63)
print(pcall(function() return a .. nil end))
print(pcall(function() return a .. {} .. b end))
print(pcall(function() local t = {} return t.x .. "a" end))
print(pcall(function() return a .. undefinedvar end))
print(pcall(function() return "a" .. true end))
local s = ""
for i = 1, 20 do s = s .. i .. "," end
print(s, #s)
print(("a"):rep(3) .. "b" .. ("c"):rep(2), "" .. "", "" .. "x")
print((1 .. "") + 1, "10" + "20", -"5", -"5.0", "0x10" * 2, " 5 " + 1)
local mt = { __concat = function(l, r)
  local function show(v) return type(v) == "table" and "T" or tostring(v) end
  return show(l) .. "+" .. show(r)
end }
local t = setmetatable({}, mt)
print(t .. "a", "a" .. t, 1 .. t, t .. t, "a" .. "b" .. t .. "c" .. "d", t .. 1 .. 2)
