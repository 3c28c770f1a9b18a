package lua

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var (
	genCount = flag.Int("gen", 60, "number of generated programs")
	genDir   = flag.String("gendir", "", "directory for generated programs that fail")
	genSeed  = flag.Uint64("genseed", 0, "seed of the first generated program")
)

// genPrelude bounds a generated program: tick ends it after a number of steps,
// cut bounds strings, show prints values without addresses or orders.
const genPrelude = `local steps = 0
local function tick() steps = steps + 1 if steps > 3000 then error("out of steps", 0) end end
local function tostring(v)
  local t = type(v)
  return (t == "table" or t == "function" or t == "thread") and t or v ~= v and "nan" or _G.tostring(v)
end
local depth, rawpcall = 0, pcall
local function leave(...) depth = depth - 1 return ... end
local function pcall(...)
  if depth >= 20 then error("deep pcall", 0) end -- C Lua would overflow the C stack
  depth = depth + 1
  return leave(rawpcall(...))
end
local function cut(v) if type(v) == "string" then v = v:gsub("%-nan", "nan") end if type(v) == "string" and #v > 30 then return v:sub(1, 30) end return v end
local function repr(v, d)
  local t = type(v)
  if t == "function" or t == "thread" then return t end
  if t ~= "table" then return tostring(v) end
  if d > 2 then return "{...}" end
  local out = {}
  for k, x in next, v do out[#out + 1] = repr(k, d + 1) .. "=" .. repr(x, d + 1) end
  table.sort(out)
  return "{" .. table.concat(out, ",") .. "}"
end
local function show(...)
  local out = {}
  for i = 1, select("#", ...) do out[i] = repr((select(i, ...)), 0) end
  print(table.concat(out, " "))
end
local function try(f, ...)
  local r = table.pack(pcall(f, ...))
  show(table.unpack(r, 1, r.n))
end
local mt = {}
for _, op in ipairs { "add", "sub", "mul", "div", "mod", "pow", "unm", "idiv", "band", "bor", "bxor", "shl", "shr", "bnot", "concat", "len", "lt", "le", "eq", "call" } do
  mt["__" .. op] = function(a, b) tick() return op == "lt" or op == "le" and rawequal(a, b) or op == "len" and 3 or op end
end
mt.__index = function(t, k) tick() return type(k) == "string" and k .. "?" or nil end
local function obj(v) return setmetatable({ v = v }, mt) end
`

// generator writes random programs: bounded loops, no I/O, no order or address
// that could differ. Two bugs of 5.4.4 can show up with many programs: an index
// such as up[a == b] of an upvalue reads a wrong register, and x - 0 is
// computed as x + 0, which loses the sign of -0.0.
type generator struct {
	r      *rand.Rand
	b      strings.Builder
	names  int
	scopes [][]genVar // of the current function outwards
	depth  int        // nesting of statements
	loops  []bool     // whether a break is possible, by function
	left   int        // statements left
}

// genVar is a visible variable. typ is what it holds unless the program did
// something odd: n, s, b, t, f, or a for any value.
type genVar struct {
	name     string
	typ      byte
	constant bool
}

func (g *generator) pick(options ...string) string { return options[g.r.IntN(len(options))] }
func (g *generator) chance(percent int) bool       { return g.r.IntN(100) < percent }

func (g *generator) line(format string, args ...any) {
	g.b.WriteString(strings.Repeat("  ", g.depth))
	fmt.Fprintf(&g.b, format+"\n", args...)
}

func (g *generator) fresh() string {
	g.names++
	return fmt.Sprintf("v%d", g.names)
}

func (g *generator) push() { g.scopes = append(g.scopes, nil); g.depth++ }
func (g *generator) pop()  { g.scopes = g.scopes[:len(g.scopes)-1]; g.depth-- }

func (g *generator) declare(name string, typ byte, constant bool) {
	last := len(g.scopes) - 1
	g.scopes[last] = append(g.scopes[last], genVar{name, typ, constant})
}

// variable returns a visible variable of a type ('a': any), preferring recent
// ones, or "".
func (g *generator) variable(typ byte, assignable bool) genVar {
	var fit []genVar
	for _, s := range g.scopes {
		for _, v := range s {
			if (typ == 'a' || v.typ == typ) && !(assignable && v.constant) {
				fit = append(fit, v)
			}
		}
	}
	if len(fit) == 0 {
		return genVar{}
	}
	return fit[max(g.r.IntN(len(fit)), g.r.IntN(len(fit)))]
}

