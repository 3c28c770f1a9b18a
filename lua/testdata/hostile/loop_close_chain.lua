-- ends: ok
local n = 0 pcall(function() local a <close> = setmetatable({}, {__close = function() n = n + 1 error("a") end}) local b <close> = setmetatable({}, {__close = function() n = n + 1 error("b") end}) error("c") end) assert(n == 2)
