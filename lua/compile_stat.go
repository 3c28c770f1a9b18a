package lua

// block compiles a block with its own variables. line is where it ends.
func (f *function) block(b *block, line int32) {
	n := len(f.active)
	f.statements(b)
	f.endBlock(n, line)
}

// endBlock ends the variables of a block, closing them if control gets here.
func (f *function) endBlock(n int, line int32) {
	if !f.endsPath() {
		f.close(n, line)
	}
	f.leave(n)
}

func (f *function) statements(b *block) {
	for _, s := range b.stats {
		f.statement(s)
		f.free = f.nvars
	}
}

func (f *function) statement(s stat) {
	switch s := s.(type) {
	case *localStat:
		f.localStat(s)
	case *assignStat:
		f.assignStat(s)
	case *callStat:
		f.call(s.call, 0)
	case *doStat:
		f.block(&s.body, s.line)
	case *whileStat:
		f.whileStat(s)
	case *repeatStat:
		f.repeatStat(s)
	case *ifStat:
		f.ifStat(s)
	case *numericForStat:
		f.numericFor(s)
	case *genericForStat:
		f.genericFor(s)
	case *functionStat:
		f.functionStat(s)
	case *localFunctionStat:
		f.localFunction(s)
	case *returnStat:
		f.returnStat(s)
	case *breakStat:
		if !f.loop.closes {
			f.close(f.loop.nactive, s.line)
		}
		f.loop.breaks = append(f.loop.breaks, f.jump(s.line)...)
	case *gotoStat:
		f.gotoStat(s)
	case *labelStat:
		l := f.label(s)
		l.pc = f.here()
		f.patch(l.pending)
	}
}

func (f *function) label(s *labelStat) *labelState {
	l := f.labels[s]
	if l == nil {
		l = &labelState{pc: -1}
		f.labels[s] = l
	}
	return l
}

func (f *function) gotoStat(s *gotoStat) {
	l := f.label(s.target)
	f.close(min(s.target.nactive, len(f.active)), s.line)
	if l.pc >= 0 {
		f.jumpBack(l.pc, s.line)
		return
	}
	l.pending = append(l.pending, f.jump(s.line)...)
}

func (f *function) enterLoop() *loopState {
	f.loop = &loopState{outer: f.loop, nactive: len(f.active)}
	return f.loop
}

// exitLoop makes breaks jump to the next instruction.
func (f *function) exitLoop() {
	f.patch(f.loop.breaks)
	f.loop = f.loop.outer
}

func (f *function) whileStat(s *whileStat) {
	start := f.here()
	exit := f.cond(s.cond, false)
	f.free = f.nvars
	f.enterLoop()
	f.block(&s.body, s.end)
	if !f.endsPath() {
		f.jumpBack(start, s.end)
	}
	f.patch(exit)
	f.exitLoop()
}

func (f *function) repeatStat(s *repeatStat) {
	start := f.here()
	f.enterLoop()
	n := len(f.active)
	f.statements(&s.body)
	if !f.endsPath() {
		exit := f.cond(s.cond, true)
		f.close(n, s.end)
		f.jumpBack(start, s.end)
		if len(exit) > 0 {
			f.patch(exit)
			f.close(n, s.end)
		}
	}
	f.leave(n)
	f.exitLoop()
}

func (f *function) ifStat(s *ifStat) {
	var end jumps
	for i := range s.clauses {
		c := &s.clauses[i]
		last := i == len(s.clauses)-1 && s.orElse == nil
		if last && f.jumpClause(c) {
			continue
		}
		skip := f.cond(c.cond, false)
		f.free = f.nvars
		f.block(&c.body, c.cond.at().line)
		if !last && !f.endsPath() {
			end = append(end, f.jump(f.lastLine())...)
		}
		f.patch(skip)
	}
	if s.orElse != nil {
		f.block(s.orElse, s.line)
	}
	f.patch(end)
}

// jumpClause compiles "if cond then break end" and forward gotos as one
// conditional jump, when nothing has to be closed.
func (f *function) jumpClause(c *ifClause) bool {
	if len(c.body.stats) != 1 {
		return false
	}
	var list *jumps
	n, mayClose := 0, true
	switch s := c.body.stats[0].(type) {
	case *breakStat:
		list, n, mayClose = &f.loop.breaks, f.loop.nactive, !f.loop.closes
	case *gotoStat:
		l := f.label(s.target)
		if l.pc >= 0 {
			return false
		}
		list, n = &l.pending, min(s.target.nactive, len(f.active))
	default:
		return false
	}
	if mayClose && f.mustClose(n) >= 0 {
		return false
	}
	*list = append(*list, f.cond(c.cond, true)...)
	return true
}

