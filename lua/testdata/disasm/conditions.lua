local a, b, c = ...
local d = a and b or c
d = d or 5
local e = a < b
local g = a == nil and "x" or "y"
if a > 1 and (b <= 2 or not c) then d = 1 elseif b ~= "k" then d = 2 else d = 3 end
while a < 10 do
  a = a + 1
  if a == 5 then break end
end
repeat local z = a - 1 until z < 0 or 5 < z
return not (a < b), 1 + 2 * 3, a or b
