package lua

import "sync/atomic"

// Charges in bytes. They are fixed: a snapshot restored anywhere, in any
// version of Go, counts the same. What is not part of a snapshot (hints, index
// width, buffers) is not counted.
const (
	chargeString   = 40 // plus one per byte
	chargeTable    = 112
	chargeElement  = 16
	chargeEntry    = 32
	chargeClosure  = 80 // plus 8 per upvalue
	chargeUpval    = 48
	chargeFunction = 80
	chargeThread   = 200 // plus stack and frames
	chargeUserdata = 64
	chargeInstr    = 12 // instruction and its line
	chargeConstant = 16
	chargeProto    = 420 // plus instructions, constants, names
	chargeName     = 48  // of a local variable or upvalue
)

// memoryReserve is kept above the quota for what cannot be refused: a host's
// values, error messages, unwinding.
const memoryReserve = 1 << 20

// walkStep is the least growth between two walks.
const walkStep = 256 << 10

// maxRefusals is how many refused allocations a run may catch.
const maxRefusals = 8

func tableCharge(narray, nfields int) int64 {
	return chargeTable + chargeElement*int64(narray) + chargeEntry*int64(fieldCapacity(nfields))
}

// charge counts n more bytes. false: they are refused and s.err is set.
func (s *State) charge(n int64) bool {
	s.mem += n
	if s.mem <= s.mark {
		return true
	}
	return s.chargeSlow(n)
}

// chargeHost counts n bytes that are not refused.
func (s *State) chargeHost(n int64) {
	s.mem += n
	if s.mem > s.mark {
		s.wantWalk()
	}
}

// wantWalk asks for a walk at the next call or back edge.
func (s *State) wantWalk() {
	if !s.walkDue && !s.gcStopped {
		s.walkDue = true
		s.endSlice()
	}
}

// chargeSlow is charge after the counter passed the mark.
func (s *State) chargeSlow(n int64) bool {
	limit := s.quota()
	if limit == 0 || s.mem <= limit {
		s.wantWalk()
		return s.poolCovers(n)
	}
	s.mem -= n
	s.walk(s.mayClear())
	free := limit - s.mem
	s.mem += n
	if free < n || free < limit/16 {
		return s.refuse(n)
	}
	return s.poolCovers(n)
}

// quota is the state's limit, 0 for none.
func (s *State) quota() int64 { return s.options.MemoryLimit }

// refuse undoes a charge and sets the memory error. The refusal after the last
// that may be caught ends the run.
func (s *State) refuse(n int64) bool {
	s.mem -= n
	s.refusals++
	if s.refusals > maxRefusals && s.inRun() {
		s.stop = StopMemory
	}
	s.err = s.memErr
	return false
}

// setMark sets the counter at which the next walk happens.
func (s *State) setMark() {
	mark := max(2*s.mem, s.mem+walkStep)
	if s.test.walkAlways {
		mark = s.mem
	}
	if q := s.quota(); q > 0 {
		// The walk before the quota is reached happens at an edge, where it may
		// clear weak tables; those at the quota often may not.
		if s.mem < q-q/8 {
			mark = min(mark, q-q/16)
		}
		mark = min(mark, q)
	}
	s.mark = mark
}

// poolCovers makes the shared limit cover the counter.
func (s *State) poolCovers(n int64) bool {
	p := s.options.Pool
	if p == nil {
		return true
	}
	if p.hold(&s.held, s.mem) {
		return true
	}
	s.mem -= n
	s.walk(false)
	s.mem += n
	if p.hold(&s.held, s.mem) {
		return true
	}
	return s.refuse(n)
}

// MemoryPool is a limit on the counted bytes of several states. A state takes
// its bytes from the pool when its counter passes a mark, so the sum runs
// behind by at most half of what is counted. Safe for concurrent use.
type MemoryPool struct {
	limit, used atomic.Int64
}

// NewMemoryPool returns a pool; limit in bytes, 0 = none.
func NewMemoryPool(limit int64) *MemoryPool {
	p := &MemoryPool{}
	p.limit.Store(limit)
	return p
}

// Used returns the bytes the states hold.
func (p *MemoryPool) Used() int64 { return p.used.Load() }

// SetLimit changes the limit; states above it are refused further memory.
func (p *MemoryPool) SetLimit(n int64) { p.limit.Store(n) }

// hold changes what a state holds from *held to want. Giving back always works.
func (p *MemoryPool) hold(held *int64, want int64) bool {
	delta := want - *held
	used := p.used.Add(delta)
	if limit := p.limit.Load(); delta > 0 && limit > 0 && used > limit {
		p.used.Add(-delta)
		return false
	}
	*held = want
	return true
}
