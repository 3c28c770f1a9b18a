package lua

import (
	"math"
	"strings"
)

// CompileOptions modify Compile.
type CompileOptions struct {
	// Expression compiles the source as "return <source>" if it parses as an
	// expression list, else as it stands.
	Expression bool
}

// Compile parses and compiles source. name follows Lua's convention: "@file",
// "=name", else the text itself. A first line that starts with '#' is skipped.
// The chunk may be used by any number of states. The error is a *SyntaxError;
// precompiled chunks and sources above 10 MiB are refused.
func Compile(name, source string, o CompileOptions) (*Chunk, error) {
	if strings.HasPrefix(source, "\x1b") {
		return nil, &SyntaxError{Chunk: chunkID(name), Msg: "attempt to load a binary chunk (mode is 't')"}
	}
	if len(source) > maxSource {
		return nil, &SyntaxError{Chunk: chunkID(name), Msg: "source text is too large (limit is 10 MiB)"}
	}
	main, err := parseSource(name, source, o.Expression)
	if err != nil {
		return nil, err
	}
	chunk, err := generate(name, source, main)
	if err == nil {
		chunk.expression = o.Expression
	}
	return chunk, err
}

// parseSource tries the expression form first if asked. Of two errors it
// returns the one of the whole chunk, unless only the expression can go on.
func parseSource(name, source string, expression bool) (*functionExpr, error) {
	var exprErr *SyntaxError
	if expression {
		var fn *functionExpr
		if fn, exprErr = parse(name, source, true); exprErr == nil {
			return fn, nil
		}
	}
	fn, err := parse(name, source, false)
	switch {
	case err == nil:
		return fn, nil
	case exprErr != nil && exprErr.Incomplete && !err.Incomplete:
		return nil, exprErr
	}
	return nil, err
}

const (
	maxRegisters  = 250
	maxKeyIndex   = math.MaxUint16 // of a key constant in an instruction
	maxHint       = math.MaxUint16
	maxShortConst = math.MaxUint8 // of a constant in a comparison
	itemsPerFlush = 50            // positional items of a constructor held in registers
)

// errRegisters leaves the compiler when a function needs too many registers.
type errRegisters struct{ line int32 }

// compiler is the state of one chunk's compilation.
type compiler struct {
	chunk   *Chunk
	strings map[string]Value
}

// generate compiles a parsed main function.
func generate(name, source string, main *functionExpr) (chunk *Chunk, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(errRegisters)
			if !ok {
				panic(r)
			}
			chunk, err = nil, &SyntaxError{
				Chunk: chunkID(name), Line: int(e.line), Col: 1, Msg: "function or expression needs too many registers",
			}
		}
	}()
	c := &compiler{chunk: &Chunk{name: name, source: source}, strings: map[string]Value{}}
	f := c.newFunction(nil, main)
	f.body()
	c.chunk.main = f.p
	return c.chunk, nil
}

// function is a function being compiled. Registers are a stack: the active
// variables' below nvars, temporaries up to free.
type function struct {
	*compiler
	p      *Proto
	tree   *functionExpr
	parent *function

	free   int // first free register
	nvars  int // registers of active variables
	active []*local
	infos  []int // index into p.locals of each active variable, -1 for constants

	consts map[constant]int
	labels map[*labelStat]*labelState
	loop   *loopState
	joined int // position of the last jump target: nothing is merged across it
}

// jumps are the positions of jumps whose common target is not known yet.
type jumps []int

type labelState struct {
	pc      int // -1 until the label is compiled
	pending jumps
}

// loopState is an enclosing loop. A break leaves the variables from nactive on.
type loopState struct {
	outer   *loopState
	nactive int
	closes  bool // the code at the loop's exit closes them
	breaks  jumps
}

func (c *compiler) newFunction(parent *function, tree *functionExpr) *function {
	p := &Proto{
		source: c.chunk.name, name: tree.name, lineDefined: int(tree.line), lastLine: int(tree.end),
		nparams: len(tree.params), isVararg: tree.isVararg, upvals: tree.upvals,
		index: len(c.chunk.protos), chunk: c.chunk,
	}
	if parent == nil {
		p.lineDefined, p.lastLine = 0, 0
	}
	c.chunk.protos = append(c.chunk.protos, p)
	return &function{
		compiler: c, p: p, tree: tree, parent: parent, joined: -1,
		consts: map[constant]int{}, labels: map[*labelStat]*labelState{},
	}
}

// body compiles the whole function.
func (f *function) body() {
	for i, v := range f.tree.captures {
		if d := &f.p.upvals[i]; d.fromLocal && f.parent != nil {
			d.index = v.reg
		}
	}
	for _, v := range f.tree.params {
		f.declare(v)
	}
	f.statements(&f.tree.body)
	if !f.endsPath() {
		f.ret(0, 1, f.tree.end)
	}
	f.leave(0)
	f.p.maxStack = max(f.p.maxStack, 2)
	f.p.hash = f.p.computeHash()
	f.p.code = append(f.p.code, 0) // padding: reading ahead stays inside
	f.p.code = f.p.code[: len(f.p.code)-1 : len(f.p.code)]
}

