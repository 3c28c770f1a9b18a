-- ends: instruction limit reached
for k in function() return 1 end do end
