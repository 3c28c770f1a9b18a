-- ends: not enough memory
local l while true do l = {l} end
