-- ends: instruction limit reached
xpcall(error, function() while true do end end)
