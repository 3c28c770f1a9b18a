-- ends: instruction limit reached
local function f() return f() end f()
