-- An agent that works with tools written in Lua: the model decides which to call.
--
--   llmspell run examples/spells/scripted_tools.lua
--
-- Without a configured model scripted_tools.replay.jsonl is replayed.

local timetable = { Rome = "08:15", Oslo = "11:40" }
local booked = {}

Tool.register {
  name = "departures", description = "Tells when the train to a city leaves.",
  parameters = { { name = "city", type = "string", required = true } },
  handler = function(p)
    return timetable[p.city] or error("no train goes to " .. p.city, 0) -- the model is told
  end,
}
Tool.register {
  name = "booking", description = "Books a seat.",
  parameters = {
    { name = "city", type = "string", required = true },
    { name = "seats", type = "integer", default = 1 },
  },
  handler = function(p, ctx)
    booked[#booked + 1] = ctx.agent .. ": " .. p.seats .. " to " .. p.city
    return { success = true, result = { reference = "R" .. #booked } }
  end,
}

local agent = Agent.create {
  name = "clerk",
  system_prompt = "You sell train tickets. Use the tools.",
  tools = { "departures", "booking" },
  temperature = 0,
}

local out = agent:execute("Two seats to Oslo please, or to Paris if there is a train.")
print("clerk: " .. out.text)

print("\n== What it did")
for _, call in ipairs(out.tool_calls) do
  print(call.name, JSON.stringify(call.arguments), call.error and "failed: " .. tostring(call.error) or call.result.text)
end
print(table.concat(booked, "; "))
print(out.finish_reason, out.iterations .. " model calls", out.usage.tool_calls .. " tool calls")

print("\n== Tools the agent was not given stay out of its reach")
print(agent:has_tool("departures"), agent:has_tool("file-operations"))
local _, e = pcall(agent.invokeTool, agent, "calculator", { input = "1+1" })
print(e.code)
