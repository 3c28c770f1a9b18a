-- A tour of llmspell: an agent that calls a tool, then JSON and state.
--
--   llmspell run examples/spells/tour.lua
--
-- Without a configured model the conversation in tour.replay.jsonl is replayed.
-- With OPENAI_API_KEY, ANTHROPIC_API_KEY or OPENAI_BASE_URL a real model answers.

local function title(text) print("\n== " .. text) end

title("A tool, called by the script")
local sum = Tool.execute("calculator", { input = "17 * 23 + 4" })
print("17 * 23 + 4 = " .. sum.text)

title("An agent with a tool")
local agent = Agent.create {
  name = "guide",
  system_prompt = "You are a friendly guide. Answer in one short sentence.",
  temperature = 0,
  max_tokens = 60,
}
io.write("guide: ")
local answer = agent:stream("In one short sentence: what is the Lua programming language good for?", function(chunk)
  if chunk.type == "text" then io.write(chunk.text) end
end)
print()
if answer.usage.total_tokens > 0 then
  print(string.format("(%d tokens in, %d out)", answer.usage.prompt_tokens, answer.usage.completion_tokens))
end

title("JSON")
local note = { topic = "lua", answer = answer.text, words = select(2, answer.text:gsub("%S+", "")) }
local text = JSON.stringify(note, true)
print(text)
assert(JSON.parse(text).words == note.words)

title("State that outlives the script")
local visits = State.incr("global", "tour:visits")
State.save("global", "tour:last", note)
print("this tour ran " .. visits .. (visits == 1 and " time" or " times"))
print("stored under: " .. table.concat(State.list_keys("global", "tour:"), ", "))

return "the tour ends here"
