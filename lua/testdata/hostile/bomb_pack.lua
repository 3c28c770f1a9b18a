-- ends: not enough memory
return string.pack("!16 c33554432", "")
