for k, v in pairs({ 10 }) do print(k, v) end
for i, v in ipairs { "a", "b", nil, "d" } do io.write(i, v, " ") end print()
local function range(n) local i = 0 return function() i = i + 1 if i <= n then return i, i * i end end end
for a, b, c in range(3) do print(a, b, c) end
for a in range(0) do print("never") end
local function iter(s, c) if c < s then return c + 1 end end
for i in iter, 3, 0 do io.write(i, " ") end print()
local log = {}
do
  local closer = setmetatable({}, { __close = function(_, e) log[#log + 1] = "closed:" .. tostring(e) end })
  for i in iter, 3, 0, closer do log[#log + 1] = i end
  for i in iter, 3, 0, closer do log[#log + 1] = i if i == 2 then break end end
  pcall(function() for i in iter, 3, 0, closer do error("boom", 0) end end)
  print((function() for i in iter, 3, 0, closer do return "ret" .. i end end)())
  for i in iter, 2, 0, closer do for j in iter, 2, 0, closer do if j == 2 then goto out end end end
  ::out::
end
print(table.concat(log, " "))
print(pcall(function() for x in nil do end end))
print(pcall(function() for x in 5 do end end))
print(pcall(function() local t = {} for x in t.y do end end))
print(pcall(function() for x in iter, 3, 0, {} do end end))
local obj = setmetatable({}, { __call = function(self, s, c) c = (c or 0) + 1 if c <= 3 then return c end end })
for i in obj do io.write(i, " ") end print()
for w in string.gmatch("one two three", "%a+") do io.write(w, ".") end print()
local t = {} for i = 1, 5 do t[i] = i end
for k in pairs(t) do t[k] = nil end print(next(t))
for k, v in next, { 7, 8 } do io.write(k, v, " ") end print()
for i, v in ipairs(setmetatable({}, { __index = function(_, i) if i <= 3 then return i * 2 end end })) do io.write(i, ":", v, " ") end print()
for k, v in pairs(setmetatable({}, { __pairs = function() return function(_, k) if not k then return 1, "pp" end end, nil, nil end })) do print(k, v) end
