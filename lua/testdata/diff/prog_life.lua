local W, H = 8, 6
local g = {} for y = 1, H do g[y] = {} for x = 1, W do g[y][x] = 0 end end
g[2][3], g[3][4], g[4][2], g[4][3], g[4][4] = 1, 1, 1, 1, 1
local function step(g) local n = {} for y = 1, H do n[y] = {} for x = 1, W do local s = 0 for dy = -1, 1 do for dx = -1, 1 do if dx ~= 0 or dy ~= 0 then local r = g[(y + dy - 1) % H + 1] s = s + r[(x + dx - 1) % W + 1] end end end n[y][x] = (s == 3 or (s == 2 and g[y][x] == 1)) and 1 or 0 end end return n end
for _ = 1, 4 do for y = 1, H do io.write(table.concat(g[y]), "\n") end print("--") g = step(g) end