func (g *generator) literal(typ byte) string {
	switch typ {
	case 'n':
		return g.pick("0", "1", "2", "-1", "3", "7", "10", "255", "1.5", "-0.5", "2.0", "1e15", "0x10", "math.maxinteger", "math.mininteger", "1000000")
	case 's':
		return g.pick(`"a"`, `"bc"`, `"10"`, `"0x1"`, `"1.5"`, `""`, `"x y"`)
	case 'b':
		return g.pick("true", "false")
	case 't':
		return g.pick("{}", "{1, 2, 3}", `{x = 1, y = "z"}`, "obj(1)", "{{x = 1}, 2.5}")
	case 'f':
		return g.pick("function(...) tick() return ... end", "function(a) return a end", "math.type", "select", "rawequal", "type")
	}
	return g.pick("nil", "nil", g.literal(g.anyType()))
}

func (g *generator) anyType() byte { return "nnsbtf"[g.r.IntN(6)] }

// expr returns an expression of any type.
func (g *generator) expr(depth int) string {
	switch g.r.IntN(9) {
	case 0:
		return g.typed('a', 0)
	case 1:
		return g.operand('a', depth) + g.pick(" and ", " or ") + g.operand('a', depth)
	case 2:
		return g.call(depth - 1)
	}
	return g.typed(g.anyType(), depth)
}

// typed returns an expression that most often has the given type.
func (g *generator) typed(typ byte, depth int) string {
	if g.chance(3) {
		typ = g.anyType()
	}
	if typ == 'a' && depth > 0 {
		return g.expr(depth)
	}
	if depth <= 0 {
		if v := g.variable(typ, false); v.name != "" && g.chance(75) {
			return v.name
		}
		return g.literal(typ)
	}
	sub := func(t byte) string { return g.operand(t, depth) }
	switch typ {
	case 'n':
		switch g.r.IntN(10) {
		case 0:
			return "#" + g.pick("tostring", "cut") + "(" + g.typed('s', depth-1) + ")"
		case 1:
			return "-" + sub('n')
		case 2:
			return fmt.Sprintf("(%s // 1 %s %s // 1)", g.pick("1", "7", "255", "-3", sub('n')), g.pick("|", "&", "~", "<<", ">>"), g.pick("1", "2", "12", sub('n')))
		case 3:
			return g.operand('n', depth) + g.pick(" and ", " or ") + g.operand('n', depth)
		}
		return sub('n') + g.pick(" + ", " - ", " * ", " / ", " // ", " % ", " + ", " - ") + sub('n')
	case 's':
		switch g.r.IntN(5) {
		case 0:
			return "tostring(" + g.typed(g.pick("n", "s", "b")[0], depth-1) + ")"
		case 1:
			return "type(" + g.expr(depth-1) + ")"
		case 2:
			return "(" + g.typed('s', depth-1) + "):" + g.pick("upper()", "sub(2)", "rep(2)", "sub(1, -2)", "reverse()", "gsub('a', 'b')")
		}
		return fmt.Sprintf("cut(%s .. %s%s)", sub('s'), sub("ns"[g.r.IntN(2)]), g.pick("", " .. "+sub('s'), " .. 1 .. "+sub('n')))
	case 'b':
		switch g.r.IntN(6) {
		case 0:
			return "not " + sub('a')
		case 1:
			return sub('b') + g.pick(" and ", " or ") + sub('b')
		case 2:
			return sub('a') + g.pick(" == ", " ~= ") + g.pick("nil", "1", `"a"`, sub('a'))
		case 3:
			return sub('s') + g.pick(" < ", " <= ", " > ", " == ") + sub('s')
		}
		return sub('n') + g.pick(" < ", " <= ", " > ", " >= ", " == ", " ~= ") + sub('n')
	case 't':
		switch g.r.IntN(4) {
		case 0:
			return fmt.Sprintf("{%s, %s, x = %s}", g.expr(depth-1), g.expr(depth-1), g.expr(depth-1))
		case 1:
			return fmt.Sprintf("{[%s] = %s, %s}", g.pick("1", `"x"`, "2.0", "true", "-3", sub('n')), g.expr(depth-1), g.pick("...", g.expr(depth-1), g.call(depth-1)))
		case 2:
			return "obj(" + g.expr(depth-1) + ")"
		}
		return "(" + g.typed('t', depth-1) + ")"
	case 'f':
		return fmt.Sprintf("function(...) tick() return %s end", g.pick(g.expr(depth-1), "..., "+g.expr(depth-1), g.call(depth-1)))
	}
	return g.typed('a', 0)
}

// operand returns an expression that can stand beside an operator.
func (g *generator) operand(typ byte, depth int) string {
	e := g.typed(typ, depth-1-g.r.IntN(2))
	if strings.HasPrefix(e, "function") || strings.HasPrefix(e, "{") || strings.Contains(e, " ") && g.chance(80) || strings.HasPrefix(e, "-") {
		return "(" + e + ")"
	}
	return e
}

