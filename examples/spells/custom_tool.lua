-- A tool of your own, written in Lua: parameters are checked, agents can use it.
--
--   llmspell run examples/spells/custom_tool.lua

local stock = { pen = 12, ink = 0 }

local tool = Tool.register {
  name = "stock-keeper",
  description = "Tells how many of an item are in stock, or takes some out.",
  category = "shop",
  parameters = {
    { name = "item", type = "string", required = true, description = "what" },
    { name = "take", type = "integer", default = 0, description = "how many to take" },
  },
  handler = function(p)
    local have = stock[p.item]
    if not have then return nil, "there is no item " .. p.item end -- raises tool_failed
    if p.take > have then -- a verdict: the tool worked, the answer is no
      return { success = false, message = "only " .. have .. " left", result = { left = have } }
    end
    stock[p.item] = have - p.take
    return { success = true, message = "ok", result = { left = stock[p.item] }, text = stock[p.item] .. " left" }
  end,
}
print(tool.name, tool.category, Tool.exists("stock_keeper"))

print("\n== Used as any other tool; defaults are filled in")
print(Tool.execute("stock-keeper", { item = "pen" }).text)
print(tool:execute({ item = "pen", take = 5 }).text)

print("\n== A verdict does not raise")
local out = tool:execute { item = "pen", take = 100 }
print(out.success, out.message, out.result.left)

print("\n== Wrong parameters and failures do")
for _, params in ipairs { {}, { item = 1 }, { item = "pen", take = 0.5 }, { itme = "pen" }, { item = "cow" } } do
  local _, e = pcall(Tool.execute, "stock-keeper", params)
  print(e.code, e.message)
end

print("\n== What agents are told")
print(JSON.stringify(Tool.schema("stock-keeper")))

print("\n== A simple answer is enough: a string becomes the text, a table the result")
Tool.register { name = "greet", description = "Greets.", parameters = {}, handler = function() return "hello" end }
print(Tool.greet:execute().text)
print(Tool.unregister("greet"), Tool.exists("greet"))
