-- ends: memory limit reached
local keep = {} local mt mt = {__gc = function(o) keep[#keep + 1] = o setmetatable({o}, mt) setmetatable({o}, mt) end} while true do setmetatable({}, mt) end
