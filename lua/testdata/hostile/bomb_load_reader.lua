-- ends: not enough memory
local s = ("x"):rep(1 << 16) assert(load(function() local g = {} for i = 1, 1000 do g[i] = {i} end return s end))
