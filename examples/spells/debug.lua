-- Debug and Logger: messages with fields, timers, and a look at values.
--
--   llmspell run examples/spells/debug.lua

print("== Log messages go to the structured log, and are kept for a look")
Debug.setLevel("debug")
Debug.info("starting", "spell")
Debug.debug("details", "spell.inner")
Debug.trace("too fine to be kept", "spell")
Debug.logWithData("warn", "almost full", { used = 9, limit = 10 }, "spell")
for _, entry in ipairs(Debug.getCapturedEntries()) do
  print(entry.level, entry.module, entry.message, entry.metadata and entry.metadata.used or "")
end

print("\n== Filter by module")
Debug.clearCaptured()
Debug.addModuleFilter("noisy*", false)
Debug.info("not kept", "noisy.module")
Debug.info("kept", "quiet")
print(#Debug.getCapturedEntries(), Debug.getCapturedEntries()[1].message)
Debug.clearModuleFilters()

print("\n== A logger that adds fields")
local log = Logger.with { job = 17 }
log:info("working", { step = 1 })
log:with({ user = "ada" }):warn("slow")
print(#Debug.getCapturedEntries() .. " messages")

print("\n== Timers")
local timer = Debug.timer("work")
local sum = 0
for i = 1, 10000 do sum = sum + i end
timer:lap("counted")
local ms = timer:stop()
print(timer.name, math.type(ms), ms >= 0, timer:stop() == ms)

print("\n== Values, also those that contain themselves")
local list = { "a", { n = 1.5 }, true }
list[4] = list
local function show(text) print((text:gsub("0x%x+", "0x..."))) end
show(Debug.dumpCompact(list))
show(Debug.dump({ name = "x", tags = { 1, 2 } }, "value"))
