-- ends: ok
local n = 0 for i = math.maxinteger - 2, math.maxinteger do n = n + 1 end for i = math.mininteger, math.mininteger + 2 do n = n + 1 end for i = math.maxinteger, math.mininteger, math.mininteger do n = n + 1 end assert(n == 8, n) for i = 1, math.mininteger do error() end for i = 1, 0/0 do error() end assert(not pcall(function() for i = 1, 2, 0 do end end))
