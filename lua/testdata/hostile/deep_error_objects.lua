-- ends: ok
local e = {} for i = 1, 100 do local ok, x = pcall(error, setmetatable({e}, {__tostring = function() error("no") end})) e = x end
