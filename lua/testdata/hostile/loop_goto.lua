-- ends: instruction limit reached
::a:: do goto b end ::b:: goto a
