package lua

import "math"

// placeKind says how a variable is read and written.
type placeKind uint8

const (
	placeLocal   placeKind = iota // R[reg]
	placeUpvalue                  // U[reg]
	placeTabUp                    // U[reg][K[key]]
	placeField                    // R[reg][K[key]]
	placeInt                      // R[reg][key]
	placeTable                    // R[reg][R[key]]
)

// place is a variable whose object and key, if any, are evaluated.
type place struct {
	kind     placeKind
	reg, key int
}

// place evaluates obj and key of obj[key]. scratch is a temporary register or
// noScratch. Variables that later assigns are copied.
func (f *function) place(obj, key expr, scratch int, later []expr) place {
	if n, ok := obj.(*nameExpr); ok && n.env == nil && n.upvalue >= 0 && !assigns(later, n.local) {
		if k, ok := constOf(key); ok && k.kind == KindString {
			if i := f.constant(k); i <= maxKeyIndex {
				return place{placeTabUp, n.upvalue, i}
			}
		}
	}
	return f.placeIn(f.stableOperand(obj, scratch, later), key, later)
}

// placeIn evaluates the key of a field of the table in register t.
func (f *function) placeIn(t int, key expr, later []expr) place {
	if k, ok := constOf(key); ok {
		switch {
		case k.kind == KindString:
			if i := f.constant(k); i <= maxKeyIndex {
				return place{placeField, t, i}
			}
		case k.kind == KindInt && int64(k.n) >= math.MinInt32 && int64(k.n) <= math.MaxInt32:
			return place{placeInt, t, int(int64(k.n))}
		}
	}
	return place{placeTable, t, f.stableOperand(key, noScratch, later)}
}

// stableOperand is operand, but copies a variable that later assigns.
func (f *function) stableOperand(e expr, scratch int, later []expr) int {
	r, ok := f.localReg(e)
	if ok && assignsRegister(later, r) {
		return f.nextReg(e)
	}
	return f.operand(e, scratch)
}

func assigns(targets []expr, v *local) bool {
	for _, t := range targets {
		if n, ok := t.(*nameExpr); ok && n.local == v {
			return true
		}
	}
	return false
}

func assignsRegister(targets []expr, r int) bool {
	for _, t := range targets {
		if n, ok := t.(*nameExpr); ok && n.local != nil && n.upvalue < 0 && int(n.local.reg) == r {
			return true
		}
	}
	return false
}

// target evaluates the parts of an assignment's target. later are the targets
// after it, which are assigned before it.
func (f *function) target(e expr, later []expr) place {
	switch e := e.(type) {
	case *indexExpr:
		return f.place(e.obj, e.key, noScratch, later)
	case *nameExpr:
		switch {
		case e.env != nil:
			return f.place(e.env, &constExpr{e.pos, stringConstant(e.name)}, noScratch, later)
		case e.upvalue >= 0:
			return place{kind: placeUpvalue, reg: e.upvalue}
		}
		return place{kind: placeLocal, reg: int(e.local.reg)}
	}
	panic("lua: not assignable") // the parser lets nothing else through
}

// store assigns register r to t.
func (f *function) store(t place, r int, line int32) {
	switch t.kind {
	case placeLocal:
		f.abc(opMOVE, t.reg, r, 0, line)
	case placeUpvalue:
		f.abc(opSETUPVAL, r, t.reg, 0, line)
	case placeTabUp:
		f.emit(makeInstr(opSETTABUP, uint8(r), uint8(t.reg), 0, f.hinted(t.key)), line)
	case placeField:
		f.emit(makeInstr(opSETFIELD, uint8(t.reg), uint8(r), 0, f.hinted(t.key)), line)
	case placeInt:
		f.abd(opSETINT, t.reg, r, t.key, line)
	case placeTable:
		f.abc(opSETTABLE, t.reg, t.key, r, line)
	}
}

// storeExpr assigns e to t.
func (f *function) storeExpr(t place, e expr, line int32) {
	if t.kind == placeLocal {
		f.expr(e, t.reg)
		return
	}
	f.store(t, f.operand(e, noScratch), line)
}

func (f *function) assignStat(s *assignStat) {
	n := len(s.targets)
	places := make([]place, n)
	for i, t := range s.targets {
		places[i] = f.target(t, s.targets[i+1:])
	}
	base := f.free
	if n == len(s.exprs) {
		for _, e := range s.exprs[:n-1] {
			f.nextReg(e)
		}
		f.storeExpr(places[n-1], s.exprs[n-1], s.end)
		n--
	} else {
		f.assignTo(s.exprs, n, s.end)
	}
	for n--; n >= 0; n-- {
		f.store(places[n], base+n, s.end)
	}
}

func (f *function) localStat(s *localStat) {
	exprs, n := s.exprs, len(s.vars)
	if s.vars[n-1].konst != nil {
		n--
		exprs = exprs[:n]
	}
	f.assignTo(exprs, n, s.end)
	for _, v := range s.vars {
		f.declare(v)
	}
	for _, v := range s.vars {
		if v.attrib == attribClose {
			f.abc(opTBC, int(v.reg), 0, 0, s.end)
		}
	}
}