// endsPath reports whether the code cannot run past its end.
func (f *function) endsPath() bool {
	n := len(f.p.code)
	if n == 0 || f.joined == n {
		return false
	}
	return f.p.code[n-1].op().endsPath()
}

// Registers.

// alloc takes the next free register.
func (f *function) alloc(line int32) int {
	r := f.free
	f.free++
	f.reserve(f.free, line)
	return r
}

// reserve makes sure that the first n registers exist.
func (f *function) reserve(n int, line int32) {
	if n > maxRegisters {
		panic(errRegisters{line})
	}
	f.p.maxStack = max(f.p.maxStack, n)
}

// isTemp reports whether r is no variable's register.
func (f *function) isTemp(r int) bool { return r >= f.nvars }

// declare activates a variable; its register, the next one after the active
// ones, holds the value already.
func (f *function) declare(v *local) {
	f.active = append(f.active, v)
	if v.konst != nil {
		f.infos = append(f.infos, -1)
		return
	}
	v.reg = uint8(f.nvars)
	f.nvars++
	f.free = max(f.free, f.nvars)
	f.reserve(f.free, v.line)
	f.infos = append(f.infos, len(f.p.locals))
	f.p.locals = append(f.p.locals, localInfo{name: v.name, reg: v.reg, start: f.pc()})
}

// leave ends all but the first n active variables.
func (f *function) leave(n int) {
	for i, v := range f.active[n:] {
		if v.konst == nil {
			f.p.locals[f.infos[n+i]].end = f.pc()
			f.nvars--
		}
	}
	f.active, f.infos = f.active[:n], f.infos[:n]
	f.free = f.nvars
}

// mustClose returns the first register from which leaving all but the first n
// active variables must close, or -1.
func (f *function) mustClose(n int) int {
	for _, v := range f.active[n:] {
		if v.captured || v.attrib == attribClose {
			return int(v.reg)
		}
	}
	return -1
}

// hasTBC reports whether a to-be-closed variable is active.
func (f *function) hasTBC() bool {
	for _, v := range f.active {
		if v.attrib == attribClose {
			return true
		}
	}
	return false
}

// close emits CLOSE if leaving all but the first n variables needs it.
func (f *function) close(n int, line int32) {
	if r := f.mustClose(n); r >= 0 {
		f.emit(makeInstr(opCLOSE, uint8(r), 0, 0, 0), line)
	}
}

// Code.

func (f *function) pc() int { return len(f.p.code) }

func (f *function) emit(i Instr, line int32) int {
	f.p.code = append(f.p.code, i)
	f.p.lines = append(f.p.lines, line)
	return len(f.p.code) - 1
}

func (f *function) abc(op opcode, a, b, c int, line int32) int {
	return f.emit(makeInstr(op, uint8(a), uint8(b), uint8(c), 0), line)
}

func (f *function) abd(op opcode, a, b, d int, line int32) int {
	return f.emit(makeInstr(op, uint8(a), uint8(b), 0, int32(d)), line)
}

// jump emits a forward jump to be patched.
func (f *function) jump(line int32) jumps { return jumps{f.abd(opJMP, 0, 0, 0, line)} }

// jumpBack emits a jump to an earlier position.
func (f *function) jumpBack(to int, line int32) {
	f.abd(opJMPBACK, 0, 0, to-f.pc()-1, line)
}

// here makes the next instruction a jump target and returns its position.
func (f *function) here() int {
	f.joined = f.pc()
	return f.joined
}

// patch makes list jump to the next instruction.
func (f *function) patch(list jumps) {
	if len(list) == 0 {
		return
	}
	to := f.here()
	for _, at := range list {
		i := f.p.code[at]
		f.p.code[at] = Instr(uint32(i)) | Instr(uint32(int32(to-at-1)))<<32
	}
}

// Constants.

// constant returns the index of k.
func (f *function) constant(k constant) int {
	if i, ok := f.consts[k]; ok {
		return i
	}
	var v Value
	switch k.kind {
	case KindNil:
	case KindFalse, KindTrue:
		v = Boolean(k.kind == KindTrue)
	case KindString:
		v = f.stringValue(k.s)
	default:
		v = k.number()
	}
	i := len(f.p.k)
	f.p.k = append(f.p.k, v)
	f.consts[k] = i
	return i
}

// stringValue returns the chunk's one object for s.
func (c *compiler) stringValue(s string) Value {
	v, ok := c.strings[s]
	if !ok {
		v = internConstant(s)
		c.strings[s] = v
	}
	return v
}

// hinted returns operand D of an instruction with constant key k and the next
// hint slot.
func (f *function) hinted(k int) int32 {
	h := min(f.p.nhints, maxHint)
	f.p.nhints = h + 1
	return int32(uint32(k) | uint32(h)<<16)
}
