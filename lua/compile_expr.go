package lua

// expr evaluates e into register dst. dst is written last: it may belong to a
// variable that e reads. A temporary dst also serves as scratch.
func (f *function) expr(e expr, dst int) {
	if k, ok := constOf(e); ok {
		f.load(k, dst, e.at().line)
		return
	}
	switch e := e.(type) {
	case *parenExpr:
		f.expr(e.x, dst)
	case *varargExpr:
		f.abc(opVARARG, dst, 2, 0, e.line)
	case *nameExpr:
		f.name(e, dst)
	case *indexExpr:
		f.index(e.obj, e.key, dst, e.line)
	case *callExpr:
		top := f.ownTop(dst)
		base := f.call(e, 1)
		f.free = top
		if base != dst {
			f.abc(opMOVE, dst, base, 0, e.line)
		}
	case *functionExpr:
		g := f.newFunction(f, e)
		g.body()
		f.p.protos = append(f.p.protos, g.p)
		f.abd(opCLOSURE, dst, 0, len(f.p.protos)-1, e.end)
	case *unExpr:
		f.unary(e, dst)
	case *binExpr:
		f.binary(e, dst)
	case *tableExpr:
		f.table(e, dst)
	}
}

// ownTop returns the current top; if dst is the topmost temporary it is
// released, so that what is built at the top lands in dst.
func (f *function) ownTop(dst int) int {
	top := f.free
	if dst == top-1 && f.isTemp(dst) {
		f.free = dst
	}
	return top
}

// nextReg evaluates e into a new register.
func (f *function) nextReg(e expr) int {
	r := f.alloc(e.at().line)
	f.expr(e, r)
	return r
}

// localReg returns the register of a plain local variable.
func (f *function) localReg(e expr) (int, bool) {
	switch e := e.(type) {
	case *parenExpr:
		return f.localReg(e.x)
	case *nameExpr:
		if e.env == nil && e.upvalue < 0 && e.local.konst == nil {
			return int(e.local.reg), true
		}
	}
	return 0, false
}

// operand returns a register that holds e: a variable's own, else scratch if
// that is a temporary, else a new one.
func (f *function) operand(e expr, scratch int) int {
	if r, ok := f.localReg(e); ok {
		return r
	}
	if !f.isTemp(scratch) {
		scratch = f.alloc(e.at().line)
	}
	f.expr(e, scratch)
	return scratch
}

// noScratch is no register at all.
const noScratch = -1

// load loads a constant.
func (f *function) load(k constant, dst int, line int32) {
	if k.kind == KindNil {
		f.loadNil(dst, 1, line)
		return
	}
	f.abd(opLOADK, dst, 0, f.constant(k), line)
}

// loadNil sets n registers from dst to nil, together with those the previous
// instruction set.
func (f *function) loadNil(dst, n int, line int32) {
	if last := f.pc() - 1; last >= 0 && f.joined != f.pc() && f.p.code[last].op() == opLOADNIL {
		i := &f.p.code[last]
		if int(i.a())+int(i.b()) == dst {
			*i = makeInstr(opLOADNIL, i.a(), i.b()+uint8(n), 0, 0)
			return
		}
	}
	f.abc(opLOADNIL, dst, n, 0, line)
}

func (f *function) name(e *nameExpr, dst int) {
	switch {
	case e.env != nil:
		f.index(e.env, &constExpr{e.pos, stringConstant(e.name)}, dst, e.line)
	case e.upvalue >= 0:
		f.abc(opGETUPVAL, dst, e.upvalue, 0, e.line)
	case int(e.local.reg) != dst:
		f.abc(opMOVE, dst, int(e.local.reg), 0, e.line)
	}
}

// index evaluates obj[key] into dst.
func (f *function) index(obj, key expr, dst int, line int32) {
	mark := f.free
	t := f.place(obj, key, dst, nil)
	switch t.kind {
	case placeTabUp:
		f.emit(makeInstr(opGETTABUP, uint8(dst), uint8(t.reg), 0, f.hinted(t.key)), line)
	case placeField:
		f.emit(makeInstr(opGETFIELD, uint8(dst), uint8(t.reg), 0, f.hinted(t.key)), line)
	case placeInt:
		f.abd(opGETINT, dst, t.reg, t.key, line)
	default:
		f.abc(opGETTABLE, dst, t.reg, t.key, line)
	}
	f.free = mark
}

