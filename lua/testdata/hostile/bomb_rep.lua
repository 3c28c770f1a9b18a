-- ends: resulting string too large
return ("x"):rep(1 << 20):rep(1 << 20, ("y"):rep(1 << 20))
