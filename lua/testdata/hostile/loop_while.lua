-- ends: instruction limit reached
while true do end
