-- String building from pieces: sub, byte, char, rep, upper, reverse, concat.
local text = ("The quick brown fox jumps over the lazy dog. "):rep(50)
local out, n = {}, 0
for round = 1, 200 do
  for i = 1, #text do
    local b = text:byte(i)
    if b >= 97 and b <= 122 then out[#out + 1] = string.char((b - 97 + round) % 26 + 97) else out[#out + 1] = text:sub(i, i) end
  end
  n = n + #table.concat(out)
  out = {}
end
for i = 1, 300000 do
  local s = text:sub(i % 2000 + 1, i % 2000 + 12)
  n = n + #s:upper() + #s:reverse() + #s:rep(3, "-")
end
local line = ""
for i = 1, 20000 do
  line = line .. "ab"
  if #line > 500 then line = "" end
end
assert(n > 0)
