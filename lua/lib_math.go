package lua

import (
	"math"
)

var mathLib = []libFunc{
	{"abs", mathAbs},
	{"acos", mathAcos},
	{"asin", mathAsin},
	{"atan", mathAtan},
	{"ceil", mathCeil},
	{"cos", mathCos},
	{"deg", mathDeg},
	{"exp", mathExp},
	{"floor", mathFloor},
	{"fmod", mathFmod},
	{"log", mathLog},
	{"max", mathMax},
	{"min", mathMin},
	{"modf", mathModf},
	{"rad", mathRad},
	{"random", mathRandom},
	{"randomseed", mathRandomSeed},
	{"sin", mathSin},
	{"sqrt", mathSqrt},
	{"tan", mathTan},
	{"tointeger", mathToInteger},
	{"type", mathType},
	{"ult", mathUlt},
}

var mathConsts = []libConst{
	{"huge", math.Inf(1)},
	{"maxinteger", int64(math.MaxInt64)},
	{"mininteger", int64(math.MinInt64)},
	{"pi", math.Pi},
}

func setupMath(s *State, _ *Table) { s.lib.rng.seed(s.seedOption(), 0) }

// floatFunc returns f of the first argument.
func floatFunc(c *Call, f func(float64) float64) Status {
	x, ok := c.CheckNumber(0)
	if !ok {
		return c.Failed()
	}
	return c.Return1(Float(f(x)))
}

func mathAcos(c *Call) Status { return floatFunc(c, math.Acos) }
func mathAsin(c *Call) Status { return floatFunc(c, math.Asin) }
func mathCos(c *Call) Status  { return floatFunc(c, math.Cos) }
func mathExp(c *Call) Status  { return floatFunc(c, math.Exp) }
func mathSin(c *Call) Status  { return floatFunc(c, math.Sin) }
func mathSqrt(c *Call) Status { return floatFunc(c, math.Sqrt) }
func mathTan(c *Call) Status  { return floatFunc(c, math.Tan) }

func mathDeg(c *Call) Status {
	return floatFunc(c, func(x float64) float64 { return x * (180.0 / math.Pi) })
}

func mathRad(c *Call) Status {
	return floatFunc(c, func(x float64) float64 { return x * (math.Pi / 180.0) })
}

func mathAtan(c *Call) Status {
	y, ok := c.CheckNumber(0)
	if !ok {
		return c.Failed()
	}
	x, ok := c.OptNumber(1, 1)
	if !ok {
		return c.Failed()
	}
	return c.Return1(Float(math.Atan2(y, x)))
}

func mathLog(c *Call) Status {
	x, ok := c.CheckNumber(0)
	if !ok {
		return c.Failed()
	}
	if c.Arg(1).IsNil() {
		return c.Return1(Float(math.Log(x)))
	}
	base, ok := c.CheckNumber(1)
	if !ok {
		return c.Failed()
	}
	switch base {
	case 2:
		return c.Return1(Float(math.Log2(x)))
	case 10:
		return c.Return1(Float(math.Log10(x)))
	}
	return c.Return1(Float(math.Log(x) / math.Log(base)))
}

func mathAbs(c *Call) Status {
	if i, ok := c.Arg(0).AsInteger(); ok {
		if i < 0 {
			i = -i
		}
		return c.Return1(Integer(i))
	}
	return floatFunc(c, math.Abs)
}

// integral returns f as an integer if it fits, else as a float.
func integral(f float64) Value {
	if i, ok := floatToInteger(f); ok {
		return Integer(i)
	}
	return Float(f)
}

func mathFloor(c *Call) Status { return roundFunc(c, math.Floor) }
func mathCeil(c *Call) Status  { return roundFunc(c, math.Ceil) }

func roundFunc(c *Call, f func(float64) float64) Status {
	if v := c.Arg(0); v.isInt() {
		return c.Return1(v)
	}
	x, ok := c.CheckNumber(0)
	if !ok {
		return c.Failed()
	}
	return c.Return1(integral(f(x)))
}

func mathModf(c *Call) Status {
	v := c.Arg(0)
	if v.isInt() {
		c.Push(v)
		return c.Return1(Float(0))
	}
	x, ok := c.CheckNumber(0)
	if !ok {
		return c.Failed()
	}
	whole := math.Trunc(x)
	c.Push(integral(whole))
	if math.IsInf(x, 0) {
		return c.Return1(Float(0))
	}
	return c.Return1(Float(x - whole))
}

func mathFmod(c *Call) Status {
	a, b := c.Arg(0), c.Arg(1)
	if a.isInt() && b.isInt() {
		switch d := b.rawInt(); d {
		case 0:
			return c.ArgError(1, "zero")
		case -1:
			return c.Return1(Integer(0))
		default:
			return c.Return1(Integer(a.rawInt() % d))
		}
	}
	x, ok := c.CheckNumber(0)
	if !ok {
		return c.Failed()
	}
	y, ok := c.CheckNumber(1)
	if !ok {
		return c.Failed()
	}
	return c.Return1(Float(math.Mod(x, y)))
}

