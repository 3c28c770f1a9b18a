package lua

func (p *parser) exprList() []expr {
	list := []expr{p.expr()}
	for p.accept(',') {
		list = append(list, p.expr())
	}
	return list
}

func (p *parser) expr() expr { return p.subExpr(0) }

// priorities of the binary operators to the left and right; an operator is
// right associative if its right one is lower.
var priorities = [...]struct{ left, right int }{
	binAdd: {10, 10}, binSub: {10, 10}, binMul: {11, 11}, binMod: {11, 11}, binPow: {14, 13}, binDiv: {11, 11},
	binIDiv: {11, 11}, binBAnd: {6, 6}, binBOr: {4, 4}, binBXor: {5, 5}, binShl: {7, 7}, binShr: {7, 7},
	binConcat: {9, 8}, binEQ: {3, 3}, binNE: {3, 3}, binLT: {3, 3}, binLE: {3, 3}, binGT: {3, 3}, binGE: {3, 3},
	binAnd: {2, 2}, binOr: {1, 1},
	binNone: {0, 0},
}

const unaryPriority = 12

func binaryOperator(k tokenKind) binOp {
	switch k {
	case '+':
		return binAdd
	case '-':
		return binSub
	case '*':
		return binMul
	case '%':
		return binMod
	case '^':
		return binPow
	case '/':
		return binDiv
	case tokIDiv:
		return binIDiv
	case '&':
		return binBAnd
	case '|':
		return binBOr
	case '~':
		return binBXor
	case tokShl:
		return binShl
	case tokShr:
		return binShr
	case tokConcat:
		return binConcat
	case tokEQ:
		return binEQ
	case tokNE:
		return binNE
	case '<':
		return binLT
	case tokLE:
		return binLE
	case '>':
		return binGT
	case tokGE:
		return binGE
	case tokAnd:
		return binAnd
	case tokOr:
		return binOr
	}
	return binNone
}

func unaryOperator(k tokenKind) (unOp, bool) {
	switch k {
	case '-':
		return unMinus, true
	case '~':
		return unBNot, true
	case tokNot:
		return unNot, true
	case '#':
		return unLen, true
	}
	return 0, false
}

// subExpr parses an expression whose operators have a left priority above
// limit.
func (p *parser) subExpr(limit int) expr {
	p.enter()
	defer p.leave()
	var e expr
	if op, ok := unaryOperator(p.tok.kind); ok {
		at := p.tok.pos
		p.advance()
		x := p.subExpr(unaryPriority)
		e = &unExpr{at, op, x, foldUnary(op, x), p.height(depthOf(x))}
	} else {
		e = p.simpleExpr()
	}
	for {
		op := binaryOperator(p.tok.kind)
		if priorities[op].left <= limit {
			return e
		}
		at := p.tok.pos
		p.advance()
		r := p.subExpr(priorities[op].right)
		depth := p.height(max(depthOf(e), depthOf(r)))
		e = &binExpr{at, op, e, r, p.lastLine, foldBinary(op, e, r), depth}
	}
}

func (p *parser) simpleExpr() expr {
	at := p.tok.pos
	var k constant
	switch p.tok.kind {
	case tokInteger, tokFloat, tokString:
		k = p.tok.val
	case tokNil:
		k = constant{kind: KindNil}
	case tokTrue, tokFalse:
		k = booleanConstant(p.tok.kind == tokTrue)
	case tokDots:
		if !p.scope.fn.isVararg {
			p.failNear("cannot use '...' outside a vararg function")
		}
		p.advance()
		return &varargExpr{at}
	case '{':
		return p.tableExpr(at)
	case tokFunction:
		p.advance()
		return p.functionBody(at, false)
	default:
		return p.suffixedExpr()
	}
	p.advance()
	return &constExpr{at, k}
}

func (p *parser) primaryExpr() expr {
	at := p.tok.pos
	switch p.tok.kind {
	case tokName:
		name, _ := p.expectName()
		return p.variable(name, at)
	case '(':
		p.advance()
		x := p.expr()
		p.expectClosing(')', '(', at.line)
		return &parenExpr{at, x, p.height(depthOf(x))}
	}
	p.failNear("unexpected symbol")
	return nil
}

