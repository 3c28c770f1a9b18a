local fs = {}
for i = 1, 10 do fs[#fs + 1] = function() i = i + 1 return i end end
for k, v in pairs(fs) do
  if not v then goto continue end
  if k > 3 then break end
  print(k, v)
  ::continue::
end
for i = 10, 1, -1 do if fs[i] then return fs[i](i) end end
while true do
  local x <const>, y <close> = 1, nil
  do local function g() return x + y end end
  if g then return g(y) end
end
