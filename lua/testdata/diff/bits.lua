print(1 << 0, 1 << 62, 1 << 63, 1 << 64, 1 << 100, -1 >> 1, -1 >> 63, -1 >> 64, 1 << -1, 4 >> -2)
print(~0, ~5, ~-1, 0xff ~ 0x0f, 0xf0 | 0x0f, 0xff & 0x3c, 1 << 2 + 1, 1 | 2 & 3, 5 ~ 3 | 1)
print(3.0 << 1, pcall(function() return "3" | 4 end))
print(pcall(function() local s = "0xff" return 15 & s end))
for s = -66, 66, 11 do print(s, 0x123456789abcdef << s, 0x123456789abcdef >> s, -1 << s, -1 >> s) end
print(pcall(function() return {} | 1 end))
print(pcall(function() return "a" | 1 end))
print(pcall(function() return 1 << 1.5 end))
print(pcall(function() return ~1.5 end))
local function crc(s)
  local c = 0xffffffff
  for i = 1, #s do
    c = c ~ s:byte(i)
    for _ = 1, 8 do c = (c & 1 == 1) and (c >> 1 ~ 0xedb88320) or c >> 1 end
  end
  return ~c & 0xffffffff
end
print(string.format("%08x", crc("123456789")))
