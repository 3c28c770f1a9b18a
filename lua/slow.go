package lua

import (
	"math"
	"unsafe"
)

// slow executes instruction i of the running Lua frame, whose ip is already
// behind it. Everything the run loop has no fast path for comes here.
func (s *State) slow(i Instr) action {
	th := s.th
	f := &th.frames[th.nf-1]
	r := th.stack[f.base:]
	a, b, c := int(i.a()), int(i.b()), int(i.c())
	k := f.cl.proto.k
	switch op := i.op(); op {
	case opGETTABUP:
		return s.getField(f, i, *f.cl.upvals[b].v, a, -1)
	case opGETFIELD:
		return s.getField(f, i, r[b], a, b)
	case opSELF:
		o := r[b]
		r[a+1] = o
		return s.getField(f, i, o, a, b)
	case opGETTABLE:
		return s.getIndex(f, r[b], r[c], a, b)
	case opGETINT:
		return s.getIndex(f, r[b], Integer(int64(i.d())), a, b)
	case opSETTABUP:
		return s.setField(f, i, *f.cl.upvals[b].v, r[a], -1)
	case opSETFIELD:
		return s.setField(f, i, r[a], r[b], a)
	case opSETTABLE:
		return s.setAt(f, r[a], r[b], r[c], a)
	case opSETINT:
		return s.setAt(f, r[a], Integer(int64(i.d())), r[b], a)

	case opADD, opSUB, opMUL, opMOD, opPOW, opDIV, opIDIV, opBAND, opBOR, opBXOR, opSHL, opSHR:
		return s.arith(f, op, a, r[b], r[c], b, c)
	case opADDK, opSUBK, opMULK, opMODK, opPOWK, opDIVK, opIDIVK:
		return s.arith(f, op-opADDK+opADD, a, r[b], k[i.d()], b, -1)
	case opUNM, opBNOT:
		return s.arith(f, op, a, r[b], r[b], b, b)
	case opLEN:
		return s.length(f, r[b], a, b)
	case opCONCAT:
		f.extra = int32(c)
		return s.concat(f, i)

	case opEQ:
		return s.equal(f, i, r[a], r[b])
	case opEQK:
		f.branch(i, rawEqual(r[a], k[b]))
		return actRun
	case opLT:
		return s.compare(f, i, r[a], r[b], false)
	case opLE:
		return s.compare(f, i, r[a], r[b], true)
	case opLTK:
		return s.compare(f, i, r[a], k[b], false)
	case opLEK:
		return s.compare(f, i, r[a], k[b], true)
	case opGTK:
		return s.compare(f, i, k[b], r[a], false)
	case opGEK:
		return s.compare(f, i, k[b], r[a], true)

	case opCALL:
		return s.slowCall(i)
	}
	return s.slowControl(f, i)
}

// slowCall executes CALL i unless it is the plain call of a Lua function.
func (s *State) slowCall(i Instr) action {
	th := s.th
	at, n := int(th.frames[th.nf-1].base)+int(i.a()), int(i.b())-1
	if n < 0 {
		n = th.top - at - 1
	}
	q := &s.rq
	q.a, q.n, q.nres, q.flags = at, n, int(i.c())-1, 0
	if f := th.stack[at]; f.p != nil && f.p.kind == KindFunction && f.function().builtin == builtinNone {
		return s.callGo(f.function())
	}
	return s.doCall()
}

// slowControl is slow for calls, loops and what makes or closes things.
func (s *State) slowControl(f *frame, i Instr) action {
	a := int(i.a())
	switch i.op() {
	case opTAILCALL:
		return s.tailCall(f, i)
	case opRETURN, opRETURN0, opRETURN1:
		return s.returnFrom(f, i)

	case opFORPREP:
		return s.forPrep(f, i)
	case opJMPBACK, opFORLOOP, opTFORLOOP: // the loop did the jump; the slice ended
		return s.edgeLua()
	case opTFORPREP:
		return s.markTBC(f, a+3)
	case opTFORCALL:
		return s.forCall(f, i)

	case opCLOSURE:
		return s.makeClosure(f, i)
	case opVARARG:
		return s.varargs(f, i)
	case opNEWTABLE:
		return s.makeTable(f, i)
	case opSETLIST:
		return s.setList(f, i)
	case opCLOSE:
		th, at := s.th, int(f.base)+a
		if th.hasTBC(at) {
			return s.closeVariable(int(f.base)+f.cl.proto.maxStack, false)
		}
		th.closeUpvals(at)
		return actRun
	case opTBC:
		return s.markTBC(f, a)
	}
	panic("bad opcode")
}

