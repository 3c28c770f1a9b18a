-- ends: instruction limit reached
repeat local x = 1 until false
