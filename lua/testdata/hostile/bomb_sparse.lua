-- ends: not enough memory
local t, i = {}, 1 while true do t[i] = i i = i + 3 t[-i] = true end
