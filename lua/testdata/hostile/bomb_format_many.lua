-- ends: not enough memory
local f = ("%99.99f"):rep(200) local a = {} for i = 1, 200 do a[i] = 1e300 end local keep = {} while true do keep[#keep + 1] = f:format(table.unpack(a)) end
