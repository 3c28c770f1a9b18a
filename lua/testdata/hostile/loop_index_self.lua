-- ends: chain too long
local t = {} setmetatable(t, {__index = t, __newindex = t}) return t.x
