-- ends: pattern too complex
return ("a"):rep(300):match(("(a"):rep(31) .. (")"):rep(31) .. ("a?"):rep(300))
