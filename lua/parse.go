package lua

import (
	"strconv"
	"strings"
)

const (
	// maxLevels bounds the nesting of statements, expressions and assignment
	// targets: C Lua's 200 C levels less the two that load itself uses.
	maxLevels = 198
	// maxDepth bounds the height of an expression, which operators in a row
	// ("a + a + ...") and calls in a row can raise without nesting.
	maxDepth = 10000
)

// parser turns tokens into a syntax tree and binds names on the way, so that
// errors come in the order of the source.
type parser struct {
	lexer
	tok      token
	ahead    token // valid if hasAhead
	hasAhead bool
	lastLine int32 // of the last consumed token
	levels   int
	ngotos   int
	scope    *functionScope
	names    map[string]*local // visible variables, innermost of each name
}

func decimal(n int) string { return strconv.Itoa(n) }

// parse returns the main function of a source text. asExpression parses an
// expression list as if "return" came before it.
func parse(name, src string, asExpression bool) (fn *functionExpr, err *SyntaxError) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			fn, err = nil, e
		}
	}()
	p := &parser{names: map[string]*local{}}
	p.chunk, p.src, p.line = chunkID(name), src, 1
	p.skipFirstLine()
	fn = &functionExpr{pos: pos{1, 1}, isVararg: true}
	p.openFunction(fn, 0)
	env := &local{name: envName}
	p.names[envName] = env
	p.capture(p.scope, env)
	p.tok = p.lexer.next()
	if asExpression {
		r := &returnStat{pos: p.tok.pos, exprs: p.exprList()}
		p.accept(';')
		r.end = p.lastLine
		fn.body.stats = []stat{r}
	} else {
		fn.body = p.statList()
	}
	p.check(tokEOF)
	fn.end = p.line
	p.closeFunction()
	return fn, nil
}

// skipFirstLine skips a first line that starts with '#'.
func (p *parser) skipFirstLine() {
	if !strings.HasPrefix(p.src, "#") {
		return
	}
	if i := strings.IndexByte(p.src, '\n'); i >= 0 {
		p.off = i
	} else {
		p.off = len(p.src)
	}
}

// Errors.

// failNear raises a syntax error at the current token.
func (p *parser) failNear(msg string) {
	p.start = p.tok.pos
	p.fail(msg, p.text(&p.tok))
}

// failPlain raises an error that does not show the current token.
func (p *parser) failPlain(msg string) {
	p.start = p.tok.pos
	p.fail(msg, "")
}

func (p *parser) failExpected(k tokenKind) { p.failNear(k.quote() + " expected") }

func (p *parser) failLimit(limit int, what string) { p.failLimitIn(p.scope, limit, what) }

func (p *parser) failLimitIn(s *functionScope, limit int, what string) {
	where := "main function"
	if s.line > 0 {
		where = "function at line " + decimal(int(s.line))
	}
	p.failNear("too many " + what + " (limit is " + decimal(limit) + ") in " + where)
}

func (p *parser) enter() {
	p.levels++
	if p.levels >= maxLevels {
		p.failPlain(stackOverflow)
	}
}

func (p *parser) leave() { p.levels-- }

// height returns the height of a node over the given ones.
func (p *parser) height(below int32) int32 {
	d := below + 1
	if d > maxDepth {
		p.failNear("chunk has too many syntax levels")
	}
	p.scope.depth = max(p.scope.depth, d)
	return d
}

// Tokens.

func (p *parser) advance() {
	p.lastLine = p.tok.endLine
	if p.hasAhead {
		p.tok, p.hasAhead = p.ahead, false
		return
	}
	p.tok = p.lexer.next()
}

func (p *parser) accept(k tokenKind) bool {
	if p.tok.kind != k {
		return false
	}
	p.advance()
	return true
}

func (p *parser) check(k tokenKind) {
	if p.tok.kind != k {
		p.failExpected(k)
	}
}

func (p *parser) expect(k tokenKind) {
	p.check(k)
	p.advance()
}

// expectClosing expects what closes the token open of the given line.
func (p *parser) expectClosing(k, open tokenKind, line int32) {
	if p.tok.kind == k {
		p.advance()
		return
	}
	if line == p.line {
		p.failExpected(k)
	}
	p.failNear(k.quote() + " expected (to close " + open.quote() + " at line " + decimal(int(line)) + ")")
}

func (p *parser) expectName() (string, pos) {
	p.check(tokName)
	name, at := p.src[p.tok.start:p.tok.end], p.tok.pos
	p.advance()
	return name, at
}

// Statements.

