-- A conversation: history, forks, a memory agents share, and keeping it all.
--
--   llmspell run examples/spells/conversation.lua
--
-- Without a configured model conversation.replay.jsonl is replayed.

local tutor = Agent.create { name = "tutor", system_prompt = "You teach Lua in one sentence.", temperature = 0 }
tutor:delete_state()

print("== The agent remembers")
print(tutor:complete("What is a table?"))
print(tutor:complete("And what is its length?"))
for i, m in ipairs(tutor:history()) do print(i, m.role, #m.content > 0) end

print("\n== A fork goes its own way")
local other = tutor:fork()
print(other:complete("Give an example."))
print(#tutor:history(), #other:history())

print("\n== Kept under the agent's name, it outlives the session")
tutor:save_state()
tutor:destroy()
local again = Agent.create { name = "tutor", system_prompt = "You teach Lua in one sentence." }
print(#again:history(), again:load_state(), #again:history())

print("\n== What agents share")
local team = { type = "workflow", id = "lesson" }
Agent.set_shared_memory(team, "topic", { name = "tables", part = 2 })
print(table.concat(Agent.list_shared_memory(team), ", "), Agent.get_shared_memory(team, "topic").part)
print(Agent.get_shared_memory(team, "level", "beginner"))

print("\n== A context tells the agent more without being asked")
local ctx = Agent.create_context { user_id = "ada", data = { level = "expert" } }
print(again:execute_with_context("What is a metatable?", ctx).text)
Agent.remove_context(ctx)

print("\n== A reply as data")
local out = again:execute {
  text = "Name two Lua types.",
  schema = { type = "object", required = { "types" }, properties = { types = { type = "array", items = { type = "string" } } } },
}
print(table.concat(out.data.types, ", "))
print(again:usage().llm_calls .. " calls")
again:delete_state()
