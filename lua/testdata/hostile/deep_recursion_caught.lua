-- ends: memory limit reached
local function f() local ok = pcall(f) return f() + 1 end while true do pcall(f) end
