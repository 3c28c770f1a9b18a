-- ends: invalid conversion
return string.format("%1000000000d", 1)
