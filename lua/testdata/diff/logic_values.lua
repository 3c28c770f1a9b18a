local function show(...) print(select("#", ...), ...) end
for _, a in ipairs { 1, false, "s" } do
  for _, b in ipairs { 2, false } do
    local c = a and b
    local d = a or b
    local e = a and b or "z"
    local f = not a and b
    local g = (a or b) and (b or a)
    local h = a == b and "eq" or a ~= b and "ne"
    show(a, b, c, d, e, f, g, h)
  end
end
local n
local x = n and n.x or "default"
local y = n == nil and 1 or 2
local z = n ~= nil and 1 or nil
show(x, y, z, n or n, n and n)
local a = 1
a = a and a + 1 or a
a = a or a
a = a and nil
a = a or "was nil"
show(a)
a = (a == "was nil") or a
show(a, a and not a, not (a and a), (not a) == false)
local t = { x = 0 }
t.x = t.x and t.y or 7
show(t.x, t.y and 1, t.x < 10 and t.x > 5, (t.x < 5 or t.x > 6) and "in")
if t.x and (t.y or t.x == 7) and not (t.y and t.x) then show("taken") else show("not taken") end
if not (t.x == 7 and not t.y) then show("bad") elseif t.y or not t.x then show("bad2") else show("good") end
local function side(v, r) io.write("[", tostring(v), "]") return r end
show(side(1, true) and side(2, false) or side(3, nil) or side(4, "end"))
show(side(1, nil) and side(2, 1), side(3, 1) or side(4, 2))
while side("w", a) and a do a = false end
print()
