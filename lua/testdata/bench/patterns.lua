-- Patterns with captures: find, match, gmatch, gsub.
local lines = {}
for i = 1, 400 do
  lines[i] = ("2024-%02d-%02d host%d app[%d]: user=%s id=%d msg=\"all is well here\""):format(i % 12 + 1, i % 28 + 1, i, i * 7, "u" .. i, i * 31)
end
local n = 0
for _ = 1, 25 do
  for i = 1, #lines do
    local l = lines[i]
    local y, m, d = l:match("^(%d+)-(%d+)-(%d+)")
    n = n + tonumber(y) + tonumber(m) + tonumber(d)
    local host, pid = l:match("(%w+) %a+%[(%d+)%]")
    n = n + #host + #pid
    for k, v in l:gmatch("(%w+)=([^ ]+)") do n = n + #k + #v end
    n = n + select(2, l:gsub("%s+", " "))
    local s = l:gsub("(%a+)=(%w+)", "%2=%1")
    n = n + #s + l:find("msg=", 1, true) + l:find("w.ll")
    n = n + #l:gsub("%d+", function(x) return x + 1 end)
  end
end
assert(n > 0)
