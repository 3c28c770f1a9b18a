-- ends: memory limit reached
while true do pcall(string.rep, "x", 1 << 25) end