func (g *generator) call(depth int) string {
	args := make([]string, g.r.IntN(4))
	for i := range args {
		args[i] = g.expr(depth)
	}
	list := strings.Join(args, ", ")
	switch g.r.IntN(8) {
	case 0:
		return "select('#', " + g.pick("...", "nil", list+g.comma(list)+"1") + ")"
	case 1:
		if v := g.variable('f', false); v.name != "" {
			return "pcall(" + v.name + g.commaBefore(list) + ")"
		}
	case 2:
		return "(function(...) tick() return " + g.pick("...", list, "..., 1") + " end)(" + list + ")"
	case 3:
		if v := g.variable('t', false); v.name != "" {
			return v.name + g.pick(".x", "[1]", ".y", `["x"]`, "["+g.typed('n', 1)+"]")
		}
	}
	if v := g.variable('f', false); v.name != "" {
		return v.name + "(" + list + ")"
	}
	return "type(" + g.expr(depth) + ")"
}

func (g *generator) comma(list string) string {
	if list == "" {
		return ""
	}
	return ", "
}

func (g *generator) commaBefore(list string) string {
	if list == "" {
		return ""
	}
	return ", " + list
}

func (g *generator) exprs(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = g.expr(2)
	}
	return strings.Join(list, ", ")
}

// target returns something assignable and the type to give it.
func (g *generator) target() (string, byte) {
	if v := g.variable('t', false); v.name != "" && g.chance(40) {
		return v.name + g.pick(".x", ".y", "[1]", "["+g.typed('n', 1)+"]", "["+g.typed('s', 1)+"]"), 'a'
	}
	if v := g.variable('a', true); v.name != "" && g.chance(85) {
		return v.name, v.typ
	}
	return g.pick("G1", "G2", "G3"), 'a'
}

// block writes statements in a new scope.
func (g *generator) block() {
	g.push()
	g.line("tick()")
	for n := 1 + g.r.IntN(4); n > 0 && g.left > 0; n-- {
		g.statement()
	}
	g.pop()
}

func (g *generator) canBreak() bool { return g.loops[len(g.loops)-1] }

// loop writes the body of a loop.
func (g *generator) loop(extra string) {
	old := g.canBreak()
	g.loops[len(g.loops)-1] = true
	g.push()
	g.line("tick()")
	if extra != "" {
		g.line("%s", extra)
	}
	label := ""
	if g.chance(25) {
		label = g.fresh()
		g.line("if %s then goto %s end", g.typed('b', 2), label)
		g.push()
		g.b.WriteString(strings.Repeat("  ", g.depth-1) + "do\n")
	}
	for n := 1 + g.r.IntN(4); n > 0 && g.left > 0; n-- {
		g.statement()
	}
	if label != "" {
		g.pop()
		g.line("end")
		g.line("::%s::", label)
	}
	g.pop()
	g.loops[len(g.loops)-1] = old
}

func (g *generator) function(head string, params []string) {
	g.line("%s(%s)", head, strings.Join(append(params, "..."), ", "))
	g.loops = append(g.loops, false)
	g.push()
	for _, p := range params {
		g.declare(p, 'a', false)
	}
	g.block()
	g.line("return %s", g.pick(g.exprs(1), g.exprs(2), g.call(1), "...", ""))
	g.pop()
	g.loops = g.loops[:len(g.loops)-1]
	g.line("end")
}

func (g *generator) statement() {
	g.left--
	if g.depth > 6 {
		g.line("show(%s)", g.exprs(1))
		return
	}
	switch g.r.IntN(20) {
	case 0, 1, 2:
		g.localStatement()
	case 3, 4, 5:
		target, typ := g.target()
		g.line("%s = %s", target, g.typed(typ, 3))
	case 6:
		t1, typ1 := g.target()
		t2, typ2 := g.target()
		g.line("%s, %s = %s, %s", t1, t2, g.typed(typ1, 2), g.pick(g.typed(typ2, 2), g.call(1)))
	case 7, 8:
		g.line("show(%s)", g.exprs(1+g.r.IntN(3)))
	case 9, 10:
		g.ifStatement()
	case 11:
		v := g.fresh()
		step := g.pick("", "", ", -1", ", 2", ", 0.5")
		g.line("for %s = %s, %s%s do", v, g.pick("1", "0", "3", "1.0"), g.pick("2", "3", "4", "0"), step)
		g.scoped(func() { g.declare(v, 'n', false); g.loop("") })
		g.line("end")
	case 12:
		k, v := g.fresh(), g.fresh()
		g.line("for %s, %s in ipairs({%s}) do", k, v, g.exprs(1+g.r.IntN(3)))
		g.scoped(func() { g.declare(k, 'n', false); g.declare(v, 'a', false); g.loop("") })
		g.line("end")
	case 13:
		c := g.fresh()
		g.line("local %s = 0", c)
		g.line("while %s < 3 and %s do", c, g.pick("true", g.typed('b', 2)))
		g.loop(c + " = " + c + " + 1")
		g.line("end")
	case 14:
		c := g.fresh()
		g.line("local %s = 0", c)
		g.line("repeat")
		g.loop(c + " = " + c + " + 1")
		g.line("until %s > 2 or %s", c, g.typed('b', 2))
	case 15, 16:
		g.functionStatement()
	case 17:
		g.line("do")
		if g.chance(40) {
			g.line("  local %s <close> = setmetatable({}, { __close = function(_, e) show('close', e) end })", g.fresh())
		}
		g.block()
		g.line("end")
	case 18:
		if g.canBreak() && g.chance(60) {
			g.line("if %s then break end", g.typed('b', 2))
			return
		}
		g.line("try(function(...)")
		g.loops = append(g.loops, false)
		g.block()
		g.line("  return %s", g.exprs(1+g.r.IntN(2)))
		g.loops = g.loops[:len(g.loops)-1]
		g.line("end, %s)", g.expr(1))
	case 19:
		g.coroutine()
	}
}

