-- ends: not enough memory
local s = ("x"):rep(1 << 16) return (s:gsub("x", function() local g = {} for i = 1, 100 do g[i] = {} end return s end))
