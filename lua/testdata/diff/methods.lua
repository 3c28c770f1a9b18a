local Account = {} Account.__index = Account
function Account.new(b) return setmetatable({ balance = b }, Account) end
function Account:deposit(v) self.balance = self.balance + v return self end
function Account:get() return self.balance end
local a = Account.new(10)
print(a:deposit(5):deposit(7):get(), a.balance, Account.get(a))
local t = { a = { b = { c = {} } } }
function t.a.b.c:m(...) return self == t.a.b.c, ... end
function t.a.b.f(x) return x end
print(t.a.b.c:m(1, 2), t.a.b.f(9))
print(("abc"):upper(), ("x"):rep(3, "-"), #("abc"):rep(2), ("%d"):format(5))
local s = "hello" print(s:sub(2, 3):upper():byte(1, -1))
print(pcall(function() a:nomethod() end))
print(pcall(function() a.x.y() end))
print(pcall(function() a.x:y() end))
print(pcall(function() local q q:z() end))
print(pcall(function() undefinedglobal:z() end))
print(pcall(function() ("x"):bad() end))
print(pcall(function() a.balance:foo() end))
print(type(a.get), a["get"] == Account.get, rawget(a, "get"))
local o = { n = 0 } function o:inc(k) self.n = self.n + (k or 1) return self.n end
print(o:inc(), o:inc(5), o.inc(o), o["inc"](o, 2))
print(o
  :inc(),
  o:inc(2))
