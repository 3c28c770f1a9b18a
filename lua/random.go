package lua

import "math/bits"

// xoshiro is the generator xoshiro256** of C Lua 5.4.
type xoshiro [4]uint64

func (x *xoshiro) next() uint64 {
	s0, s1, s2, s3 := x[0], x[1], x[2]^x[0], x[3]^x[1]
	res := bits.RotateLeft64(s1*5, 7) * 9
	x[0] = s0 ^ s3
	x[1] = s1 ^ s2
	x[2] = s2 ^ s1<<17
	x[3] = bits.RotateLeft64(s3, 45)
	return res
}

// seed starts the sequence C Lua's math.randomseed(n1, n2) starts.
func (x *xoshiro) seed(n1, n2 uint64) {
	*x = xoshiro{n1, 0xff, n2, 0}
	for range 16 {
		x.next()
	}
}

// float turns a random number into a float in [0, 1).
func randomFloat(r uint64) float64 { return float64(r>>11) * (1.0 / (1 << 53)) }

// project turns a random number into one in [0, n], drawing more if needed.
func (x *xoshiro) project(r, n uint64) uint64 {
	if n&(n+1) == 0 {
		return r & n
	}
	mask := uint64(1)<<bits.Len64(n) - 1
	for r &= mask; r > n; r = x.next() & mask {
	}
	return r
}
