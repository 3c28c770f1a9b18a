-- Tools: finding them, calling them, reading what they answer.
--
--   llmspell run examples/spells/tools.lua

print("== What there is")
for _, t in ipairs(Tool.list { category = "utility" }) do
  print(t.name)
end
print("tools about dates: " .. Tool.discover({ tag = "date" })[1].name)

print("\n== Three ways to call one")
print(Tool.execute("calculator", { input = "sqrt(16) + 2^10" }).text)
print(Tool.calculator:execute({ input = "7 * 6" }).text)
print(Tool["hash-calculator"]:execute({ operation = "hash", algorithm = "md5", input = "abc" }).text)

print("\n== An answer is a table: a verdict, a result and a text")
local out = Tool.execute("calculator", { input = "x * 2", variables = { x = 21 } })
print(out.success, out.result.result, out.text, out.metadata.tool)

print("\n== Tools work on one another's results")
local text = Tool.execute("text-manipulator", { operation = "uppercase", input = "lua is small" }).text
local packed = Tool.execute("base64-encoder", { operation = "encode", input = text }).text
print(packed)
print(Tool.execute("base64-encoder", { operation = "decode", input = packed }).text)
print(Tool.execute("uuid-generator", { version = "v5", namespace = "dns", name = "example.com" }).result.uuid)

print("\n== What a tool takes")
for _, p in ipairs(Tool.get("hash-calculator").schema.parameters) do
  print(p.name, p.type, p.required and "required" or "optional")
end
