-- Protected calls with and without error.
local function ok(x) return x end
local function fail() error(fail_value, 0) end
local n = 0
for i = 1, 1000000 do
  local good, v = pcall(ok, i)
  if good then n = n + v % 2 end
end
for _ = 1, 100000 do
  if not pcall(fail) then n = n + 1 end
end
assert(n == 600000)
