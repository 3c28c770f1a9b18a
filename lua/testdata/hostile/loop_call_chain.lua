-- ends: C stack overflow
local t = {} for i = 1, 300 do t = setmetatable({}, {__call = t}) end t()
