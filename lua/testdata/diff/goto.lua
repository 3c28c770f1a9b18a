do local i = 1 ::top:: if i <= 3 then io.write(i, " ") i = i + 1 goto top end print() end
for i = 1, 3 do for j = 1, 3 do if j == 2 then goto continue end io.write(i, j, " ") ::continue:: end end print()
do goto skip print("never") ::skip:: print("skipped") end
do
  local fs = {}
  local i = 1
  ::again::
  local x = i
  fs[i] = function() x = x + 100 return x end
  i = i + 1
  if i <= 3 then goto again end
  print(fs[1](), fs[1](), fs[2](), fs[3]())
end
for i = 1, 2 do
  local k = i
  do goto mid end
  ::back:: k = k + 10 goto done
  ::mid:: k = k + 1 goto back
  ::done:: print(k)
end
local function find(t, v) for i = 1, #t do if t[i] == v then goto found end end do return nil end ::found:: return true end
print(find({ 1, 2, 3 }, 2), find({}, 1))
do local a = 1 goto l1 ::l2:: print("l2", a) goto l3 ::l1:: a = 2 goto l2 ::l3:: end
while true do do do goto out end end end ::out:: print("out")
do ::a:: local b = 1 if b == 2 then goto a end end
do local t = {} for i = 1, 3 do local c <close> = setmetatable({}, { __close = function() t[#t + 1] = i end }) if i == 2 then goto e end t[#t + 1] = -i end ::e:: print(table.concat(t, " ")) end
repeat local z = 1 if z then goto c end do local y end ::c:: until true
::x:: do goto y end ::y::
print(pcall(load("goto a ::a:: return 1")))
for i = 1, 2 do if i == 1 then goto skip end print(i) ::skip:: ; end
