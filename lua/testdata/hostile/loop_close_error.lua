-- ends: instruction limit reached
pcall(function() local x <close> = setmetatable({}, {__close = function() while true do pcall(error) end end}) error("e") end)