// lastLine is the line of the last instruction.
func (f *function) lastLine() int32 {
	if n := len(f.p.lines); n > 0 {
		return f.p.lines[n-1]
	}
	return f.tree.line
}

func (f *function) numericFor(s *numericForStat) {
	n := len(f.active)
	base := f.free
	f.nextReg(s.start)
	f.nextReg(s.limit)
	if s.step != nil {
		f.nextReg(s.step)
	} else {
		f.nextReg(&constExpr{s.pos, numberConstant(Integer(1))})
	}
	loop := f.enterLoop()
	for _, v := range s.hidden {
		f.declare(v)
	}
	loop.nactive = n
	prep := f.abd(opFORPREP, base, 0, 0, s.do)
	start := f.here()
	inner := len(f.active)
	f.declare(s.v)
	f.statements(&s.body)
	f.endBlock(inner, s.end)
	f.here()
	f.abd(opFORLOOP, base, 0, start-f.pc()-1, s.line)
	f.patch(jumps{prep})
	f.leave(n)
	f.exitLoop()
}

func (f *function) genericFor(s *genericForStat) {
	n := len(f.active)
	base := f.free
	f.assignTo(s.exprs, 4, s.line)
	loop := f.enterLoop()
	for _, v := range s.hidden {
		f.declare(v)
	}
	loop.nactive, loop.closes = len(f.active), true
	prep := f.abd(opTFORPREP, base, 0, 0, s.do)
	start := f.here()
	for _, v := range s.vars {
		f.declare(v)
	}
	f.reserve(base+7, s.line)
	f.statements(&s.body)
	f.endBlock(loop.nactive, s.end)
	f.patch(jumps{prep})
	f.emit(makeInstr(opTFORCALL, uint8(base), 0, uint8(len(s.vars)), 0), s.in)
	f.abd(opTFORLOOP, base, 0, start-f.pc()-1, s.in)
	f.exitLoop()
	f.emit(makeInstr(opCLOSE, uint8(base+3), 0, 0, 0), s.end)
	f.leave(n)
}

func (f *function) functionStat(s *functionStat) {
	t := f.target(s.target, nil)
	if t.kind == placeLocal {
		f.expr(s.fn, t.reg)
		return
	}
	r := f.alloc(s.line)
	f.expr(s.fn, r)
	f.store(t, r, s.line)
}

func (f *function) localFunction(s *localFunctionStat) {
	r := f.alloc(s.line)
	f.declare(s.v)
	f.p.locals[len(f.p.locals)-1].start = f.pc() + 1
	f.expr(s.fn, r)
}

func (f *function) returnStat(s *returnStat) {
	if len(s.exprs) == 1 {
		if call, ok := s.exprs[0].(*callExpr); ok && !f.hasTBC() {
			f.tailCall(call)
			return
		}
		if r, ok := f.localReg(s.exprs[0]); ok {
			f.ret(r, 2, s.end)
			return
		}
	}
	base := f.free
	n, open := f.pushList(s.exprs)
	if open {
		f.ret(base, 0, s.end)
		return
	}
	f.ret(base, n+1, s.end)
}

// ret emits the return of b-1 values from register a, b = 0: up to the top.
func (f *function) ret(a, b int, line int32) {
	switch {
	case b == 1 && f.mustClose(0) >= 0:
		f.abc(opRETURN, 0, 1, 1, line)
	case f.mustClose(0) >= 0:
		f.abc(opRETURN, a, b, 1, line)
	case b == 1:
		f.abc(opRETURN0, 0, 0, 0, line)
	case b == 2:
		f.abc(opRETURN1, a, 0, 0, line)
	default:
		f.abc(opRETURN, a, b, 0, line)
	}
}

func (f *function) tailCall(e *callExpr) {
	f.call(e, 0)
	i := &f.p.code[f.pc()-1]
	toClose := uint8(0)
	if f.mustClose(0) >= 0 {
		toClose = 1
	}
	*i = makeInstr(opTAILCALL, i.a(), i.b(), toClose, 0)
}
