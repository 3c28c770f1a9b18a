-- Errors: what fails raises a table with a code; pcall catches it.
--
--   llmspell run examples/spells/errors.lua

print("== A failed call raises a value that reads as text and has a code")
local ok, e = pcall(Tool.execute, "calculater", { input = "1+1" })
print(ok, e.code)
print(e.hint)
print(e:find("calculater") ~= nil, type(tostring(e)))

print("\n== Decide by the code")
local function evaluate(input)
  local ok, out = pcall(Tool.execute, "calculator", { input = input })
  if ok then return out.text end
  if out.code == "tool_failed" then return "cannot be computed" end
  error(out) -- not ours: pass it on as it is
end
print(evaluate("6 * 7"))
print(evaluate("6 *"))

print("\n== Mistakes in a call are named")
local _, typo = pcall(Agent.create, { temprature = 0 })
print(typo.code, typo.hint)
local _, missing = pcall(State.save, "global", "key")
print(missing.code)

print("\n== Absent is not an error where you look something up")
print(Tool.get("no-such-tool"), Agent.get("nobody"), State.load("global", "no such key"))

print("\n== Raise your own, with a code and details")
local function withdraw(balance, amount)
  if amount > balance then
    Run.fail("insufficient_funds", "the account has " .. balance, { missing = amount - balance })
  end
  return balance - amount
end
local _, refused = pcall(withdraw, 10, 25)
print(refused.code, refused.details.missing, refused)

print("\n== Errors of the language are plain strings")
local _, text = pcall(error, "plain", 0)
print(type(text), text)

print("\n== Clean up whatever happens")
local function job()
  local _ <close> = setmetatable({}, { __close = function() print("cleaned up") end })
  error("went wrong", 0)
end
print(pcall(job))
