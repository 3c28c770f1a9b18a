package lua

import (
	"math"
	"unsafe"
)

// The run loop holds the fast paths only. No local of it is live across a
// call: what is not done here stores the instruction pointer in the frame,
// calls slow, and starts again from the frame.
//
// Registers, constants and hints are reached by pointer arithmetic without
// bounds checks. The compiler and verify guarantee that operands are within
// maxStack and the constants; a call guarantees maxStack slots.

func codeStart(p *Proto) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(p.code)) }

// reg returns the register or constant number n from base.
func reg(base unsafe.Pointer, n uint8) *Value {
	return (*Value)(unsafe.Add(base, uintptr(n)*16))
}

// The compiler inlines into a function of this size only what costs at most 20
// nodes, which go build -gcflags=-m=2 shows; a helper above that is a call.

// setInt and setFloat spare the write barrier where the kind stays.
func setInt(d *Value, n uint64) {
	d.n = n
	if d.p != &statics[KindInt] {
		d.p = &statics[KindInt]
	}
}

func setFloat(d *Value, f float64) {
	*(*float64)(unsafe.Pointer(&d.n)) = f
	if d.p != &statics[KindFloat] {
		d.p = &statics[KindFloat]
	}
}

func set(d, v *Value) {
	d.n = v.n
	if d.p != v.p {
		d.p = v.p
	}
}

// static returns the header of the kinds without an object but nil.
func static(k Kind) *header {
	return (*header)(unsafe.Add(unsafe.Pointer(&statics), uintptr(k)*unsafe.Sizeof(header{})))
}

// float returns a number as a float.
func (v *Value) float() float64 {
	if v.p == &statics[KindInt] {
		return float64(int64(v.n))
	}
	return *(*float64)(unsafe.Pointer(&v.n))
}

