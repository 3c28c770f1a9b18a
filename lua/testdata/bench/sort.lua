-- table.sort with and without comparison function.
local seed = 42
local function random() seed = (seed * 1103515245 + 12345) % 2147483648 return seed end
local a, b = {}, {}
for i = 1, 100000 do a[i] = random() b[i] = a[i] end
table.sort(a)
table.sort(b, function(x, y) return x > y end)
for i = 2, #a do assert(a[i - 1] <= a[i] and b[i - 1] >= b[i]) end