// blockEnd reports whether the current token ends a block.
func (p *parser) blockEnd(withUntil bool) bool {
	switch p.tok.kind {
	case tokElse, tokElseif, tokEnd, tokEOF:
		return true
	case tokUntil:
		return withUntil
	}
	return false
}

func (p *parser) statList() (b block) {
	for !p.blockEnd(true) {
		if p.tok.kind == tokReturn {
			b.stats = append(b.stats, p.statement())
			break
		}
		if s := p.statement(); s != nil {
			b.stats = append(b.stats, s)
		}
	}
	return b
}

// block parses a block with its own scope.
func (p *parser) block(isLoop bool) block {
	p.openBlock(isLoop)
	b := p.statList()
	p.closeBlock()
	return b
}

// statement returns nil for an empty statement.
func (p *parser) statement() stat {
	p.enter()
	defer p.leave()
	at := p.tok.pos
	switch p.tok.kind {
	case ';':
		p.advance()
		return nil
	case tokIf:
		return p.ifStat(at)
	case tokWhile:
		return p.whileStat(at)
	case tokDo:
		p.advance()
		body := p.block(false)
		p.expectClosing(tokEnd, tokDo, at.line)
		return &doStat{at, body}
	case tokFor:
		return p.forStat(at)
	case tokRepeat:
		return p.repeatStat(at)
	case tokFunction:
		return p.functionStat(at)
	case tokLocal:
		p.advance()
		if p.accept(tokFunction) {
			return p.localFunction(at)
		}
		return p.localStat(at)
	case tokDoubleColon:
		p.advance()
		name, _ := p.expectName()
		return p.labelStat(name, at)
	case tokReturn:
		p.advance()
		return p.returnStat(at)
	case tokBreak:
		p.advance()
		if !p.scope.inLoop() {
			p.jump(&gotoStat{pos: at}, true)
		}
		return &breakStat{at}
	case tokGoto:
		p.advance()
		name, _ := p.expectName()
		g := &gotoStat{pos: at, name: name}
		p.jump(g, false)
		return g
	}
	return p.exprStat(at)
}

func (p *parser) ifStat(at pos) stat {
	s := &ifStat{pos: at}
	clause := func() {
		p.advance()
		cond := p.expr()
		p.expect(tokThen)
		s.clauses = append(s.clauses, ifClause{cond, p.block(false)})
	}
	clause()
	for p.tok.kind == tokElseif {
		clause()
	}
	if p.accept(tokElse) {
		s.orElse = new(p.block(false))
	}
	p.expectClosing(tokEnd, tokIf, at.line)
	return s
}

func (p *parser) whileStat(at pos) stat {
	p.advance()
	cond := p.expr()
	p.openBlock(true)
	p.expect(tokDo)
	body := p.block(false)
	p.expectClosing(tokEnd, tokWhile, at.line)
	p.closeBlock()
	return &whileStat{at, cond, body, p.lastLine}
}

func (p *parser) repeatStat(at pos) stat {
	p.openBlock(true)
	p.openBlock(false)
	p.advance()
	body := p.statList()
	p.expectClosing(tokUntil, tokRepeat, at.line)
	cond := p.expr() // sees the variables of the body
	p.closeBlock()
	p.closeBlock()
	return &repeatStat{at, body, cond, p.lastLine}
}

const hiddenName = "(for state)"

func (p *parser) forStat(at pos) stat {
	p.openBlock(true)
	p.advance()
	name, nameAt := p.expectName()
	var s stat
	switch p.tok.kind {
	case '=':
		s = p.numericFor(at, name, nameAt)
	case ',', tokIn:
		s = p.genericFor(at, name, nameAt)
	default:
		p.failNear("'=' or 'in' expected")
	}
	p.closeBlock()
	return s
}

func (p *parser) numericFor(at pos, name string, nameAt pos) stat {
	s := &numericForStat{pos: at}
	for i := range s.hidden {
		s.hidden[i] = p.declare(hiddenName, at)
	}
	s.v = p.declare(name, nameAt)
	p.expect('=')
	s.start = p.expr()
	p.expect(',')
	s.limit = p.expr()
	if p.accept(',') {
		s.step = p.expr()
	}
	p.activate(s.hidden[:]...)
	s.do = p.line
	s.body = p.forBody(at, s.v)
	s.end = p.lastLine
	return s
}

