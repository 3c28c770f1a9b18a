package lua

import "slices"

// Limits of C Lua.
const (
	maxLocals   = 200
	maxUpvalues = 255
)

const envName = "_ENV"

// functionScope is a function being parsed.
type functionScope struct {
	parent  *functionScope
	fn      *functionExpr
	block   *blockScope
	pending int      // locals declared but not yet active
	active  []*local // active variables, compile-time constants included
	upvals  map[*local]int
	labels  map[string]*labelStat // visible labels
	env     *nameExpr             // last reference to _ENV, reused while it means the same
	depth   int32                 // height of its tallest expression
	line    int32                 // 0 for the main function
}

// blockScope is a block being parsed.
type blockScope struct {
	parent  *blockScope
	nactive int
	isLoop  bool
	labels  []*labelStat
	gotos   map[string][]*pendingGoto // forward, by label name
}

// pendingGoto is a goto whose label has not been seen, or a break outside any
// loop. nactive goes down as blocks around it close.
type pendingGoto struct {
	stat    *gotoStat
	nactive int
	order   int
	isBreak bool
}

// open starts a function's scope. The caller opens its block.
func (p *parser) openFunction(fn *functionExpr, line int32) {
	p.scope = &functionScope{parent: p.scope, fn: fn, line: line, upvals: map[*local]int{}}
	p.openBlock(false)
}

func (p *parser) closeFunction() {
	s := p.scope
	p.closeBlock()
	p.scope = s.parent
	if s.parent != nil {
		s.fn.depth = p.height(s.depth)
	}
}

func (p *parser) openBlock(isLoop bool) {
	s := p.scope
	s.block = &blockScope{parent: s.block, nactive: len(s.active), isLoop: isLoop}
}

// closeBlock ends the innermost block: its variables and labels disappear, its
// pending gotos move to the block around it.
func (p *parser) closeBlock() {
	s := p.scope
	b := s.block
	for _, l := range b.labels {
		delete(s.labels, l.name)
	}
	p.deactivate(b.nactive)
	s.block = b.parent
	if len(b.gotos) == 0 {
		return
	}
	if b.parent == nil {
		p.failUndefined(b)
	}
	if b.parent.gotos == nil {
		b.parent.gotos = map[string][]*pendingGoto{}
	}
	for name, list := range b.gotos {
		for _, g := range list {
			g.nactive = min(g.nactive, b.nactive)
		}
		b.parent.gotos[name] = append(b.parent.gotos[name], list...)
	}
}

// failUndefined reports the first of the gotos that found no label.
func (p *parser) failUndefined(b *blockScope) {
	var first *pendingGoto
	for _, list := range b.gotos {
		for _, g := range list {
			if first == nil || g.order < first.order {
				first = g
			}
		}
	}
	line := decimal(int(first.stat.line))
	if first.isBreak {
		p.failPlain("break outside a loop at line " + line)
	}
	p.failPlain("no visible label '" + first.stat.name + "' for <goto> at line " + line)
}

// declare makes a variable that is not yet visible.
func (p *parser) declare(name string, at pos) *local {
	s := p.scope
	s.pending++
	if len(s.active)+s.pending > maxLocals {
		p.failLimit(maxLocals, "local variables")
	}
	return &local{pos: at, name: name, owner: s}
}

// activate makes declared variables visible.
func (p *parser) activate(vars ...*local) {
	s := p.scope
	for _, v := range vars {
		v.index = len(s.active)
		v.shadowed = p.names[v.name]
		p.names[v.name] = v
		s.active = append(s.active, v)
	}
	s.pending -= len(vars)
}

// deactivate ends the visibility of all but the first n variables.
func (p *parser) deactivate(n int) {
	s := p.scope
	for _, v := range slices.Backward(s.active[n:]) {
		if v.shadowed == nil {
			delete(p.names, v.name)
		} else {
			p.names[v.name] = v.shadowed
		}
	}
	s.active = s.active[:n]
}

// variable binds a name at its use.
func (p *parser) variable(name string, at pos) *nameExpr {
	v := p.names[name]
	if v == nil {
		return &nameExpr{pos: at, name: name, env: p.envRef(at), upvalue: -1}
	}
	e := &nameExpr{pos: at, name: name, local: v, upvalue: -1}
	if v.owner != p.scope && v.konst == nil {
		e.upvalue = p.capture(p.scope, v)
	}
	return e
}

// envRef returns a reference to the current _ENV.
func (p *parser) envRef(at pos) *nameExpr {
	s := p.scope
	if s.env == nil || s.env.local != p.names[envName] {
		s.env = p.variable(envName, at)
	}
	return s.env
}

// capture returns the index of v among the upvalues of s, adding it to s and
// to the functions between s and v's owner.
func (p *parser) capture(s *functionScope, v *local) int {
	if i, ok := s.upvals[v]; ok {
		return i
	}
	d := upvalDesc{name: v.name, attrib: v.attrib, fromLocal: true}
	if s.parent != nil && s.parent != v.owner {
		d.fromLocal = false
		d.index = uint8(p.capture(s.parent, v))
	}
	v.captured = true
	i := len(s.fn.upvals)
	if i >= maxUpvalues {
		p.failLimitIn(s, maxUpvalues, "upvalues")
	}
	s.fn.upvals = append(s.fn.upvals, d)
	s.upvals[v] = i
	s.fn.captures = append(s.fn.captures, v)
	return i
}

// label defines a label; last says that only no-op statements follow in the
// block, so that it lies outside the scope of the block's variables.
func (p *parser) label(l *labelStat, last bool) {
	s := p.scope
	b := s.block
	if s.labels == nil {
		s.labels = map[string]*labelStat{}
	}
	s.labels[l.name] = l
	b.labels = append(b.labels, l)
	l.nactive = len(s.active)
	if last {
		l.nactive = b.nactive
	}
	for _, g := range b.gotos[l.name] {
		if g.nactive < l.nactive {
			p.failPlain("<goto " + l.name + "> at line " + decimal(int(g.stat.line)) +
				" jumps into the scope of local '" + s.active[g.nactive].name + "'")
		}
		g.stat.target = l
	}
	delete(b.gotos, l.name)
}

// jump binds a goto to a visible label or leaves it pending.
func (p *parser) jump(g *gotoStat, isBreak bool) {
	s := p.scope
	if !isBreak {
		if g.target = s.labels[g.name]; g.target != nil {
			return
		}
	}
	b := s.block
	if b.gotos == nil {
		b.gotos = map[string][]*pendingGoto{}
	}
	p.ngotos++
	name := g.name
	if isBreak {
		name = "break" // a keyword: no label has this name
	}
	b.gotos[name] = append(b.gotos[name], &pendingGoto{g, len(s.active), p.ngotos, isBreak})
}

// inLoop reports whether a break here has a loop.
func (s *functionScope) inLoop() bool {
	for b := s.block; b != nil; b = b.parent {
		if b.isLoop {
			return true
		}
	}
	return false
}

// checkAssignable refuses assignment to constants.
func (p *parser) checkAssignable(e expr) {
	if n, ok := e.(*nameExpr); ok && n.local != nil && n.local.attrib != attribRegular {
		p.failPlain("attempt to assign to const variable '" + n.name + "'")
	}
}
