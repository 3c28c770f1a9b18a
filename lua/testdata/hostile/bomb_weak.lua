-- ends: instruction limit reached
local t = setmetatable({}, {__mode = "k"}) while true do local k = {} t[k] = {k} end