func mathToInteger(c *Call) Status {
	if v := c.Arg(0); v.isInt() {
		return c.Return1(v)
	}
	if i, ok := toInteger(c.Arg(0)); ok {
		return c.Return1(Integer(i))
	}
	if !c.CheckAny(0) {
		return c.Failed()
	}
	return c.Return1(Nil)
}

func mathType(c *Call) Status {
	switch c.Arg(0).Kind() {
	case KindInt:
		return c.Return1(c.NewString("integer"))
	case KindFloat:
		return c.Return1(c.NewString("float"))
	}
	if !c.CheckAny(0) {
		return c.Failed()
	}
	return c.Return1(Nil)
}

func mathUlt(c *Call) Status {
	a, ok := c.CheckInteger(0)
	if !ok {
		return c.Failed()
	}
	b, ok := c.CheckInteger(1)
	if !ok {
		return c.Failed()
	}
	return c.Return1(Boolean(uint64(a) < uint64(b)))
}

func mathMin(c *Call) Status { return extreme(c, false) }
func mathMax(c *Call) Status { return extreme(c, true) }

// extreme returns the least or greatest argument by the operator <, which is
// all C Lua asks of them.
func extreme(c *Call, greatest bool) Status {
	if c.NArgs() == 0 {
		return c.ArgError(0, "value expected")
	}
	best := c.Arg(0)
	for i := 1; i < c.NArgs(); i++ {
		a, b := c.Arg(i), best
		if greatest {
			a, b = b, a
		}
		lt, ok := lessRaw(a, b)
		if !ok {
			x := &extremeStep{greatest: greatest, best: best}
			for ; i < c.NArgs(); i++ {
				x.rest = append(x.rest, c.Arg(i))
			}
			return x.advance(c)
		}
		if lt {
			best = c.Arg(i)
		}
	}
	return c.Return1(best)
}

// extremeStep goes on with math.min or math.max where it takes metamethods.
type extremeStep struct {
	greatest bool
	best     Value
	rest     []Value // not compared with best yet
}

func (x *extremeStep) advance(c *Call) Status {
	for len(x.rest) > 0 {
		a, b := x.rest[0], x.best
		if x.greatest {
			a, b = b, a
		}
		lt, fn, ok := c.less(a, b)
		switch {
		case !ok:
			return c.Failed()
		case fn.p != nil:
			return c.CallThen(x, 1, fn, a, b)
		}
		x.take(lt)
	}
	return c.Return1(x.best)
}

func (x *extremeStep) take(lt bool) {
	if lt {
		x.best = x.rest[0]
	}
	x.rest = x.rest[1:]
}

func (x *extremeStep) Resume(c *Call) Status {
	x.take(c.Arg(0).Truthy())
	return x.advance(c)
}

func (x *extremeStep) markValues(mark func(Value)) {
	mark(x.best)
	for _, v := range x.rest {
		mark(v)
	}
}

func mathRandom(c *Call) Status {
	rng := &c.state.lib.rng
	r := rng.next()
	low, up, ok := int64(1), int64(0), true
	switch n := c.NArgs(); n {
	case 0:
		return c.Return1(Float(randomFloat(r)))
	case 1:
		if up, ok = c.CheckInteger(0); !ok {
			return c.Failed()
		}
		if up == 0 {
			return c.Return1(Integer(int64(r)))
		}
	case 2:
		if low, ok = c.CheckInteger(0); !ok {
			return c.Failed()
		}
		if up, ok = c.CheckInteger(1); !ok {
			return c.Failed()
		}
	default:
		return c.Errorf("wrong number of arguments")
	}
	if low > up {
		return c.ArgError(0, "interval is empty")
	}
	return c.Return1(Integer(int64(rng.project(r, uint64(up)-uint64(low)) + uint64(low))))
}

// mathRandomSeed takes any float, as Lua 5.4.7 does; without arguments it draws
// a seed from the System.
func mathRandomSeed(c *Call) Status {
	var n1, n2 int64
	if c.NArgs() == 0 {
		seed := c.system().Seed
		if seed == nil {
			return c.notAvailable("randomseed")
		}
		n1 = int64(seed())
	} else {
		f, ok := c.CheckNumber(0)
		if !ok {
			return c.Failed()
		}
		if n1, ok = toInteger(c.Arg(0)); !ok {
			n1 = int64(math.Float64bits(f))
		}
		if n2, ok = c.OptInteger(1, 0); !ok {
			return c.Failed()
		}
	}
	c.state.lib.rng.seed(uint64(n1), uint64(n2))
	c.Push(Integer(n1))
	return c.Return1(Integer(n2))
}
