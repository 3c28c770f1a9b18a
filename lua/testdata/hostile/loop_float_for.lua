-- ends: instruction limit reached
for i = 0.0, 1.0, 5e-324 do end
