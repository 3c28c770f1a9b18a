-- table functions on lists with metamethods: order of accesses, results, errors
local log
local function proxy(t)
  return setmetatable({}, {
    __len = function() log[#log + 1] = "#" return #t end,
    __index = function(_, k) log[#log + 1] = "r" .. k return t[k] end,
    __newindex = function(_, k, v) log[#log + 1] = "w" .. k .. "=" .. tostring(v) t[k] = v end,
  })
end
local function show(name, f, t, ...)
  log = {}
  local r = table.pack(pcall(f, proxy(t), ...))
  for i = 1, r.n do r[i] = tostring(r[i]):gsub("0x%x+", "ADDR") end
  print(name, table.concat(r, " ", 1, r.n), table.concat(log, " "), #t, t[1] == nil or type(t[1]), select("#", pcall(table.concat, t)), pcall(table.concat, t, ",") and #t < 20 and type(t[2]) ~= "table" and table.concat(t, ","))
end
show("insert", table.insert, {1, 2, 3}, 9)
show("insert 1", table.insert, {1, 2, 3}, 1, 9)
show("insert bad", table.insert, {1, 2, 3}, 7, 9)
show("insert few", table.insert, {1, 2, 3})
show("remove", table.remove, {1, 2, 3})
show("remove 1", table.remove, {1, 2, 3}, 1)
show("remove 4", table.remove, {1, 2, 3}, 4)
show("remove 9", table.remove, {1, 2, 3}, 9)
show("remove empty", table.remove, {})
show("concat", table.concat, {1, "b", 3.5}, "-")
show("concat range", table.concat, {1, "b", 3.5}, "-", 2, 3)
show("concat bad", table.concat, {1, {}, 3})
show("unpack", table.unpack, {1, 2, 3})
show("unpack range", table.unpack, {1, 2, 3}, 2, 4)
show("unpack empty", table.unpack, {1, 2, 3}, 3, 2)
show("move", table.move, {1, 2, 3}, 1, 3, 2)
show("move down", table.move, {1, 2, 3}, 2, 3, 1)
for n = 0, 12 do
  local t = {}
  for i = 1, n do t[i] = (i * 7) % 11 end
  show("sort", table.sort, t)
  for i = 1, n do t[i] = (i * 5) % 13 end
  show("sort >", table.sort, t, function(a, b) log[#log + 1] = a .. "?" .. b return a > b end)
end
local src = setmetatable({}, {__index = function(_, k) return k * k end})
print(table.unpack(table.move(src, 1, 5, 1, {})))
print(pcall(table.move, 1, 2, 3, 4)) print(pcall(table.sort, 1)) print(pcall(table.insert, "x", 1)) print(pcall(table.unpack))
local bad = setmetatable({}, {__len = function() return "x" end})
print(pcall(table.insert, bad, 1)) print(pcall(table.remove, bad)) print(pcall(table.concat, bad)) print(pcall(table.sort, bad)) print(pcall(table.unpack, bad))
local failing = setmetatable({}, {__len = function() error("no length", 0) end, __index = function(_, k) error("no " .. k, 0) end})
print(pcall(table.insert, failing, 1)) print(pcall(table.unpack, failing, 1, 2)) print(pcall(table.concat, failing, "", 1, 1))
local huge = setmetatable({}, {__len = function() return math.maxinteger end})
print(pcall(table.insert, huge, 1)) print(pcall(table.sort, huge)) print(pcall(table.unpack, huge))
local v = setmetatable({}, {__lt = function(a, b) return a.n < b.n end})
local mt = getmetatable(v) local list = {}
for i, n in ipairs {5, 3, 9, 1, 7, 7, 2} do list[i] = setmetatable({n = n}, mt) end
table.sort(list) for i, o in ipairs(list) do io.write(o.n, " ") end print(math.max(list[3], list[1]).n, math.min(table.unpack(list)).n)
print(pcall(table.sort, {setmetatable({}, mt), 1})) print(pcall(table.sort, {1, "x"})) print(pcall(math.max, 1, {}))
print(("a b c"):gsub("%w", setmetatable({}, {__index = function(t, k) if k == "b" then return false end return k .. k end})))
print(pcall(string.gsub, "abc", "b", setmetatable({}, {__index = function() return {} end})))
print(pcall(string.gsub, "abc", "b", setmetatable({}, {__index = function() error("in index", 0) end})))
print(("abc"):gsub("b", setmetatable({}, {__index = setmetatable({}, {__index = {b = "B"}})})))
print(coroutine.wrap(function() return pcall(table.concat, setmetatable({}, {__index = function() return coroutine.isyieldable() and "y" or "n" end, __len = function() return 2 end})) end)())
