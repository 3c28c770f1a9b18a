package luamod_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/llm/llmtest"
	"github.com/llmspell/llmspell/script"
)

// hostilePrelude defines probe(name, f, self, n): it calls f with hostile values
// in each of its parameters, alone and in company, and notes every answer that
// is neither a result nor an error with a code of its own.
const hostilePrelude = `
local cycle = {} cycle.me = cycle
local deep = {} do local t = deep for i = 1, 500 do t.x = {} t = t.x end end
local huge = {} for i = 1, 20000 do huge[i] = i end
local meta = setmetatable({}, {__index = function() error("boom") end, __len = function() error("boom") end,
	__pairs = function() error("boom") end, __tostring = function() error("boom") end, __tojson = function() error("boom") end})
local values = {
	n = 0, true, false, 0, -1, 1, 1.5, 0/0, 1/0, -1/0, math.maxinteger, math.mininteger, 2^53,
	"", "x", "global", "a\0b", "\xff\xfe", string.rep("k", 300), "../../etc/passwd", "calculator", "{", "[1,",
	{}, {1, 2, 3}, {a = 1}, {name = "x"}, {[1.5] = 1}, {[true] = 1}, {[{}] = 1}, {1, nil, 3}, cycle, deep, huge, meta,
	print, function() error("boom") end, function() error({}) end, function() error() end, function() coroutine.yield(1) end,
	function() return cycle end, function(...) return ... end, function() Run.fail("mine", "m") end,
	coroutine.create(print), JSON.null, JSON.array(), io.stdout, JSON, Tool, _G,
}
local count = 0 for k in pairs(values) do if type(k) == "number" then count = math.max(count, k) end end
local strange, calls = {}, 0
local function try(name, f, ...)
	calls = calls + 1
	local ok, e = pcall(f, ...)
	if ok then return end
	if type(e) == "string" and e:find("boom", 1, true) then return end
	if type(e) == "table" and type(e.code) == "string" and e.code ~= "internal" and type(e.message) == "string" and e.message ~= "" then return end
	if (type(e) == "table" and next(e) == nil and getmetatable(e) == nil) or e == nil then return end -- what a callback raised
	if type(e) == "string" and e:find("attempt to yield", 1, true) then return end
	if type(e) == "string" and (name:find("^Debug%.") or e:find("expected", 1, true)) then strange[#strange + 1] = name .. ": " .. e return end
	strange[#strange + 1] = name .. ": " .. tostring(type(e) == "table" and e.code or "") .. " " .. tostring(e)
end
local usual = {"x", {}, 1, print, "global", true}
function probe(name, f, n, fields, self)
	local at = 0
	local args = {}
	if self ~= nil then args[1] = self at = 1 end
	try(name, f, table.unpack(args, 1, at))
	for i = 1, n do
		for v = 1, count do
			for u = 0, #usual do
				for j = 1, n do args[at + j] = usual[u] end
				args[at + i] = values[v]
				try(name, f, table.unpack(args, 1, at + n))
			end
		end
	end
	-- the fields of tables of options, beside the required ones
	for _, field in ipairs(fields) do
		for v = 1, count do
			for j = 1, n do args[at + j] = "x" end
			args[at + field.param] = field.with()
			args[at + field.param][field.name] = values[v]
			try(name .. " " .. field.name, f, table.unpack(args, 1, at + n))
		end
	end
end
function answer() return calls, strange end
`

// makers are expressions for a handle of each class.
var makers = map[string]string{
	"Agent": `Agent.create{name="probe", replace=true}`, "AgentBuilder": `Agent.builder()`, "Tool": `Tool.get("calculator")`,
	"Timer": `Debug.timer("t")`, "Logger": `Logger.with{a = 1}`,
}

// TestHostileArguments calls every function of every module with values that no
// sane script passes. Nothing panics, and every failure has a code.
func TestHostileArguments(t *testing.T) {
	t.Parallel()
	modules := newWorld(t, llmtest.Fake(), t.TempDir()).lib.Modules()
	for _, m := range modules {
		for _, f := range m.Funcs {
			if m.Name+"."+f.Name != "Run.sleep" { // waits as long as it is told
				probeRow(t, m, f, "", m.Name+"."+f.Name)
			}
		}
		for _, c := range m.Classes {
			maker, ok := makers[c.Name]
			if !ok {
				t.Errorf("class %s: no maker", c.Name)
			}
			for _, f := range c.Methods {
				probeRow(t, m, f, maker, c.Name+":"+f.Name)
			}
		}
	}
}

func probeRow(t *testing.T, m bind.Module, f script.Func, maker, name string) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		tmp := t.TempDir()
		call := fmt.Sprintf("probe(%q, %s.%s, %d, %s)", name, m.Name, f.Name, len(f.Params), fieldList(f))
		if maker != "" {
			call = fmt.Sprintf("local h = %s probe(%q, h.%s, %d, %s, h)", maker, name, f.Name, len(f.Params), fieldList(f))
		}
		value, _ := newWorld(t, llmtest.Fake(), tmp).run(t, hostilePrelude+call+" return answer()", tmp, nil)
		if !strings.HasSuffix(value, ",{}]") {
			t.Errorf("%.3000s", value)
		}
	})
}

// fieldList names the fields of a row's tables of options, in Lua.
func fieldList(f script.Func) string {
	var b strings.Builder
	for i, p := range f.Params {
		with := ""
		for _, field := range p.Fields {
			if field.Required {
				with += field.Name + " = " + sample(field) + ", "
			}
		}
		for _, field := range p.Fields {
			fmt.Fprintf(&b, "{param = %d, name = %q, with = function() return {%s} end}, ", i+1, field.Name, with)
		}
	}
	return "{" + b.String() + "}"
}

func sample(p script.Param) string {
	switch {
	case len(p.Enum) > 0:
		return fmt.Sprintf("%q", p.Enum[0])
	case p.Type == script.TypeString:
		return `"x"`
	case p.Type == script.TypeFunction:
		return "print"
	case p.Type == script.TypeTable, p.Type == script.TypeArray, p.Type == script.TypeOptions:
		return "{}"
	}
	return "1"
}
