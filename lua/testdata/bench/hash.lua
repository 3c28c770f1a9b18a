-- Reads and writes under keys computed at run time.
local words, counts = {}, {}
for i = 1, 500 do words[i] = "word" .. i end
for round = 1, 6000 do
  for i = 1, 500 do
    local w = words[i]
    counts[w] = (counts[w] or 0) + 1
  end
end
local hits = 0
for i = 1, 1000000 do
  if counts["word" .. i % 700] then hits = hits + 1 end
end
local sum = 0
for _ = 1, 1000 do
  for _, v in pairs(counts) do sum = sum + v end
end
assert(counts.word1 == 6000 and hits > 0 and sum == 1000 * 500 * 6000)
