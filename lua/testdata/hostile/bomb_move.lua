-- ends: instruction limit reached
return table.move(setmetatable({}, {__index = function() return nil end}), 1, math.maxinteger - 1, 2, setmetatable({}, {__newindex = function() end}))
