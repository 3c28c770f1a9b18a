debug.getinfo(1, "S").what, debug.getinfo(1, "S").short_src, debug.getinfo(1, "l").currentline, debug.getinfo(print).what, debug.getinfo(print, "S").short_src
local function f(a, b, ...) end local i = debug.getinfo(f) return i.nparams, i.isvararg, i.nups, i.linedefined, i.lastlinedefined, i.what, i.func == f, i.source, i.currentline, i.istailcall, i.namewhat, i.name
debug.getinfo(print, "u").nparams, debug.getinfo(print, "u").isvararg
debug.getinfo(1000), debug.getinfo(-1)
debug.getinfo(1, "X")
debug.getinfo(1, ">S")
debug.getinfo("x")
debug.getinfo()
local function f() return debug.getinfo(1, "n").name, debug.getinfo(1, "n").namewhat end local a, b = f() return a, b
local t = {} function t.m() return debug.getinfo(1, "n").name, debug.getinfo(1, "n").namewhat end local a, b = t.m() return a, b
local t = {} function t:m() return debug.getinfo(1, "n").name, debug.getinfo(1, "n").namewhat end local a, b = t:m() return a, b
local function f() return debug.getinfo(1, "t").istailcall end return f()
local function f() return debug.getinfo(2, "l").currentline end local r = f() return r
local function f() local a <const> = 1 local b = 2 return debug.getinfo(1, "L").activelines ~= nil end return f()
local a, b = 10, 20 local n1, v1 = debug.getlocal(1, 1) local n2, v2 = debug.getlocal(1, 2) return n1, v1, n2, v2
local a = 1 return debug.getlocal(1, 500)
debug.getlocal(1000, 1)
debug.getlocal(-1, 1)
local function f(...) return debug.getlocal(1, -1) end return f(7, 8)
local function f(...) return debug.getlocal(1, -3) end return f(7, 8)
local function f(x, y) end return debug.getlocal(f, 1), debug.getlocal(f, 2), debug.getlocal(f, 3)
debug.getlocal(print, 1)
local a = 1 local n = debug.setlocal(1, 1, 99) return n, a
debug.setlocal(1000, 1, 1)
local a = 1 return debug.setlocal(1, 1)
local x, y = 1, 2 local function f() return x, y end return debug.getupvalue(f, 1), debug.getupvalue(f, 2), debug.getupvalue(f, 3)
local x = 1 local function f() return x end return debug.setupvalue(f, 1, 5), x, f()
debug.getupvalue(print, 1)
debug.getupvalue(1, 1)
debug.setupvalue(print, 1, 1)
local x, y = 1, 2 local function f() return x end local function g() return y end debug.upvaluejoin(f, 1, g, 1) y = 7 return f(), debug.upvalueid(f, 1) == debug.upvalueid(g, 1)
local x = 1 local function f() return x end local function g() return x end return debug.upvalueid(f, 1) == debug.upvalueid(g, 1), debug.upvalueid(f, 2)
debug.upvaluejoin(function() end, 1, print, 1)
debug.upvalueid(1, 1)
debug.traceback({}) ~= nil, type(debug.traceback({})), debug.traceback(nil) ~= nil, debug.traceback(12):match("^12\nstack traceback:") ~= nil
debug.traceback("msg", 1):match("^msg\nstack traceback:\n\tt:1: in ") ~= nil
debug.traceback("msg", 1000)
local co = coroutine.create(function() local x = 5 coroutine.yield() end) coroutine.resume(co) return debug.traceback(co), debug.traceback(co, "m"), debug.traceback(co, nil, 1), debug.getlocal(co, 1, 1)
local co = coroutine.create(function() end) return debug.traceback(co), debug.getinfo(co, 0)
local function f() error("x") end local ok, tb = xpcall(f, debug.traceback) return ok, tb:match("^[^\n]*\nstack traceback:\n\t%[C%]: in function 'error'\n\tt:1: in ") ~= nil
local function a() return debug.traceback("m") end local function b() local r = a() return r end return (b():gsub("\n\t%[C%].*", ""))
debug.getmetatable("").__index == string, debug.getmetatable({}), debug.getmetatable(1)
debug.getmetatable(setmetatable({}, {__metatable = "locked", x = 1})).x
debug.getmetatable()
type(debug.sethook) == "function" or debug.sethook == nil
