-- Streaming: the reply as it comes, by a function or in a loop.
--
--   llmspell run examples/spells/streaming.lua
--
-- Without a configured model streaming.replay.jsonl is replayed.

local agent = Agent.create { name = "poet", system_prompt = "You write very short poems.", temperature = 0 }

print("== A function gets every chunk")
local pieces = 0
local out = agent:stream("A poem about rain.", function(chunk)
  if chunk.type == "text" then
    pieces = pieces + 1
    io.write(chunk.text)
  end
end)
print("\n(more than one piece: " .. tostring(pieces > 1) .. ", " .. out.finish_reason .. ")")

print("\n== A loop does the same")
for chunk in agent:stream("A poem about snow.") do
  if chunk.type == "text" then io.write(chunk.text) end
end
print()

print("\n== Enough? Returning false stops the model, and so does leaving a loop")
local heard = ""
local cut = agent:stream("A long poem about the sea.", function(chunk)
  heard = heard .. (chunk.text or "")
  return #heard < 10
end)
print(cut.finish_reason, cut.text == heard)
for chunk in agent:stream("Another long poem.") do
  if chunk.type == "text" then break end
end
print("the poet is " .. agent:get_state())

print("\n== Counting chunks")
local r = agent:invokeStream("One word, please.", function() end)
print(r.success, r.chunks_received > 0, r.output)
