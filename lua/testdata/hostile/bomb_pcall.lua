-- ends: memory limit reached
keep = {}
local function fill() while true do keep[#keep + 1] = {} end end while true do pcall(fill) end
