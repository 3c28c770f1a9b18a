-- Builders, templates and teams: the ways to make an agent.
--
--   llmspell run examples/spells/builders.lua
--
-- Without a configured model builders.replay.jsonl is replayed.

print("== Step by step: every setter returns the builder")
local builder = Agent.builder():name("critic"):system_prompt("You find one fault in a text."):temperature(0)
if ARGS.brief then builder:max_tokens(20) end
local critic = builder:max_tool_calls(3):build()
print(critic.name, critic:get_config().max_tool_calls, critic:get_state())

print("\n== From a template")
print(table.concat(Agent.list_templates(), " "))
local summarizer = Agent.create_from_template("short", "summarizer", { max_tokens = 40 })
print(summarizer:complete("Lua is a small language. It is embedded in many programs. It is fast."))

print("\n== A team in which each works on what the one before said")
local team = Agent.create_composite("desk", { "short", critic }, "sequential")
local out = team:execute("The sun is a star. It is very far away. It is hot.")
print(out)
print(out.usage.llm_calls .. " model calls")

print("\n== A function may choose who answers")
local router = Agent.create_composite("router", { "short", "critic" }, function(input)
  return input:find("^Summarise") and "short" or "critic"
end)
print(router:complete("Check: 2 + 2 is 5."))

print("\n== An agent as a tool")
print(Agent.wrap_as_tool(critic, { tool_name = "find-fault", description = "Finds a fault in a text." }))
print(Tool.execute("find-fault", { input = "Whales are fish." }).text)

print("\n== Who is here")
for _, a in ipairs(Agent.list()) do print(a.name, a.type) end
critic:destroy()
print(Agent.get("critic"), pcall(critic.history, critic))