// suffixedExpr parses a primary expression with its fields, indices and calls.
func (p *parser) suffixedExpr() expr {
	line := p.line
	e := p.primaryExpr()
	for {
		switch p.tok.kind {
		case '.':
			e = p.field(e)
		case '[':
			e = p.index(e)
		case ':':
			p.advance()
			name, at := p.expectName()
			e = p.call(&callExpr{fn: e, method: name, nameAt: at.line}, line)
		case '(', '{', tokString:
			e = p.call(&callExpr{fn: e}, line)
		default:
			return e
		}
	}
}

// field parses ".name" or ":name".
func (p *parser) field(obj expr) expr {
	p.advance()
	name, at := p.expectName()
	key := &constExpr{at, stringConstant(name)}
	return &indexExpr{obj.at(), obj, key, true, at.line, p.height(depthOf(obj))}
}

func (p *parser) index(obj expr) expr {
	p.advance()
	key := p.expr()
	p.expect(']')
	return &indexExpr{obj.at(), obj, key, false, p.lastLine, p.height(max(depthOf(obj), depthOf(key)))}
}

// call parses the arguments of a call; errors in the call are reported at line.
func (p *parser) call(e *callExpr, line int32) expr {
	e.pos = pos{line, e.fn.at().col}
	switch at := p.tok.pos; p.tok.kind {
	case '(':
		p.advance()
		if p.tok.kind != ')' {
			e.args = p.exprList()
		}
		p.expectClosing(')', '(', line)
	case '{':
		e.args = []expr{p.tableExpr(at)}
	case tokString:
		e.args = []expr{&constExpr{at, p.tok.val}}
		p.advance()
	default:
		p.failNear("function arguments expected")
	}
	depth := depthOf(e.fn)
	for _, a := range e.args {
		depth = max(depth, depthOf(a))
	}
	e.depth, e.end = p.height(depth), p.lastLine
	return e
}

func (p *parser) tableExpr(at pos) expr {
	e := &tableExpr{pos: at}
	line := p.line
	p.expect('{')
	depth := int32(0)
	for p.tok.kind != '}' {
		item := p.tableItem()
		e.items = append(e.items, item)
		depth = max(depth, depthOf(item.key), depthOf(item.val))
		if !p.accept(',') && !p.accept(';') {
			break
		}
	}
	p.expectClosing('}', '{', line)
	e.depth, e.end = p.height(depth), p.lastLine
	return e
}

func (p *parser) tableItem() (item tableItem) {
	switch p.tok.kind {
	case tokName:
		if !p.hasAhead {
			p.ahead, p.hasAhead = p.lexer.next(), true
		}
		if p.ahead.kind != '=' {
			break
		}
		name, at := p.expectName()
		item.key = &constExpr{at, stringConstant(name)}
		p.expect('=')
	case '[':
		p.advance()
		item.key = p.expr()
		p.expect(']')
		p.expect('=')
	}
	item.val = p.expr()
	return item
}

// functionBody parses parameters and body; "function" is consumed.
func (p *parser) functionBody(at pos, isMethod bool) *functionExpr {
	fn := &functionExpr{pos: at}
	p.openFunction(fn, at.line)
	p.expect('(')
	if isMethod {
		self := p.declare("self", at)
		p.activate(self)
		fn.params = append(fn.params, self)
	}
	p.parameters(fn)
	p.expect(')')
	fn.body = p.statList()
	fn.end = p.line
	p.expectClosing(tokEnd, tokFunction, at.line)
	p.closeFunction()
	return fn
}

func (p *parser) parameters(fn *functionExpr) {
	if p.tok.kind == ')' {
		return
	}
	first := len(fn.params)
	for {
		switch p.tok.kind {
		case tokName:
			fn.params = append(fn.params, p.declare(p.expectName()))
		case tokDots:
			p.advance()
			fn.isVararg = true
		default:
			p.failNear("<name> or '...' expected")
		}
		if fn.isVararg || !p.accept(',') {
			break
		}
	}
	p.activate(fn.params[first:]...)
}
