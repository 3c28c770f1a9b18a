-- State: counters and values that outlive the script, safe with many writers.
--
--   llmspell run examples/spells/counters.lua

local scope = "custom:counters-spell"
State.clear(scope)

print("== A counter needs no read before the write")
for _ = 1, 3 do State.incr(scope, "visits") end
print("visits: " .. State.incr(scope, "visits", 10))

print("\n== Values are data; integers and floats stay what they are")
State.save(scope, "profile", { name = "Ada", tags = { "math", "engines" }, score = 1.0 })
local profile = State.load(scope, "profile")
print(profile.name, #profile.tags, profile.score)
print("absent: " .. tostring(State.load(scope, "nothing", "the default")))

print("\n== Change a value as a whole: the function runs again if another writer was first")
State.update(scope, "profile", function(p)
  p.tags[#p.tags + 1] = "poetry"
  return p
end)
print(table.concat(State.load(scope, "profile").tags, ", "))

print("\n== Compare and swap: write only over the version you have seen")
local version = State.save(scope, "lock", "free")
print("first:  " .. tostring(State.cas(scope, "lock", version, "mine")))
print("second: " .. tostring(State.cas(scope, "lock", version, "yours")))
print("lock is " .. State.load(scope, "lock"))

print("\n== Values may expire")
State.save(scope, "token", "secret", { ttl_seconds = 60 })
print("expires: " .. tostring(State.ttl(scope, "token") > 0))
State.ttl(scope, "token", 0)
print("expires: " .. tostring(State.ttl(scope, "token") ~= nil))

print("\n== What is there")
for _, entry in ipairs(State.list(scope)) do print(entry.key, entry.size > 0) end
print("removed: " .. State.clear(scope))