// branch jumps if the condition is what instruction i tests for.
func (f *frame) branch(i Instr, cond bool) {
	if cond == (i.c() != 0) {
		f.ip = unsafe.Add(f.ip, i.d()*8)
	}
}

// callMeta calls a metamethod for the instruction that f executes; finishOp
// takes its result.
func (s *State) callMeta(f *frame, h, a, b Value) action {
	th := s.th
	at := int(f.base) + f.cl.proto.maxStack
	if need := at + 3 + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	th.stack[at], th.stack[at+1], th.stack[at+2] = h, a, b
	s.rq = request{a: at, n: 2, nres: 1, flags: fCont}
	return s.doCall()
}

// finishOp ends the instruction of Lua frame f whose metamethod, iterator or
// __close function returned the results s.rq.
func (s *State) finishOp(f *frame) action {
	th, q := s.th, &s.rq
	if f.flags&fUnwinding != 0 {
		s.err = th.stack[q.ret-1]
		return actUnwind
	}
	v := Nil
	if q.n > 0 {
		v = th.stack[q.a]
	}
	i := f.instr()
	switch op := i.op(); op {
	case opSETTABUP, opSETFIELD, opSETTABLE, opSETINT:
	case opEQ, opLT, opLE, opLTK, opLEK, opGTK, opGEK:
		f.branch(i, v.Truthy())
	case opCONCAT:
		n := int(f.extra)
		th.stack[int(f.base)+int(i.b())+n-2] = v
		f.extra = int32(n - 1)
		return s.concat(f, i)
	case opTAILCALL:
		return s.leaveLua(f, q.a, q.n)
	case opCLOSE, opRETURN:
		f.ip = unsafe.Add(f.ip, -8) // closes the next variable or goes on
	default:
		th.stack[int(f.base)+int(i.a())] = v
	}
	return actRun
}

// getField executes GETTABUP, GETFIELD and SELF and sets the slot hint.
func (s *State) getField(f *frame, i Instr, o Value, dst, reg int) action {
	th := s.th
	key := f.cl.proto.k[i.dk()]
	t, ok := o.AsTable()
	hint := (*uint8)(unsafe.Add(f.cl.hints, i.hint()))
	if !ok && o.isString() {
		if t, ok = s.stringIndex(); ok && int(*hint) < len(t.ents) {
			if e := &t.ents[*hint]; e.key.p == key.p && e.val.p != nil {
				th.stack[int(f.base)+dst] = e.val
				return actRun
			}
		}
	}
	n := 0
	for ; ok && n < maxMetaChain; n++ {
		if e := t.find(key); e >= 0 && t.ents[e].val.p != nil {
			if e < noHint {
				*hint = uint8(e)
			}
			th.stack[int(f.base)+dst] = t.ents[e].val
			return actRun
		}
		h := Nil
		if t.meta != nil {
			h = t.meta.event(evIndex)
		}
		if h.p == nil {
			th.stack[int(f.base)+dst] = Nil
			return actRun
		}
		if h.IsFunction() {
			return s.callMeta(f, h, t.Value(), key)
		}
		o = h
		t, ok = h.AsTable()
	}
	if n == maxMetaChain {
		s.runtimeError("'__index' chain too long; possibly a loop")
		return actRaise
	}
	v, call, ok := s.index(o, key)
	switch {
	case !ok:
		return s.indexError(f, v, key, reg)
	case call.p != nil:
		return s.callMeta(f, call, v, key)
	}
	th.stack[int(f.base)+dst] = v
	return actRun
}

// stringIndex returns the table strings are indexed by, if it is one.
func (s *State) stringIndex() (*Table, bool) {
	if s.stringMeta == nil {
		return nil, false
	}
	return s.stringMeta.event(evIndex).AsTable()
}

func (s *State) getIndex(f *frame, o, key Value, dst, reg int) action {
	if o.p != nil && o.p.kind == KindTable && key.p != nil && key.p.kind == KindString {
		t := o.table()
		e := t.find(key)
		switch {
		case e >= 0 && t.ents[e].val.p != nil:
			s.th.stack[int(f.base)+dst] = t.ents[e].val
			return actRun
		case t.meta == nil:
			s.th.stack[int(f.base)+dst] = Nil
			return actRun
		}
	}
	v, call, ok := s.index(o, key)
	switch {
	case !ok:
		return s.indexError(f, v, key, reg)
	case call.p != nil:
		return s.callMeta(f, call, v, key)
	}
	s.th.stack[int(f.base)+dst] = v
	return actRun
}