func (p *parser) genericFor(at pos, name string, nameAt pos) stat {
	s := &genericForStat{pos: at}
	for i := range s.hidden {
		s.hidden[i] = p.declare(hiddenName, at)
	}
	s.hidden[3].attrib = attribClose
	s.vars = []*local{p.declare(name, nameAt)}
	for p.accept(',') {
		s.vars = append(s.vars, p.declare(p.expectName()))
	}
	p.expect(tokIn)
	s.in = p.line
	s.exprs = p.exprList()
	p.activate(s.hidden[:]...)
	s.do = p.line
	s.body = p.forBody(at, s.vars...)
	s.end = p.lastLine
	return s
}

// forBody parses "do body end" with the loop's variables.
func (p *parser) forBody(at pos, vars ...*local) block {
	p.expect(tokDo)
	p.openBlock(false)
	p.activate(vars...)
	body := p.statList()
	p.closeBlock()
	p.expectClosing(tokEnd, tokFor, at.line)
	return body
}

func (p *parser) functionStat(at pos) stat {
	p.advance()
	name, nameAt := p.expectName()
	var target expr = p.variable(name, nameAt)
	isMethod := false
	for p.tok.kind == '.' || p.tok.kind == ':' {
		isMethod = p.tok.kind == ':'
		sep := string(rune(p.tok.kind))
		target = p.field(target)
		name += sep + target.(*indexExpr).key.(*constExpr).val.s
		if isMethod {
			break
		}
	}
	fn := p.functionBody(at, isMethod)
	fn.name = name
	p.checkAssignable(target)
	return &functionStat{at, target, fn}
}

func (p *parser) localFunction(at pos) stat {
	name, nameAt := p.expectName()
	v := p.declare(name, nameAt)
	p.activate(v)
	fn := p.functionBody(p.tok.pos, false)
	fn.name = name
	return &localFunctionStat{at, v, fn}
}

func (p *parser) localStat(at pos) stat {
	s := &localStat{pos: at}
	hasClose := false
	for {
		v := p.declare(p.expectName())
		if v.attrib = p.attrib(); v.attrib == attribClose {
			if hasClose {
				p.failPlain("multiple to-be-closed variables in local list")
			}
			hasClose = true
		}
		s.vars = append(s.vars, v)
		if !p.accept(',') {
			break
		}
	}
	if p.accept('=') {
		s.exprs = p.exprList()
	}
	if last := s.vars[len(s.vars)-1]; last.attrib == attribConst && len(s.vars) == len(s.exprs) {
		if k, ok := constOf(s.exprs[len(s.exprs)-1]); ok {
			last.konst = &k
		}
	}
	p.activate(s.vars...)
	s.end = p.lastLine
	return s
}

func (p *parser) attrib() uint8 {
	if !p.accept('<') {
		return attribRegular
	}
	name, _ := p.expectName()
	p.expect('>')
	switch name {
	case "const":
		return attribConst
	case "close":
		return attribClose
	}
	p.failPlain("unknown attribute '" + name + "'")
	return 0
}

func (p *parser) labelStat(name string, at pos) stat {
	p.expect(tokDoubleColon)
	l := &labelStat{pos: at, name: name}
	// Labels and semicolons that follow belong to this label, as far as the end
	// of the block is concerned.
	var more []stat
	for p.tok.kind == ';' || p.tok.kind == tokDoubleColon {
		if s := p.statement(); s != nil {
			more = append(more, s)
		}
	}
	if old := p.scope.labels[name]; old != nil {
		p.failPlain("label '" + name + "' already defined on line " + decimal(int(old.line)))
	}
	p.label(l, p.blockEnd(false))
	if more == nil {
		return l
	}
	return &doStat{at, block{append([]stat{l}, more...)}}
}

func (p *parser) returnStat(at pos) stat {
	s := &returnStat{pos: at}
	if !p.blockEnd(true) && p.tok.kind != ';' {
		s.exprs = p.exprList()
	}
	s.end = p.lastLine
	p.accept(';')
	return s
}

// exprStat parses a call or an assignment.
func (p *parser) exprStat(at pos) stat {
	e := p.suffixedExpr()
	if p.tok.kind != '=' && p.tok.kind != ',' {
		call, ok := e.(*callExpr)
		if !ok {
			p.failNear("syntax error")
		}
		return &callStat{at, call}
	}
	s := &assignStat{pos: at}
	levels := p.levels
	for {
		switch e.(type) {
		case *nameExpr, *indexExpr:
		default:
			p.failNear("syntax error")
		}
		p.checkAssignable(e)
		s.targets = append(s.targets, e)
		if !p.accept(',') {
			break
		}
		e = p.suffixedExpr()
		p.enter()
	}
	p.expect('=')
	s.exprs = p.exprList()
	p.levels = levels
	s.end = p.lastLine
	return s
}
