-- A JSON encoder and decoder in Lua, on a document of objects and lists.
local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t"}
local plain = {['"'] = '"', ["\\"] = "\\", ["/"] = "/", n = "\n", t = "\t", r = "\r", b = "\b", f = "\f"}

local encode
local function encodeString(s)
  return '"' .. s:gsub('[%c"\\]', function(c) return escapes[c] or ("\\u%04x"):format(c:byte()) end) .. '"'
end
function encode(v, out)
  local t = type(v)
  if t == "table" then
    if #v > 0 then
      out[#out + 1] = "["
      for i = 1, #v do
        if i > 1 then out[#out + 1] = "," end
        encode(v[i], out)
      end
      out[#out + 1] = "]"
    else
      local keys = {}
      for k in pairs(v) do keys[#keys + 1] = k end
      table.sort(keys)
      out[#out + 1] = "{"
      for i, k in ipairs(keys) do
        if i > 1 then out[#out + 1] = "," end
        out[#out + 1] = encodeString(k)
        out[#out + 1] = ":"
        encode(v[k], out)
      end
      out[#out + 1] = "}"
    end
  elseif t == "string" then
    out[#out + 1] = encodeString(v)
  else
    out[#out + 1] = tostring(v)
  end
end

local decode
local function skip(s, i) return s:find("[^ \t\r\n]", i) or #s + 1 end
local function decodeString(s, i)
  local from, parts = i + 1, nil
  while true do
    local at = s:find('["\\]', from)
    if s:byte(at) == 34 then
      local last = s:sub(from, at - 1)
      return parts and parts .. last or last, at + 1
    end
    local c = s:sub(at + 1, at + 1)
    local piece = s:sub(from, at - 1)
    if c == "u" then
      piece = piece .. utf8.char(tonumber(s:sub(at + 2, at + 5), 16))
      from = at + 6
    else
      piece = piece .. plain[c]
      from = at + 2
    end
    parts = (parts or "") .. piece
  end
end
function decode(s, i)
  i = skip(s, i)
  local c = s:byte(i)
  if c == 123 then
    local t = {}
    i = skip(s, i + 1)
    if s:byte(i) == 125 then return t, i + 1 end
    while true do
      local k
      k, i = decodeString(s, skip(s, i))
      i = skip(s, i)
      assert(s:byte(i) == 58)
      t[k], i = decode(s, i + 1)
      i = skip(s, i)
      if s:byte(i) == 125 then return t, i + 1 end
      i = i + 1
    end
  elseif c == 91 then
    local t, n = {}, 0
    i = skip(s, i + 1)
    if s:byte(i) == 93 then return t, i + 1 end
    while true do
      n = n + 1
      t[n], i = decode(s, i)
      i = skip(s, i)
      if s:byte(i) == 93 then return t, i + 1 end
      i = i + 1
    end
  elseif c == 34 then
    return decodeString(s, i)
  elseif s:sub(i, i + 3) == "true" then
    return true, i + 4
  elseif s:sub(i, i + 4) == "false" then
    return false, i + 5
  elseif s:sub(i, i + 3) == "null" then
    return nil, i + 4
  end
  local from, to = s:find("^-?%d+%.?%d*[eE]?[+-]?%d*", i)
  return tonumber(s:sub(from, to)), to + 1
end

local document = {}
for i = 1, 200 do
  document[i] = {id = i, name = "item " .. i, price = i * 1.25, tags = {"a", "b\n", "c\"d"}, active = i % 2 == 0,
    nested = {x = i, y = {1, 2, 3, i}, text = "some longer text without escapes in it"}}
end
local text
for _ = 1, 25 do
  local out = {}
  encode(document, out)
  text = table.concat(out)
  document = decode(text, 1)
end
assert(#document == 200 and document[200].nested.y[4] == 200)