// indexError is "attempt to index a nil value (local 'x')". reg is the register
// of the indexed value, -1 for the upvalue of a global access.
func (s *State) indexError(f *frame, o, key Value, reg int) action {
	if o.p == nil && s.err.p != nil { // chain too long: set already
		return actRaise
	}
	extra := ""
	if reg < 0 {
		extra = " (upvalue '" + f.cl.proto.upvals[f.instr().b()].name + "')"
	} else if int(f.base)+reg < len(s.th.stack) && rawEqual(s.th.stack[int(f.base)+reg], o) {
		extra = f.variable(reg)
	}
	s.runtimeError("attempt to index a %s value%s", s.typeName(o), extra)
	return actRaise
}

func (s *State) setField(f *frame, i Instr, o, v Value, reg int) action {
	key := f.cl.proto.k[i.dk()]
	if t, ok := o.AsTable(); ok && t.flags&(flagFrozen|flagBorrowed) == 0 {
		e := t.find(key)
		switch {
		case e < 0 && t.meta == nil && v.p != nil && t.hasRoom():
			e = len(t.ents)
			t.add(key, v)
		case e >= 0 && t.ents[e].val.p != nil:
			t.ents[e].val = v
		default:
			return s.setAt(f, o, key, v, reg)
		}
		if e < noHint {
			*(*uint8)(unsafe.Add(f.cl.hints, i.hint())) = uint8(e)
		}
		return actRun
	}
	return s.setAt(f, o, key, v, reg)
}

func (s *State) setAt(f *frame, o, key, v Value, reg int) action {
	if t, ok := o.AsTable(); ok && key.p != nil && t.flags&(flagFrozen|flagBorrowed) == 0 {
		switch {
		case key.p.kind == KindString: // overwrite a field
			if e := t.find(key); e >= 0 && t.ents[e].val.p != nil {
				t.ents[e].val = v
				return actRun
			}
		case !key.isInt():
		// Append to a list.
		case key.n-1 == uint64(t.alen) && t.filter == 0 && t.meta == nil && v.p != nil:
			if n := t.arrayGrowth(int(t.alen), v); n > 0 && !s.charge(n) {
				return actRaise
			}
			t.appendArray(v)
			return actRun
		}
	}
	target, call, fault, ok := s.setIndex(o, key, v)
	switch {
	case fault:
		return s.indexError(f, target, key, reg)
	case !ok:
		return actRaise
	case call.p == nil:
		return actRun
	}
	th := s.th
	at := int(f.base) + f.cl.proto.maxStack
	if need := at + 4 + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	th.stack[at], th.stack[at+1], th.stack[at+2], th.stack[at+3] = call, target, key, v
	s.rq = request{a: at, n: 3, nres: 0, flags: fCont}
	return s.doCall()
}

func (s *State) length(f *frame, o Value, dst, reg int) action {
	th := s.th
	if o.isString() {
		th.stack[int(f.base)+dst] = Integer(int64(len(o.str())))
		return actRun
	}
	if h := s.metaEvent(o, evLen); h.p != nil {
		return s.callMeta(f, h, o, o)
	}
	if t, ok := o.AsTable(); ok {
		th.stack[int(f.base)+dst] = Integer(t.Len())
		return actRun
	}
	s.runtimeError("attempt to get length of a %s value%s", s.typeName(o), f.variable(reg))
	return actRaise
}

func (s *State) equal(f *frame, i Instr, a, b Value) action {
	if rawEqual(a, b) {
		f.branch(i, true)
		return actRun
	}
	if h := s.equalMeta(a, b); h.p != nil {
		return s.callMeta(f, h, a, b)
	}
	f.branch(i, false)
	return actRun
}

// tailCall replaces the frame by the called function's.
func (s *State) tailCall(f *frame, i Instr) action {
	th, q := s.th, &s.rq
	at := int(f.base) + int(i.a())
	n := int(i.b()) - 1
	if n < 0 {
		n = th.top - at - 1
	}
	if i.c() != 0 {
		th.closeUpvals(int(f.base))
	}
	q.a, q.n, q.flags = at, n, 0
	if !th.stack[at].IsFunction() && !s.resolveCall(at, &n) {
		return actRaise
	}
	if th.stack[at].Kind() == KindFunction {
		// The frame stays for messages; finishOp returns the results.
		q.a, q.n, q.nres, q.flags = at, n, -1, fCont
		return s.doCall()
	}
	to := int(f.ret)
	s.budget -= int64(n / copiedPerFuel)
	copy(th.stack[to:to+n+1], th.stack[at:at+n+1])
	nres, flags := int(f.nres), f.flags&fDeliver|fTail
	th.nf--
	return s.pushLua(th.stack[to].closure(), to, n, nres, flags)
}

