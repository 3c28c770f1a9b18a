-- ends: instruction limit reached
for i = math.mininteger, math.maxinteger do end
