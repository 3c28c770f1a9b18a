-- ends: instruction limit reached
return ("a"):rep(30000):gsub((".-"):rep(10) .. "b", "")