// call compiles a call with nres results, -1 for all, at the top of the
// registers, and returns the first result's register. The top is unchanged.
func (f *function) call(e *callExpr, nres int) int {
	base := f.alloc(e.line)
	nargs := 0
	if e.method == "" {
		f.expr(e.fn, base)
	} else {
		f.self(e, base)
		nargs = 1
	}
	n, open := f.pushList(e.args)
	b := nargs + n + 1
	if open {
		b = 0
	}
	f.abc(opCALL, base, b, nres+1, e.line)
	f.free = base
	f.reserve(base+nres, e.line)
	return base
}

// self loads a method and its object into base and base+1.
func (f *function) self(e *callExpr, base int) {
	obj := f.operand(e.fn, base)
	f.free = base + 1
	self := f.alloc(e.line)
	k := f.constant(stringConstant(e.method))
	if k <= maxKeyIndex {
		f.emit(makeInstr(opSELF, uint8(base), uint8(obj), 0, f.hinted(k)), e.nameAt)
		return
	}
	f.abc(opMOVE, self, obj, 0, e.nameAt)
	key := f.alloc(e.line)
	f.abd(opLOADK, key, 0, k, e.nameAt)
	f.abc(opGETTABLE, base, self, key, e.nameAt)
	f.free = key
}

// pushList evaluates a list into new registers. open: its last expression
// leaves all its values, which are not counted in n.
func (f *function) pushList(list []expr) (n int, open bool) {
	for i, e := range list {
		if i == len(list)-1 && isMulti(e) {
			f.multi(e, -1)
			return i, true
		}
		f.nextReg(e)
	}
	return len(list), false
}

// multi evaluates a call or "..." to n values in new registers, -1 for all.
func (f *function) multi(e expr, n int) {
	base := f.free
	if call, ok := e.(*callExpr); ok {
		f.call(call, n)
	} else {
		line := e.at().line
		f.reserve(base+max(n, 1), line)
		f.abc(opVARARG, base, n+1, 0, line)
	}
	f.free = base + max(n, 0)
}

// assignTo evaluates a list to exactly want values in new registers.
func (f *function) assignTo(list []expr, want int, line int32) {
	base := f.free
	for i, e := range list {
		switch {
		case i == len(list)-1 && i < want && isMulti(e):
			f.multi(e, want-i)
		case i < want:
			f.nextReg(e)
		default:
			f.discard(e)
		}
	}
	if missing := base + want - f.free; missing > 0 {
		r := f.free
		f.reserve(r+missing, line)
		f.loadNil(r, missing, line)
		f.free += missing
	}
}

// discard evaluates e for its effects.
func (f *function) discard(e expr) {
	if call, ok := e.(*callExpr); ok {
		f.call(call, 0)
		return
	}
	f.nextReg(e)
	f.free--
}

// table compiles a constructor.
func (f *function) table(e *tableExpr, dst int) {
	mark := f.free
	t := dst
	if !f.isTemp(dst) {
		t = f.alloc(e.line)
	}
	array, fields := tableSize(e)
	size := uint32(min(array, 0xffff)) | uint32(min(fields, 0xffff))<<16
	f.emit(makeInstr(opNEWTABLE, uint8(t), 0, 0, int32(size)), e.line)
	first, done := f.free, 0
	flush := func(n, c int, line int32) {
		f.emit(makeInstr(opSETLIST, uint8(t), uint8(first), uint8(c), int32(done)), line)
		done += n
		f.free = first
	}
	for i, item := range e.items {
		line := item.val.at().line
		switch {
		case item.key != nil:
			m := f.free
			f.storeExpr(f.placeIn(t, item.key, nil), item.val, line)
			f.free = m
		case i == len(e.items)-1 && isMulti(item.val):
			f.multi(item.val, -1)
			flush(0, 0, e.end)
		default:
			f.nextReg(item.val)
			if n := f.free - first; n == itemsPerFlush {
				flush(n, n+1, line)
			}
		}
	}
	if n := f.free - first; n > 0 {
		flush(n, n+1, e.end)
	}
	f.free = mark
	if t != dst {
		f.abc(opMOVE, dst, t, 0, e.end)
	}
}

// tableSize counts the items of a constructor, a last open one not.
func tableSize(e *tableExpr) (array, fields int) {
	for i, item := range e.items {
		switch {
		case item.key != nil:
			fields++
		case i < len(e.items)-1 || !isMulti(item.val):
			array++
		}
	}
	return array, fields
}
