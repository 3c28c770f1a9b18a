-- ends: not enough memory
local s, t = ("x"):rep(1 << 16), {} for i = 1, 10000 do t[i] = s end return table.concat(t, s)
