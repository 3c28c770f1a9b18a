local function line(f, ...) local ok, e = pcall(f, ...) print((tostring(e):gsub("^program.lua:", ""))) end
line(function()
  local a = nil
  local b = 1 +
    a
  return b
end)
line(function()
  local t = {}
  t.x
    .y
    .z = 5
end)
line(function()
  local t = nil
  return t
    .x
end)
line(function()
  undefinedfn(
    1,
    2
  )
end)
line(function()
  local s = "a" ..
    "b" ..
    nil
end)
line(function()
  return 1
    <
    {}
end)
line(function()
  local t = {
    1,
    nil + 1,
  }
end)
line(function()
  local x = 1
  if x
    and nofn() then
  end
end)
line(function()
  for i = 1,
    "x" do
  end
end)
line(function()
  for k in
    5 do
  end
end)
line(function() error("same line") end)
line(function()
  error(
    "multi line"
  )
end)
line(function()
  local t = setmetatable({}, { __index = function(t, k)
    error("in index")
  end })
  return t.x
end)
line(function()
  local a = {}
  a.b.c(
    1)
end)
line(function()
  local a = {}
  a
  :nometh(
    1)
end)
line(function()
  return -
    {}
end)
line(function()
  local x = {}
  x[nil] =
    1
end)