func (g *generator) scoped(f func()) {
	g.scopes = append(g.scopes, nil)
	f()
	g.scopes = g.scopes[:len(g.scopes)-1]
}

func (g *generator) localStatement() {
	n := 1 + g.r.IntN(3)
	var names, shown, values []string
	var types []byte
	constant := g.chance(20)
	for range n {
		name, typ := g.fresh(), g.anyType()
		names, types = append(names, name), append(types, typ)
		values = append(values, g.typed(typ, 3))
		if constant {
			name += " <const>"
		}
		shown = append(shown, name)
	}
	switch {
	case g.chance(8):
		g.line("local %s = %s", strings.Join(shown, ", "), g.call(2))
		for i := range types {
			types[i] = 'a'
		}
	default:
		g.line("local %s = %s", strings.Join(shown, ", "), strings.Join(values, ", "))
	}
	for i, name := range names {
		g.declare(name, types[i], constant)
	}
}

func (g *generator) ifStatement() {
	g.line("if %s then", g.typed('b', 3))
	g.block()
	if g.chance(40) {
		g.line("elseif %s then", g.expr(2))
		g.block()
	}
	if g.chance(50) {
		g.line("else")
		g.block()
	}
	g.line("end")
}

func (g *generator) functionStatement() {
	name := g.fresh()
	var params []string
	for range g.r.IntN(4) {
		params = append(params, g.fresh())
	}
	g.function("local function "+name, params)
	g.declare(name, 'f', true)
	if g.chance(60) {
		g.line("try(%s, %s)", name, g.exprs(1+g.r.IntN(3)))
	}
}

func (g *generator) coroutine() {
	name := g.fresh()
	g.line("local %s = coroutine.wrap(function(...)", name)
	g.loops = append(g.loops, false)
	g.push()
	g.line("local %s = coroutine.yield(%s)", "y"+name, g.exprs(1))
	g.declare("y"+name, 'a', false)
	g.block()
	g.line("return coroutine.yield(%s)", g.exprs(2))
	g.pop()
	g.loops = g.loops[:len(g.loops)-1]
	g.line("end)")
	for range 1 + g.r.IntN(3) {
		g.line("try(%s, %s)", name, g.exprs(1))
	}
}

// generate returns the program of a seed.
func generateProgram(seed uint64) string {
	g := &generator{r: rand.New(rand.NewPCG(seed, 5)), left: 80, loops: []bool{false}, scopes: [][]genVar{nil}}
	g.b.WriteString(genPrelude)
	for g.left > 0 {
		g.line("try(function(...)")
		g.loops = append(g.loops, false)
		g.push()
		for n := 3 + g.r.IntN(5); n > 0 && g.left > 0; n-- {
			g.statement()
		}
		g.line("return %s", g.exprs(1+g.r.IntN(2)))
		g.pop()
		g.loops = g.loops[:len(g.loops)-1]
		g.line("end, %s)", g.literal('a'))
	}
	g.line("show(G1, G2, G3)")
	return g.b.String()
}

func TestGeneratedPrograms(t *testing.T) {
	t.Parallel()
	failed := 0
	for i := range uint64(*genCount) {
		seed := *genSeed + i
		src := generateProgram(seed)
		want := comparable(runThere(t, src))
		mode := diffModes[seed%uint64(len(diffModes))]
		if got := comparable(runHere(t, src, mode.test)); got != want {
			t.Errorf("seed %d, %s: %s", seed, mode.name, firstDifference(got, want))
			if *genDir != "" {
				if err := os.WriteFile(fmt.Sprintf("%s/%d.lua", *genDir, seed), []byte(src), 0o600); err != nil {
					t.Error(err)
				}
			}
			if failed++; failed >= 10 {
				return
			}
		}
	}
}
