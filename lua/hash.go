package lua

import (
	"encoding/binary"
	"hash/fnv"
)

// computeHash covers everything that decides how the function runs: code,
// constants, captured variables and shape, not names of variables or lines. It
// is the same in every process.
func (p *Proto) computeHash() uint64 {
	h := fnv.New64a()
	var buf []byte
	word := func(n uint64) { buf = binary.LittleEndian.AppendUint64(buf, n) }
	flush := func() {
		h.Write(buf)
		buf = buf[:0]
	}
	vararg := uint64(0)
	if p.isVararg {
		vararg = 1
	}
	for _, n := range [...]int{len(p.code), len(p.k), len(p.upvals), len(p.protos), p.nparams, p.maxStack} {
		word(uint64(n))
	}
	word(vararg)
	for _, i := range p.code {
		word(uint64(i))
		if len(buf) >= 4096 {
			flush()
		}
	}
	flush()
	for _, v := range p.k {
		word(uint64(v.Kind()))
		if v.isString() {
			word(uint64(len(v.str())))
			flush()
			h.Write([]byte(v.str()))
			continue
		}
		word(v.n)
	}
	for _, u := range p.upvals {
		from := uint64(0)
		if u.fromLocal {
			from = 1
		}
		word(from<<8 | uint64(u.index))
	}
	for _, sub := range p.protos {
		word(sub.hash)
	}
	flush()
	return h.Sum64()
}
