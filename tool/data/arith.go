package data

import (
	"fmt"
	"math"
	"math/big"
	"slices"
)

// Numbers are int64 or float64. Integer operations that fit stay integers;
// those that do not become floats.

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

func float(v any) float64 {
	switch n := v.(type) {
	case int64:
		return float64(n)
	case float64:
		return n
	}
	return math.NaN()
}

func typeOf(v any) string {
	switch v.(type) {
	case int64:
		return "integer"
	case float64:
		return "float"
	case bool:
		return "boolean"
	}
	return fmt.Sprintf("%T", v)
}

func arithmetic(op string, a, b any) any {
	x, xInt := a.(int64)
	y, yInt := b.(int64)
	if xInt && yInt {
		if n, ok := integer(op, x, y); ok {
			return n
		}
	}
	f, g := float(a), float(b)
	switch op {
	case "+":
		return f + g
	case "-":
		return f - g
	case "*":
		return f * g
	case "/":
		return f / g
	case "%":
		m := math.Mod(f, g)
		if m != 0 && (m < 0) != (g < 0) {
			m += g
		}
		return m
	default:
		return math.Pow(f, g)
	}
}

// integer computes x op y if the exact result is an int64; y is not 0 for / and %.
func integer(op string, x, y int64) (int64, bool) {
	a, b := big.NewInt(x), big.NewInt(y)
	switch op {
	case "+":
		a.Add(a, b)
	case "-":
		a.Sub(a, b)
	case "*":
		a.Mul(a, b)
	case "/":
		if x%y != 0 {
			return 0, false
		}
		a.Quo(a, b)
	case "%":
		m := x % y
		if m != 0 && (m < 0) != (y < 0) {
			m += y
		}
		return m, true
	case "^":
		// |x| >= 2 leaves int64 after 63 steps.
		if y < 0 || y > 63 && x != 0 && x != 1 && x != -1 {
			return 0, false
		}
		if y > 63 {
			b.SetInt64(2 + y%2)
		}
		a.Exp(a, b, nil)
	}
	return a.Int64(), a.IsInt64()
}

func compare(op string, a, b any) (result, ok bool) {
	var order int
	switch {
	case isNumber(a) && isNumber(b):
		order = compareNumbers(a, b)
	case typeOf(a) == "boolean" && typeOf(b) == "boolean" && (op == "==" || op == "!="):
		if a != b {
			order = 1
		}
	default:
		return false, false
	}
	switch op {
	case "==":
		return order == 0, true
	case "!=":
		return order != 0, true
	case "<":
		return order < 0, true
	case "<=":
		return order <= 0, true
	case ">":
		return order > 0, true
	}
	return order >= 0, true
}

// compareNumbers is exact where a float64 of an int64 would not be. Both are finite.
func compareNumbers(a, b any) int {
	exact := func(v any) *big.Float {
		if n, ok := v.(int64); ok {
			return new(big.Float).SetInt64(n)
		}
		return big.NewFloat(v.(float64))
	}
	return exact(a).Cmp(exact(b))
}

type function struct {
	name     string
	min, max int
	doc      string
	do       func(args []any) any
}

func (f function) arity() string {
	switch {
	case f.max == math.MaxInt:
		return fmt.Sprintf("%d or more arguments", f.min)
	case f.min != f.max:
		return fmt.Sprintf("%d or %d arguments", f.min, f.max)
	case f.min == 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", f.min)
}

func floats(name, doc string, fn func(float64) float64) function {
	return function{name, 1, 1, doc, func(a []any) any { return fn(float(a[0])) }}
}

// whole is a rounding function: its result is an integer if one holds it.
func whole(name, doc string, fn func(float64) float64) function {
	return function{name, 1, 1, doc, func(a []any) any {
		f, ok := a[0].(float64)
		if !ok {
			return a[0]
		}
		if f = fn(f); f >= -(1<<63) && f < 1<<63 {
			return int64(f)
		}
		return f
	}}
}

var functions = []function{
	floats("sqrt", "square root", math.Sqrt),
	floats("sin", "sine of radians", math.Sin),
	floats("cos", "cosine of radians", math.Cos),
	floats("tan", "tangent of radians", math.Tan),
	{"abs", 1, 1, "absolute value", func(a []any) any {
		if n, ok := a[0].(int64); ok && n != math.MinInt64 {
			return max(n, -n)
		}
		return math.Abs(float(a[0]))
	}},
	whole("floor", "greatest integer not above", math.Floor),
	whole("ceil", "least integer not below", math.Ceil),
	whole("round", "nearest integer, halves away from zero", math.Round),
	{"min", 1, math.MaxInt, "least argument", func(a []any) any { return slices.MinFunc(a, compareNumbers) }},
	{"max", 1, math.MaxInt, "greatest argument", func(a []any) any { return slices.MaxFunc(a, compareNumbers) }},
	{"log", 1, 2, "natural logarithm, or to the base given second", func(a []any) any {
		if len(a) == 1 {
			return math.Log(float(a[0]))
		}
		switch base := float(a[1]); base {
		case 2:
			return math.Log2(float(a[0]))
		case 10:
			return math.Log10(float(a[0]))
		default:
			return math.Log(float(a[0])) / math.Log(base)
		}
	}},
	floats("exp", "e to the power of", math.Exp),
}
