local function encode(v, ind)
  local t = type(v)
  if t == "nil" then return "null" elseif t == "boolean" or t == "number" then return tostring(v)
  elseif t == "string" then return '"' .. v:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
  elseif t == "table" then
    if #v > 0 then local out = {} for _, x in ipairs(v) do out[#out + 1] = encode(x) end return "[" .. table.concat(out, ",") .. "]" end
    local keys = {} for k in pairs(v) do keys[#keys + 1] = k end table.sort(keys)
    local out = {} for _, k in ipairs(keys) do out[#out + 1] = encode(k) .. ":" .. encode(v[k]) end
    return "{" .. table.concat(out, ",") .. "}"
  end
  error("cannot encode " .. t)
end
local function decode(s)
  local pos = 1
  local function ws() pos = s:find("%S", pos) or #s + 1 end
  local value
  local function str() local e = pos + 1 local out = {} while true do local c = s:sub(e, e) if c == '"' then break elseif c == "\\" then local n = s:sub(e + 1, e + 1) if n == "u" then out[#out + 1] = utf8.char(tonumber(s:sub(e + 2, e + 5), 16)) e = e + 6 else out[#out + 1] = ({ n = "\n", t = "\t" })[n] or n e = e + 2 end elseif c == "" then error("unfinished", 0) else out[#out + 1] = c e = e + 1 end end pos = e + 1 return table.concat(out) end
  function value()
    ws()
    local c = s:sub(pos, pos)
    if c == "{" then local r = {} pos = pos + 1 ws() if s:sub(pos, pos) == "}" then pos = pos + 1 return r end repeat ws() local k = str() ws() assert(s:sub(pos, pos) == ":", "colon") pos = pos + 1 r[k] = value() ws() local d = s:sub(pos, pos) pos = pos + 1 until d ~= "," return r
    elseif c == "[" then local r = {} pos = pos + 1 ws() if s:sub(pos, pos) == "]" then pos = pos + 1 return r end repeat r[#r + 1] = value() ws() local d = s:sub(pos, pos) pos = pos + 1 until d ~= "," return r
    elseif c == '"' then return str()
    elseif s:find("^true", pos) then pos = pos + 4 return true elseif s:find("^false", pos) then pos = pos + 5 return false elseif s:find("^null", pos) then pos = pos + 4 return nil
    else local n = s:match("^-?%d+%.?%d*[eE]?[+-]?%d*", pos) if not n then error("bad json at " .. pos, 0) end pos = pos + #n return tonumber(n) end
  end
  return value()
end
print(encode { 1, 2.5, "x\n\"q\"", true, { a = 1, b = { 1, 2 } }, {} })
print(encode(decode('{"a": [1, 2, {"b": null, "c": "\\u0041\\n"}], "d": -1.5e3, "e": true, "f": {}}')))
print(pcall(decode, "{bad}")) print(pcall(decode, "[1, x]")) print(pcall(encode, { print }))