// returnFrom executes RETURN, RETURN0 and RETURN1.
func (s *State) returnFrom(f *frame, i Instr) action {
	th := s.th
	a, n := int(f.base)+int(i.a()), 0
	switch i.op() {
	case opRETURN1:
		n = 1
	case opRETURN:
		n = int(i.b()) - 1
		if n < 0 {
			if f.flags&fClosing != 0 {
				th.top = int(f.extra) // __close functions have run
			}
			n = th.top - a
		}
		if i.c() != 0 {
			if th.hasTBC(int(f.base)) {
				f.flags |= fClosing
				f.extra = int32(a + n)
				return s.closeVariable(max(int(f.base)+f.cl.proto.maxStack, a+n), false)
			}
			th.closeUpvals(int(f.base))
		}
	}
	return s.leaveLua(f, a, n)
}

// leaveLua pops Lua frame f and delivers n results from slot a on.
func (s *State) leaveLua(f *frame, a, n int) action {
	q := &s.rq
	q.a, q.n, q.ret, q.nres, q.flags = a, n, int(f.ret), int(f.nres), f.flags&fDeliver
	s.th.nf--
	if q.flags == 0 {
		return s.copyResults()
	}
	return actDeliver
}

func (s *State) forPrep(f *frame, i Instr) action {
	r := s.th.stack[int(f.base)+int(i.a()):]
	init, limit, step := r[0], r[1], r[2]
	if init.isInt() && step.isInt() {
		return s.forPrepInt(f, i, r)
	}
	flimit, ok := toFloat(limit)
	if !ok {
		return s.forError("limit", limit)
	}
	fstep, ok := toFloat(step)
	if !ok {
		return s.forError("step", step)
	}
	finit, ok := toFloat(init)
	if !ok {
		return s.forError("initial", init)
	}
	if fstep == 0 {
		s.runtimeError("'for' step is zero")
		return actRaise
	}
	if fstep > 0 && flimit < finit || fstep < 0 && finit < flimit {
		f.ip = unsafe.Add(f.ip, i.d()*8)
		return actRun
	}
	r[0], r[1], r[2], r[3] = Float(finit), Float(flimit), Float(fstep), Float(finit)
	return actRun
}

// forPrepInt computes the number of iterations, so that the loop cannot
// overflow: R[A+1] counts down.
func (s *State) forPrepInt(f *frame, i Instr, r []Value) action {
	init, step := r[0].rawInt(), r[2].rawInt()
	bound, ok := toNumber(r[1])
	if !ok {
		return s.forError("limit", r[1])
	}
	if step == 0 {
		s.runtimeError("'for' step is zero")
		return actRaise
	}
	limit, skip := forLimit(bound, step)
	if skip || step > 0 && init > limit || step < 0 && init < limit {
		f.ip = unsafe.Add(f.ip, i.d()*8)
		return actRun
	}
	var count uint64
	if step > 0 {
		count = (uint64(limit) - uint64(init)) / uint64(step)
	} else {
		count = (uint64(init) - uint64(limit)) / (uint64(-(step + 1)) + 1)
	}
	r[1] = Integer(int64(count))
	r[3] = r[0]
	return actRun
}

// forLimit clips the limit of an integer loop to an integer. skip: the loop
// does not run.
func forLimit(v Value, step int64) (limit int64, skip bool) {
	if v.isInt() {
		return v.rawInt(), false
	}
	f := v.rawFloat()
	if f != f {
		return 0, true
	}
	if step < 0 {
		f = math.Ceil(f)
	} else {
		f = math.Floor(f)
	}
	if n, ok := floatToInteger(f); ok {
		return n, false
	}
	if f > 0 {
		return math.MaxInt64, step < 0
	}
	return math.MinInt64, step > 0
}

func (s *State) forError(what string, v Value) action {
	if what == "initial" {
		what = "initial value"
	}
	s.runtimeError("bad 'for' %s (number expected, got %s)", what, s.typeName(v))
	return actRaise
}

