local function class(base)
  local c = {} c.__index = c
  if base then setmetatable(c, { __index = base }) end
  c.new = function(...) local o = setmetatable({}, c) if o.init then o:init(...) end return o end
  return c
end
local Animal = class()
function Animal:init(name) self.name = name end
function Animal:speak() return self.name .. " makes " .. self:sound() end
function Animal:sound() return "noise" end
local Dog = class(Animal)
function Dog:sound() return "woof" end
local Puppy = class(Dog)
function Puppy:init(name) Dog.init(self, name .. " jr") end
function Puppy:sound() return "small " .. Dog.sound(self) end
for _, o in ipairs { Animal.new("thing"), Dog.new("rex"), Puppy.new("rex") } do print(o:speak()) end
local V = class()
function V:init(x, y) self.x, self.y = x, y end
V.__add = function(a, b) return V.new(a.x + b.x, a.y + b.y) end
V.__eq = function(a, b) return a.x == b.x and a.y == b.y end
V.__lt = function(a, b) return a.x < b.x end
V.__le = function(a, b) return a.x <= b.x end
V.__tostring = function(v) return "(" .. v.x .. "," .. v.y .. ")" end
V.__len = function() return 2 end
V.__unm = function(v) return V.new(-v.x, -v.y) end
V.__call = function(v, k) return v[k] end
V.__concat = function(a, b) return tostring(a) .. "~" .. tostring(b) end
V.__mul = function(a, b) if type(a) == "number" then return V.new(a * b.x, a * b.y) end return V.new(a.x * b, a.y * b) end
local a, b = V.new(1, 2), V.new(3, 4)
print(tostring(a + b), a == b, a == V.new(1, 2), a < b, a <= b, a > b, a >= b, #a, tostring(-a), a("y"), a .. b, tostring(2 * a), tostring(a * 3))
print(a ~= b, not (a == b), rawequal(a, V.new(1, 2)), a .. "s", 1 .. a)
