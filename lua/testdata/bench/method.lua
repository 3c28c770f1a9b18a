-- Method calls through a class and its superclass.
local Base = {} Base.__index = Base
function Base.new(v) return setmetatable({value = v}, Base) end
function Base:get() return self.value end
function Base:add(n) self.value = self.value + n return self end
local Derived = setmetatable({}, {__index = Base}) Derived.__index = Derived
function Derived.new(v) return setmetatable({value = v}, Derived) end
function Derived:twice() return self:get() * 2 end
local a, b, sum = Base.new(1), Derived.new(2), 0
for _ = 1, 1000000 do
  a:add(1)
  b:add(2)
  sum = sum + a:get() + b:twice()
end
assert(sum > 0)
