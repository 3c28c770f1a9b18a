-- Concatenation of strings and numbers, and of tables of strings.
local parts, n = {}, 0
for i = 1, 400000 do
  n = n + #("item" .. i .. ":" .. i % 7)
  if i % 4 == 0 then parts[#parts + 1] = "part" .. i end
end
local s = table.concat(parts, ",")
local acc = ""
for i = 1, 6000 do acc = acc .. "x" .. i end
assert(n > 0 and #s > 0 and #acc > 0)
