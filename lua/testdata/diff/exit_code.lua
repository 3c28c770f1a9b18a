io.write("before ") local t = setmetatable({}, { __gc = function() io.write("never") end }) print(pcall(os.exit, "bad")) io.write("flushed\n") io.stdout:flush() os.exit(true)
