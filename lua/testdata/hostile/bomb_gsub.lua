-- ends: not enough memory
local s = ("x"):rep(1 << 16) return (s:gsub("x", s))
