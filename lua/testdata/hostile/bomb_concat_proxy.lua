-- ends: not enough memory
local s = ("x"):rep(1 << 12) return table.concat(setmetatable({}, {__len = function() return 1 << 50 end, __index = function() local g = {{}, {}} return s end}))
