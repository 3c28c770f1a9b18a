-- __gc order, resurrection, weak tables and ephemerons at collectgarbage()
collectgarbage("stop") -- only the calls below collect
local log = {}
local function note(...) log[#log + 1] = table.concat({...}, ":") end
local function flush() print(table.concat(log, " ")) log = {} end
local function obj(n, f) return setmetatable({n = n}, {__gc = f or function(o) note("gc", o.n) end}) end
local held = {} for i = 1, 5 do held[i] = obj(i) end held = nil collectgarbage() flush()
do local a, b = obj("a"), obj("b") a.b, b.a = b, a end collectgarbage() flush()
-- a finalizer sees the objects of its own
do local inner = {1, 2} obj("outer", function(o) note(o.n, #o.inner) end).inner = inner end collectgarbage() flush()
-- resurrection: once, and again if registered again
local back
do obj("z", function(o) back = o note("back", o.n) end) end collectgarbage() flush() print(back.n)
back = nil collectgarbage() flush()
local count, mt = 0 mt = {__gc = function(o) count = count + 1 if count < 3 then setmetatable(o, mt) end end}
do setmetatable({}, mt) end for i = 1, 5 do collectgarbage() end print(count)
-- __gc set after setmetatable does not count, a placeholder does
do local m = {} local o = setmetatable({}, m) m.__gc = function() note("late") end end collectgarbage() flush()
do local m = {__gc = true} local o = setmetatable({}, m) m.__gc = function() note("placeholder") end end collectgarbage() flush()
-- errors do not matter
do obj("e1", function() error("x") end) obj("e2") obj("e3", function() error({}) end) end collectgarbage() flush()
-- weak values go before __gc, weak keys after
local wv, wk = setmetatable({}, {__mode = "v"}), setmetatable({}, {__mode = "k"})
do local o = obj("w", function(o) note(tostring(wv[1]), tostring(wk[o])) end) wv[1] = o wk[o] = "kept" end
collectgarbage() flush() collectgarbage() print(next(wk), next(wv))
-- ephemerons: a chain, a cycle, a key held by its value only
local e = setmetatable({}, {__mode = "k"})
local first = {} do local k = first for i = 1, 10 do local n = {i} e[k] = n k = n end end
collectgarbage() local n, k = 0, first while e[k] do k = e[k] n = n + 1 end print(n)
first, k = nil, nil collectgarbage() print(next(e))
do local a, b = {}, {} e[a] = b e[b] = a end collectgarbage() print(next(e))
-- both weak
local both = setmetatable({}, {__mode = "kv"}) local keep = {}
both[keep] = {} both[{}] = keep both[1] = keep both.x = {} both[2] = "s" collectgarbage()
local names = {} for k, v in pairs(both) do names[#names + 1] = type(k) .. type(v) end table.sort(names) print(table.concat(names, " "))
-- collectgarbage inside a finalizer does nothing
do obj("c", function() note("inside", select("#", collectgarbage()), tostring(collectgarbage("step"))) end) end collectgarbage() flush()
-- strings and numbers are never cleared
local s = setmetatable({}, {__mode = "kv"}) s["a" .. 1] = "b" .. 2 s[1.5] = 10 collectgarbage() print(s.a1, s[1.5])
-- coroutines
local co = coroutine.create(function() local o = obj("co") coroutine.yield() end) coroutine.resume(co) collectgarbage() flush() co = nil collectgarbage() flush()
-- traceback in a finalizer
do obj("t", function() note((debug.traceback("t", 1):gsub("%s*%[C%]: in %?", ""))) end) end collectgarbage() flush()
