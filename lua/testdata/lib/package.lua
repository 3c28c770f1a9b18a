type(package.loaded), type(package.preload), type(package.path), type(package.searchers), package.config
package.loaded._G == _G, package.loaded.string == string, package.loaded.table == table, package.loaded.package == package, package.loaded.coroutine == coroutine
require("string") == string, select("#", require("string"))
require()
require({})
package.preload.pm1 = function(...) return {...} end local m, d = require("pm1") return m[1], m[2], #m, d, package.loaded.pm1 == m
package.preload.pm2 = function() end return require("pm2"), package.loaded.pm2
package.preload.pm3 = function(n) package.loaded[n] = "own" end return require("pm3")
package.preload.pm4 = function() return false end return require("pm4"), package.loaded.pm4, require("pm4")
package.preload.pm5 = function() error("broken") end return require("pm5")
package.preload.pm6 = function() error({code = 1}) end local ok, e = pcall(require, "pm6") return ok, e.code
package.preload.pm7 = 5 local ok, e = pcall(require, "pm7") return ok
package.path = "./nope/?.lua;./nope/?/x.lua" package.cpath = "" package.searchers[3] = nil package.searchers[4] = nil return require("no.such.mod")
local s = package.searchers package.searchers = nil local r = {pcall(require, "zzz")} package.searchers = s return r[1], r[2]
local s = package.searchers package.searchers = {function(n) return "nothing for " .. n end, function() end, function() return 5 end} local r = {pcall(require, "zzz")} package.searchers = s return r[1], r[2]
local s = package.searchers package.searchers = {function(n) return function(a, b) return a .. b end, "data" end} local r = {require("zz1")} package.searchers = s return r[1], r[2]
local p = package.path package.path = nil local r = {pcall(require, "zzz")} package.path = p return r[1], r[2]
package.searchpath("x.y", "./nope/?.lua;/nope/?")
package.searchpath("x-y", "./nope/?.lua", "-", "+")
package.searchpath("passwd", "/nope/?;/etc/?")
package.searchpath("x")
local n = os.tmpname() local f = io.open(n, "w") f:write("return {name = ..., file = select(2, ...)}") f:close() package.path = n:gsub("[^/]+$", "?") local base = n:match("[^/]+$") local m, d = require(base) os.remove(n) return m.name == base, m.file == n, d == n
local n = os.tmpname() local f = io.open(n, "w") f:write("x = = 1") f:close() package.path = n:gsub("[^/]+$", "?") local base = n:match("[^/]+$") local ok, e = pcall(require, base) os.remove(n) return ok, (e:gsub(base, "MOD"))
