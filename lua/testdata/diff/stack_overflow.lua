-- deep
print(pcall(function() local function inf(n) return 1 + inf(n + 1) end return inf(0) end) == false)
print((select(2, pcall(function() local function inf(n) return 1 + inf(n + 1) end return inf(0) end))):match("stack overflow"))
local function rec(n) return n == 0 and 0 or 1 + rec(n - 1) end print(rec(150000))
local ok, e = pcall(function() local function f() f() end f() end) print(ok, e:match("stack overflow"), pcall(error, "still fine", 0))
local co = coroutine.wrap(function() local function f(n) return n == 0 and 0 or 1 + f(n - 1) end return f(10000) end) print(co())