// bytesString turns b into a string, without copying if it is owned.
func bytesString(b []byte, owned bool) string {
	if owned {
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	return string(b)
}

// run executes from act until the run loop must be left; s.exit says why.
func (s *State) run(act action) {
	var (
		fr   *frame
		ip   unsafe.Pointer
		base unsafe.Pointer
		cl   *Closure
		i    Instr
	)
	if !s.drive(act) {
		return
	}
reload:
	fr = &s.th.frames[s.th.nf-1]
	cl = fr.cl
	ip = fr.ip
	base = unsafe.Pointer(&s.th.stack[fr.base])
	for {
		i = *(*Instr)(ip)
		ip = unsafe.Add(ip, 8)
		switch i & 127 {
		case Instr(opMOVE):
			set(reg(base, i.a()), reg(base, i.b()))
		case Instr(opLOADK):
			set(reg(base, i.a()), (*Value)(unsafe.Add(cl.k, uintptr(i>>32)*16)))
		case Instr(opLOADNIL):
			for n := 0; n < int(i.b()); n++ {
				*(*Value)(unsafe.Add(base, (uintptr(i.a())+uintptr(n))*16)) = Value{}
			}
		case Instr(opGETUPVAL):
			u := *(**upval)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(cl.upvals)), uintptr(i.b())*8))
			set(reg(base, i.a()), u.v)
		case Instr(opSETUPVAL):
			u := *(**upval)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(cl.upvals)), uintptr(i.b())*8))
			set(u.v, reg(base, i.a()))
		case Instr(opGETTABUP):
			u := *(**upval)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(cl.upvals)), uintptr(i.b())*8))
			if p := u.v.p; p != nil && p.kind == KindTable {
				t := (*Table)(unsafe.Pointer(p))
				h := uintptr(*(*uint8)(unsafe.Add(cl.hints, uintptr(i>>48))))
				if h < uintptr(len(t.ents)) {
					e := (*entry)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(t.ents)), h*32))
					k := (*Value)(unsafe.Add(cl.k, uintptr(uint16(i>>32))*16))
					if e.key.p == k.p && e.val.p != nil {
						set(reg(base, i.a()), &e.val)
						continue
					}
				}
			}
			goto slow
		case Instr(opSETTABUP):
			u := *(**upval)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(cl.upvals)), uintptr(i.b())*8))
			if p := u.v.p; p != nil && p.kind == KindTable && p.flags&(flagFrozen|flagBorrowed) == 0 {
				t := (*Table)(unsafe.Pointer(p))
				h := uintptr(*(*uint8)(unsafe.Add(cl.hints, uintptr(i>>48))))
				if h < uintptr(len(t.ents)) {
					e := (*entry)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(t.ents)), h*32))
					k := (*Value)(unsafe.Add(cl.k, uintptr(uint16(i>>32))*16))
					if e.key.p == k.p && e.val.p != nil {
						set(&e.val, reg(base, i.a()))
						continue
					}
				}
			}
			goto slow
		case Instr(opGETTABLE):
			o, k := reg(base, i.b()), reg(base, i.c())
			if o.p != nil && o.p.kind == KindTable && k.p == &statics[KindInt] {
				t := (*Table)(unsafe.Pointer(o.p))
				if n := k.n - 1; n < uint64(t.alen) {
					if t.amode == arrayPlain {
						if k := *(*Kind)(unsafe.Add(t.arr, uintptr(t.acap)*8+uintptr(n))); k != KindNil {
							d := reg(base, i.a())
							d.n = *(*uint64)(unsafe.Add(t.arr, uintptr(n)*8))
							if p := static(k); d.p != p {
								d.p = p
							}
							continue
						}
						goto slow
					}
					v := (*Value)(unsafe.Add(t.arr, uintptr(n)*16))
					if v.p != nil {
						set(reg(base, i.a()), v)
						continue
					}
				}
			}
			goto slow
		case Instr(opGETINT):
			o := reg(base, i.b())
			if o.p != nil && o.p.kind == KindTable {
				t := (*Table)(unsafe.Pointer(o.p))
				if n := uint64(int32(i>>32)) - 1; n < uint64(t.alen) {
					if t.amode == arrayPlain {
						if k := *(*Kind)(unsafe.Add(t.arr, uintptr(t.acap)*8+uintptr(n))); k != KindNil {
							d := reg(base, i.a())
							d.n = *(*uint64)(unsafe.Add(t.arr, uintptr(n)*8))
							if p := static(k); d.p != p {
								d.p = p
							}
							continue
						}
						goto slow
					}
					v := (*Value)(unsafe.Add(t.arr, uintptr(n)*16))
					if v.p != nil {
						set(reg(base, i.a()), v)
						continue
					}
				}
			}
			goto slow
		case Instr(opGETFIELD):
			o := reg(base, i.b())
			if o.p != nil && o.p.kind == KindTable {
				t := (*Table)(unsafe.Pointer(o.p))
				h := uintptr(*(*uint8)(unsafe.Add(cl.hints, uintptr(i>>48))))
				if h < uintptr(len(t.ents)) {
					e := (*entry)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(t.ents)), h*32))
					k := (*Value)(unsafe.Add(cl.k, uintptr(uint16(i>>32))*16))
					if e.key.p == k.p && e.val.p != nil {
						set(reg(base, i.a()), &e.val)
						continue
					}
				}
			}
			goto slow
		case Instr(opSETTABLE):
			o, k := reg(base, i.a()), reg(base, i.b())
			if o.p != nil && o.p.kind == KindTable && k.p == &statics[KindInt] && o.p.flags&flagFrozen == 0 {
				t := (*Table)(unsafe.Pointer(o.p))
				if n := k.n - 1; n < uint64(t.alen) {
					v := reg(base, i.c())
					if t.amode == arrayPlain {
						d := (*Kind)(unsafe.Add(t.arr, uintptr(t.acap)*8+uintptr(n)))
						if *d != KindNil && v.p != nil && v.p.kind < KindString {
							*d = v.p.kind
							*(*uint64)(unsafe.Add(t.arr, uintptr(n)*8)) = v.n
							continue
						}
						goto slow
					}
					d := (*Value)(unsafe.Add(t.arr, uintptr(n)*16))
					if d.p != nil && v.p != nil {
						set(d, v)
						continue
					}
				}
			}
			goto slow
		case Instr(opSETINT):
			o := reg(base, i.a())
			if o.p != nil && o.p.kind == KindTable && o.p.flags&flagFrozen == 0 {
				t := (*Table)(unsafe.Pointer(o.p))
				if n := uint64(int32(i>>32)) - 1; n < uint64(t.alen) {
					v := reg(base, i.b())
					if t.amode == arrayPlain {
						d := (*Kind)(unsafe.Add(t.arr, uintptr(t.acap)*8+uintptr(n)))
						if *d != KindNil && v.p != nil && v.p.kind < KindString {
							*d = v.p.kind
							*(*uint64)(unsafe.Add(t.arr, uintptr(n)*8)) = v.n
							continue
						}
						goto slow
					}
					d := (*Value)(unsafe.Add(t.arr, uintptr(n)*16))
					if d.p != nil && v.p != nil {
						set(d, v)
						continue
					}
				}
			}
			goto slow
		case Instr(opSETFIELD):
			o := reg(base, i.a())
			if o.p != nil && o.p.kind == KindTable && o.p.flags&(flagFrozen|flagBorrowed) == 0 {
				t := (*Table)(unsafe.Pointer(o.p))
				h := uintptr(*(*uint8)(unsafe.Add(cl.hints, uintptr(i>>48))))
				if h < uintptr(len(t.ents)) {
					e := (*entry)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(t.ents)), h*32))
					k := (*Value)(unsafe.Add(cl.k, uintptr(uint16(i>>32))*16))
					if e.key.p == k.p && e.val.p != nil {
						set(&e.val, reg(base, i.b()))
						continue
					}
				} else if h == uintptr(len(t.ents)) && h < uintptr(cap(t.ents)) && cap(t.ents) <= unindexed && t.meta == nil {
					// The next field of an object built in the usual order.
					k, v := (*Value)(unsafe.Add(cl.k, uintptr(uint16(i>>32))*16)), reg(base, i.b())
					if bit := uint64(1) << (k.n >> 58); t.filter&bit == 0 && k.n&1 == 0 && v.p != nil {
						t.filter |= bit
						t.absent = 0
						t.ents = t.ents[:h+1]
						e := (*entry)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(t.ents)), h*32))
						set(&e.key, k)
						set(&e.val, v)
						continue
					}
				}
			}
			goto slow
		case Instr(opSELF):
			o := reg(base, i.b())
			if o.p != nil && o.p.kind == KindTable {
				t := (*Table)(unsafe.Pointer(o.p))
				h := uintptr(*(*uint8)(unsafe.Add(cl.hints, uintptr(i>>48))))
				k := (*Value)(unsafe.Add(cl.k, uintptr(uint16(i>>32))*16))
				// Most methods are not in the object but in a table or two behind it.
				for n := 0; n < 2 && t.filter&(1<<(k.n>>58)) == 0 && k.n&1 == 0; n++ {
					mt := t.meta
					if mt == nil || uintptr(mt.islot) >= uintptr(len(mt.ents)) {
						goto slow
					}
					e := (*entry)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(mt.ents)), uintptr(mt.islot)*32))
					if e.key.p != eventNames[evIndex].p || e.val.p == nil || e.val.p.kind != KindTable {
						goto slow
					}
					t = (*Table)(unsafe.Pointer(e.val.p))
				}
				if h < uintptr(len(t.ents)) {
					e := (*entry)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(t.ents)), h*32))
					if e.key.p == k.p && e.val.p != nil {
						d := reg(base, i.a())
						set((*Value)(unsafe.Add(unsafe.Pointer(d), 16)), o)
						set(d, &e.val)
						continue
					}
				}
			}
			goto slow

		case Instr(opADD):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n+c.n)
				continue
			}
			if b.p == &statics[KindFloat] && c.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), b.rawFloat()+c.rawFloat())
				continue
			}
			if b.isNumber() && c.isNumber() {
				setFloat(reg(base, i.a()), b.float()+c.float())
				continue
			}
			goto slow
		case Instr(opADDK):
			b, c := reg(base, i.b()), (*Value)(unsafe.Add(cl.k, uintptr(i>>32)*16))
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n+c.n)
				continue
			}
			if b.p == &statics[KindFloat] && c.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), b.rawFloat()+c.rawFloat())
				continue
			}
			if b.isNumber() && c.isNumber() {
				setFloat(reg(base, i.a()), b.float()+c.float())
				continue
			}
			goto slow
		case Instr(opSUB):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n-c.n)
				continue
			}
			if b.p == &statics[KindFloat] && c.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), b.rawFloat()-c.rawFloat())
				continue
			}
			if b.isNumber() && c.isNumber() {
				setFloat(reg(base, i.a()), b.float()-c.float())
				continue
			}
			goto slow
		case Instr(opSUBK):
			b, c := reg(base, i.b()), (*Value)(unsafe.Add(cl.k, uintptr(i>>32)*16))
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n-c.n)
				continue
			}
			if b.p == &statics[KindFloat] && c.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), b.rawFloat()-c.rawFloat())
				continue
			}
			if b.isNumber() && c.isNumber() {
				setFloat(reg(base, i.a()), b.float()-c.float())
				continue
			}
			goto slow
		case Instr(opMUL):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindFloat] && c.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), b.rawFloat()*c.rawFloat())
				continue
			}
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n*c.n)
				continue
			}
			if b.isNumber() && c.isNumber() {
				setFloat(reg(base, i.a()), b.float()*c.float())
				continue
			}
			goto slow
		case Instr(opMULK):
			b, c := reg(base, i.b()), (*Value)(unsafe.Add(cl.k, uintptr(i>>32)*16))
			if b.p == &statics[KindFloat] && c.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), b.rawFloat()*c.rawFloat())
				continue
			}
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n*c.n)
				continue
			}
			if b.isNumber() && c.isNumber() {
				setFloat(reg(base, i.a()), b.float()*c.float())
				continue
			}
			goto slow
		case Instr(opDIV):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindFloat] && c.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), b.rawFloat()/c.rawFloat())
				continue
			}
			if b.isNumber() && c.isNumber() {
				setFloat(reg(base, i.a()), b.float()/c.float())
				continue
			}
			goto slow
		case Instr(opDIVK):
			b, c := reg(base, i.b()), (*Value)(unsafe.Add(cl.k, uintptr(i>>32)*16))
			if b.p == &statics[KindFloat] && c.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), b.rawFloat()/c.rawFloat())
				continue
			}
			if b.isNumber() && c.isNumber() {
				setFloat(reg(base, i.a()), b.float()/c.float())
				continue
			}
			goto slow
		case Instr(opMODK):
			b, c := reg(base, i.b()), (*Value)(unsafe.Add(cl.k, uintptr(i>>32)*16))
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] && int64(c.n) > 0 {
				if (b.n|c.n)>>32 == 0 {
					setInt(reg(base, i.a()), uint64(uint32(b.n)%uint32(c.n)))
					continue
				}
				m := int64(b.n) % int64(c.n)
				if m < 0 {
					m += int64(c.n)
				}
				setInt(reg(base, i.a()), uint64(m))
				continue
			}
			goto slow
		case Instr(opMOD):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] && (b.n|c.n)>>32 == 0 && c.n != 0 {
				setInt(reg(base, i.a()), uint64(uint32(b.n)%uint32(c.n)))
				continue
			}
			goto slow
		case Instr(opIDIVK):
			b, c := reg(base, i.b()), (*Value)(unsafe.Add(cl.k, uintptr(i>>32)*16))
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] && (b.n|c.n)>>32 == 0 && c.n != 0 {
				setInt(reg(base, i.a()), uint64(uint32(b.n)/uint32(c.n)))
				continue
			}
			goto slow
		case Instr(opIDIV):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] && (b.n|c.n)>>32 == 0 && c.n != 0 {
				setInt(reg(base, i.a()), uint64(uint32(b.n)/uint32(c.n)))
				continue
			}
			goto slow
		case Instr(opBAND):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n&c.n)
				continue
			}
			goto slow
		case Instr(opBOR):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n|c.n)
				continue
			}
			goto slow
		case Instr(opBXOR):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] {
				setInt(reg(base, i.a()), b.n^c.n)
				continue
			}
			goto slow
		case Instr(opSHL):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] && c.n < 64 {
				setInt(reg(base, i.a()), b.n<<(c.n&63))
				continue
			}
			goto slow
		case Instr(opSHR):
			b, c := reg(base, i.b()), reg(base, i.c())
			if b.p == &statics[KindInt] && c.p == &statics[KindInt] && c.n < 64 {
				setInt(reg(base, i.a()), b.n>>(c.n&63))
				continue
			}
			goto slow
		case Instr(opUNM):
			b := reg(base, i.b())
			if b.p == &statics[KindInt] {
				setInt(reg(base, i.a()), -b.n)
				continue
			}
			if b.p == &statics[KindFloat] {
				setFloat(reg(base, i.a()), -b.rawFloat())
				continue
			}
			goto slow
		case Instr(opNOT):
			b, d := reg(base, i.b()), reg(base, i.a())
			p := &statics[KindFalse]
			if b.p == nil || b.p == &statics[KindFalse] {
				p = &statics[KindTrue]
			}
			d.n = 0
			d.p = p
		case Instr(opLEN):
			b := reg(base, i.b())
			if b.p != nil && b.p.kind == KindTable {
				t := (*Table)(unsafe.Pointer(b.p))
				if t.meta == nil {
					setInt(reg(base, i.a()), uint64(t.alen))
					continue
				}
			}
			goto slow

		case Instr(opJMP):
			ip = unsafe.Add(ip, i.d()*8)
		case Instr(opJMPBACK):
			ip = unsafe.Add(ip, i.d()*8)
			if s.budget += int64(i.d()); s.budget <= 0 {
				goto slow
			}
		case Instr(opTEST):
			a := reg(base, i.a())
			if (a.p != nil && a.p != &statics[KindFalse]) == (i.c() != 0) {
				ip = unsafe.Add(ip, i.d()*8)
			}
		case Instr(opTESTSET):
			b := reg(base, i.b())
			if (b.p != nil && b.p != &statics[KindFalse]) == (i.c() != 0) {
				set(reg(base, i.a()), b)
				ip = unsafe.Add(ip, i.d()*8)
			}
		case Instr(opEQ):
			a, b := reg(base, i.a()), reg(base, i.b())
			if a.p == b.p && a.p != &statics[KindFloat] && a.n == b.n {
				if i.c() != 0 {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			if a.p == &statics[KindInt] && b.p == &statics[KindInt] || a.p == nil || b.p == nil {
				if i.c() == 0 {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			goto slow
		case Instr(opEQK):
			a, b := reg(base, i.a()), reg(cl.k, i.b())
			if a.p == b.p && a.p != &statics[KindFloat] && a.n == b.n {
				if i.c() != 0 {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			// Values of one kind with different words differ, strings by their hash.
			if a.n != b.n && a.p != nil && b.p != nil && a.p.kind == b.p.kind && a.p.kind != KindFloat || a.p == nil || b.p == nil {
				if i.c() == 0 {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			goto slow
		case Instr(opLT):
			a, b := reg(base, i.a()), reg(base, i.b())
			if a.p == &statics[KindInt] && b.p == &statics[KindInt] {
				if (int64(a.n) < int64(b.n)) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			if a.p == &statics[KindFloat] && b.p == &statics[KindFloat] {
				if (a.rawFloat() < b.rawFloat()) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			goto slow
		case Instr(opLE):
			a, b := reg(base, i.a()), reg(base, i.b())
			if a.p == &statics[KindInt] && b.p == &statics[KindInt] {
				if (int64(a.n) <= int64(b.n)) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			if a.p == &statics[KindFloat] && b.p == &statics[KindFloat] {
				if (a.rawFloat() <= b.rawFloat()) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			goto slow
		case Instr(opLTK):
			a, b := reg(base, i.a()), reg(cl.k, i.b())
			if a.p == &statics[KindInt] && b.p == &statics[KindInt] {
				if (int64(a.n) < int64(b.n)) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			if a.p == &statics[KindFloat] && b.p == &statics[KindFloat] {
				if (a.rawFloat() < b.rawFloat()) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			goto slow
		case Instr(opLEK):
			a, b := reg(base, i.a()), reg(cl.k, i.b())
			if a.p == &statics[KindInt] && b.p == &statics[KindInt] {
				if (int64(a.n) <= int64(b.n)) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			goto slow
		case Instr(opGTK):
			a, b := reg(base, i.a()), reg(cl.k, i.b())
			if a.p == &statics[KindInt] && b.p == &statics[KindInt] {
				if (int64(a.n) > int64(b.n)) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			if a.p == &statics[KindFloat] && b.p == &statics[KindFloat] {
				if (a.rawFloat() > b.rawFloat()) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			goto slow
		case Instr(opGEK):
			a, b := reg(base, i.a()), reg(cl.k, i.b())
			if a.p == &statics[KindInt] && b.p == &statics[KindInt] {
				if (int64(a.n) >= int64(b.n)) == (i.c() != 0) {
					ip = unsafe.Add(ip, i.d()*8)
				}
				continue
			}
			goto slow

		case Instr(opCALL):
			{
				f := reg(base, i.a())
				if f.p == nil || f.p.kind != KindClosure || i.b() == 0 {
					goto call
				}
				callee := (*Closure)(unsafe.Pointer(f.p))
				p := callee.proto
				th := s.th
				nb := int(fr.base) + int(i.a()) + 1
				if p.isVararg || nb+p.maxStack+goSlots > len(th.stack) || th.nf >= len(th.frames) {
					goto call
				}
				cost := len(p.code)
				if cost > maxCallFuel {
					cost = maxCallFuel
				}
				if s.budget -= int64(cost); s.budget <= 0 {
					s.budget += int64(cost)
					goto call
				}
				for n := int(i.b()) - 1; n < p.nparams; n++ {
					*(*Value)(unsafe.Add(unsafe.Pointer(f), (n+1)*16)) = Value{}
				}
				fr.ip = ip
				base = unsafe.Add(unsafe.Pointer(f), 16)
				fr = (*frame)(unsafe.Add(unsafe.Pointer(fr), frameSize))
				th.nf++
				if fr.cl != callee {
					fr.cl = callee
				}
				fr.base, fr.ret, fr.nres, fr.nvar, fr.flags = int32(nb), int32(nb-1), int32(i.c())-1, 0, 0
				cl = callee
				ip = unsafe.Pointer(unsafe.SliceData(p.code))
			}
		case Instr(opRETURN0):
			if fr.flags&fDeliver != 0 || uint32(fr.nres) > 1 {
				goto slow
			}
			{
				d := unsafe.Add(base, (int(fr.ret)-int(fr.base))*16)
				if fr.nres == 1 {
					*(*Value)(d) = Value{}
				}
				ret := int(fr.ret)
				s.th.nf--
				fr = (*frame)(unsafe.Add(unsafe.Pointer(fr), -int(frameSize)))
				cl = fr.cl
				ip = fr.ip
				base = unsafe.Add(d, (int(fr.base)-ret)*16)
			}
		case Instr(opRETURN1):
			if fr.flags&fDeliver != 0 || uint32(fr.nres) > 1 {
				goto slow
			}
			{
				d := unsafe.Add(base, (int(fr.ret)-int(fr.base))*16)
				if fr.nres == 1 {
					set((*Value)(d), reg(base, i.a()))
				}
				ret := int(fr.ret)
				s.th.nf--
				fr = (*frame)(unsafe.Add(unsafe.Pointer(fr), -int(frameSize)))
				cl = fr.cl
				ip = fr.ip
				base = unsafe.Add(d, (int(fr.base)-ret)*16)
			}

		case Instr(opFORLOOP):
			{
				r := (*[4]Value)(unsafe.Add(base, uintptr(i.a())*16))
				if r[2].p == &statics[KindInt] {
					if r[1].n == 0 {
						continue
					}
					r[1].n--
					r[0].n += r[2].n
					setInt(&r[3], r[0].n)
				} else {
					x, step := r[0].rawFloat()+r[2].rawFloat(), r[2].rawFloat()
					if !(step > 0 && x <= r[1].rawFloat() || step <= 0 && r[1].rawFloat() <= x) {
						continue
					}
					r[0].n = math.Float64bits(x)
					setFloat(&r[3], x)
				}
				ip = unsafe.Add(ip, i.d()*8)
				if s.budget += int64(i.d()); s.budget <= 0 {
					goto slow
				}
			}
		case Instr(opTFORLOOP):
			{
				c := (*Value)(unsafe.Add(base, (uintptr(i.a())+4)*16))
				if c.p != nil {
					set((*Value)(unsafe.Add(base, (uintptr(i.a())+2)*16)), c)
					ip = unsafe.Add(ip, i.d()*8)
					if s.budget += int64(i.d()); s.budget <= 0 {
						goto slow
					}
				}
			}
		case Instr(opPOW), Instr(opPOWK), Instr(opBNOT), Instr(opCONCAT), Instr(opTAILCALL), Instr(opRETURN),
			Instr(opFORPREP), Instr(opTFORPREP), Instr(opTFORCALL), Instr(opCLOSURE), Instr(opVARARG),
			Instr(opNEWTABLE), Instr(opSETLIST), Instr(opCLOSE), Instr(opTBC):
			goto slow
		case 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90,
			91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112,
			113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127:
			goto slow // slow reports the bad opcode
		}
	}
call:
	fr.ip = ip
	if act := s.slowCall(i); act == actRun || s.drive(act) {
		goto reload
	}
	return
slow:
	fr.ip = ip
	if act := s.slow(i); act == actRun || s.drive(act) {
		goto reload
	}
}
