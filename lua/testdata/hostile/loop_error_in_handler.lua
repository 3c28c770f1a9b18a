-- ends: ok
local function h(e) error(e) end local ok, e = xpcall(error, h, "x") assert(not ok) for i = 1, 1000 do assert(not xpcall(error, h)) end