// forCall executes TFORCALL, next on a table at once.
func (s *State) forCall(f *frame, i Instr) action {
	th := s.th
	at := int(f.base) + int(i.a())
	fn := th.stack[at]
	if fn.Kind() == KindFunction && fn.function().builtin == builtinNext && i.c() <= 2 {
		if t, ok := th.stack[at+1].AsTable(); ok {
			key, val, ok := t.next(th.stack[at+2])
			if !ok {
				s.err = s.errorString(invalidNextKey)
				return actRaise
			}
			th.stack[at+4] = key
			if i.c() == 2 {
				th.stack[at+5] = val
			}
			return actRun
		}
	}
	if need := at + 7 + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	st := th.stack[at:]
	st[4], st[5], st[6] = st[0], st[1], st[2]
	q := &s.rq
	q.a, q.n, q.nres, q.flags = at+4, 2, int(i.c()), 0
	return s.doCall()
}

const invalidNextKey = "invalid key to 'next'"

func (s *State) makeClosure(f *frame, i Instr) action {
	th := s.th
	ps := f.cl.ps.child(i.d())
	if !s.charge(chargeClosure + 8*int64(len(ps.proto.upvals))) {
		return actRaise
	}
	cl := s.newClosure(ps)
	for n, u := range ps.proto.upvals {
		if u.fromLocal {
			cl.upvals[n] = s.findUpval(th, int(f.base)+int(u.index))
		} else {
			cl.upvals[n] = f.cl.upvals[u.index]
		}
	}
	th.stack[int(f.base)+int(i.a())] = cl.Value()
	return actRun
}

func (s *State) varargs(f *frame, i Instr) action {
	th := s.th
	at := int(f.base) + int(i.a())
	have, want := int(f.nvar), int(i.b())-1
	if want < 0 {
		want = have
		if need := at + want + goSlots; need > len(th.stack) && !s.growStack(th, need) {
			return actRaise
		}
		th.top = at + want
	}
	n := min(have, want)
	s.budget -= int64(n / copiedPerFuel)
	copy(th.stack[at:at+n], th.stack[int(f.base)-have:])
	clear(th.stack[at+n : at+want])
	return actRun
}

func (s *State) makeTable(f *frame, i Instr) action {
	narray, nfields := int(uint16(i>>32)), int(uint16(i>>48))
	if !s.charge(tableCharge(narray, nfields)) {
		return actRaise
	}
	s.serial++
	t := newTable(s.serial, narray, nfields)
	s.th.stack[int(f.base)+int(i.a())] = t.Value()
	return actRun
}

func (s *State) setList(f *frame, i Instr) action {
	th := s.th
	t, ok := th.stack[int(f.base)+int(i.a())].AsTable()
	if !ok {
		s.runtimeError("the table under construction was replaced")
		return actRaise
	}
	from := int(f.base) + int(i.b())
	n := int(i.c()) - 1
	if n < 0 {
		n = th.top - from
	}
	if n <= 0 {
		return actRun
	}
	first := i.d() + 1
	if first-1 == t.arrayLen() && t.filter == 0 {
		return s.appendList(t, th.stack[from:from+n])
	}
	for j, v := range th.stack[from : from+n] {
		if !s.rawSet(t, Integer(int64(first+j)), v) {
			return actRaise
		}
	}
	return actRun
}

// appendList extends the array part of a table without entries.
func (s *State) appendList(t *Table, vals []Value) action {
	if n := t.appendGrowth(vals); n > 0 && !s.charge(n) {
		return actRaise
	}
	t.appendAll(vals)
	return actRun
}

// markTBC makes a register to-be-closed.
func (s *State) markTBC(f *frame, reg int) action {
	th := s.th
	slot := int(f.base) + reg
	v := th.stack[slot]
	i := f.instr()
	if !v.Truthy() {
		if i.op() == opTFORPREP {
			f.ip = unsafe.Add(f.ip, i.d()*8)
		}
		return actRun
	}
	if s.metaEvent(v, evClose).IsNil() {
		name := "?"
		if kind, n := f.cl.proto.describeReg(f.pc()+1, reg); kind != "" {
			name = n
		}
		s.runtimeError("variable '%s' got a non-closable value", name)
		return actRaise
	}
	th.tbc = append(th.tbc, int32(slot))
	if i.op() == opTFORPREP {
		f.ip = unsafe.Add(f.ip, i.d()*8)
	}
	return actRun
}
