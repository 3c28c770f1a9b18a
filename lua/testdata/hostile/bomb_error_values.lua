-- ends: instruction limit reached
while true do pcall(error, ("x"):rep(1000)) pcall(error, {}) end
