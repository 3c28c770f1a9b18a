-- JSON: reading, writing, asking and checking.
--
--   llmspell run examples/spells/json.lua

local order = JSON.parse [[
{
  "id": 17, "total": 12.50, "note": null, "tags": [],
  "lines": [
    {"item": "pen", "price": 2.5, "count": 3},
    {"item": "ink", "price": 5.0, "count": 1}
  ]
}]]

print("== Numbers keep their kind, empty arrays stay arrays")
print(math.type(order.id), math.type(order.total), order.note)
print(JSON.stringify(order))

print("\n== Lists of your own: an empty table is an object unless you say so")
print(JSON.stringify { nothing = {}, list = JSON.array(), gap = JSON.array { 1, JSON.null, 3 } })

print("\n== Readable")
print(JSON.stringify(order.lines[1], { pretty = true }))

print("\n== Ask in the jq language")
print(JSON.query(order, "[.lines[] | .price * .count] | add")[1])
print(table.concat(JSON.query(order, ".lines[].item"), ", "))

print("\n== Check against a JSON Schema")
local schema = {
  type = "object", required = { "id", "customer" },
  properties = { id = { type = "integer" }, total = { type = "integer" } },
}
local ok, problems = JSON.validate(order, schema)
print(ok, #problems)
for _, p in ipairs(problems) do print("- " .. p.path .. " " .. p.message) end

print("\n== Merge a patch; JSON.null removes a member")
local patched = JSON.merge({ a = 1, b = { c = 2, d = 3 } }, { a = JSON.null, b = { c = 4 } })
print(JSON.stringify(patched))

print("\n== What is wrong is said with its place")
local parsed, e = pcall(JSON.parse, '{"a": 1,\n "b": }')
print(parsed, e.code, "line " .. e.details.line)
local written, why = pcall(JSON.stringify, { callback = { print } })
print(written, why.code, why.message)
