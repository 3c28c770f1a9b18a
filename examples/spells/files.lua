-- Files: the file tool and io, both inside the folders the configuration allows.
--
--   llmspell run examples/spells/files.lua --set runtime.security.allow_file_access=true --set tools.file_operations.allowed_paths=["$DIR"] -- --dir $DIR

local dir = assert(ARGS.dir, "say where: -- --dir FOLDER")

local function file(params)
  params.path = dir .. "/" .. params.path
  return Tool.execute("file-operations", params)
end

print("== The tool makes folders on the way")
file { operation = "write", path = "notes/one.txt", input = "first line\n" }
file { operation = "append", path = "notes/one.txt", input = "second line\n" }
io.write(file({ operation = "read", path = "notes/one.txt" }).text)

print("\n== io works as in Lua")
local out = assert(io.open(dir .. "/notes/two.csv", "w"))
out:write("name,count\n", "pen,12\n", "ink,0\n")
out:close()
local total = 0
for line in io.lines(dir .. "/notes/two.csv") do
  total = total + (tonumber(line:match(",(%d+)$")) or 0)
end
print("total: " .. total)
print(io.open(dir .. "/notes/three.txt") == nil and "no third note")

print("\n== What is there")
local names = {}
for _, entry in ipairs(file({ operation = "list_dir", path = "notes" }).result.entries) do names[#names + 1] = entry.name end
table.sort(names)
print(table.concat(names, ", "))

print("\n== Outside of the allowed folders nothing is touched")
print(Config.isFileAccessAllowed(dir .. "/x.txt"), Config.isFileAccessAllowed("/etc/passwd"))
local _, e = pcall(Tool.execute, "file-operations", { operation = "read", path = "/etc/passwd" })
print(e.code)

os.remove(dir .. "/notes/one.txt")
os.remove(dir .. "/notes/two.csv")
os.remove(dir .. "/notes")
print("\nleft: " .. tostring(file({ operation = "exists", path = "notes" }).result.exists))
