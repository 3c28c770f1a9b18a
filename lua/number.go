package lua

import (
	"math"
	"strconv"
	"strings"
)

// parseNumber converts a numeral as C Lua does: decimal and hexadecimal
// integers (the latter wrap around), decimal and hexadecimal floats, an
// optional sign, and white space around it.
func parseNumber(s string) (Value, bool) {
	s = trimSpace(s)
	if s == "" {
		return Nil, false
	}
	body, neg := s, false
	switch s[0] {
	case '-':
		body, neg = s[1:], true
	case '+':
		body = s[1:]
	}
	if len(body) > 1 && body[0] == '0' && body[1]|0x20 == 'x' {
		return parseHex(body[2:], neg)
	}
	return parseDecimal(body, neg)
}

func trimSpace(s string) string { return strings.Trim(s, " \t\n\v\f\r") }

func parseDecimal(s string, neg bool) (Value, bool) {
	digits, isInt := 0, true
	i := 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		isInt = false
		for i++; i < len(s) && isDigit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return Nil, false
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		isInt = false
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		first := i
		for ; i < len(s) && isDigit(s[i]); i++ {
		}
		if i == first {
			return Nil, false
		}
	}
	if i != len(s) {
		return Nil, false
	}
	if isInt {
		if v, ok := decimalInteger(s, neg); ok {
			return v, true
		}
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range gives an infinity, as strtod does
	if neg {
		f = -f
	}
	return Float(f), true
}

// decimalInteger fails if the digits do not fit an int64.
func decimalInteger(s string, neg bool) (Value, bool) {
	var n uint64
	for i := range len(s) {
		d := uint64(s[i] - '0')
		if n > (math.MaxUint64-d)/10 {
			return Nil, false
		}
		n = n*10 + d
	}
	if neg {
		if n > 1<<63 {
			return Nil, false
		}
		return Integer(-int64(n)), true
	}
	if n > math.MaxInt64 {
		return Nil, false
	}
	return Integer(int64(n)), true
}

// parseHex converts what follows "0x".
func parseHex(s string, neg bool) (Value, bool) {
	var n uint64
	digits, i := 0, 0
	for ; i < len(s) && isHex(s[i]); i++ {
		n = n<<4 | uint64(hexValue(s[i]))
		digits++
	}
	if i == len(s) {
		if digits == 0 {
			return Nil, false
		}
		if neg {
			n = -n
		}
		return Integer(int64(n)), true
	}
	if s[i] == '.' {
		for i++; i < len(s) && isHex(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return Nil, false
	}
	mantissa, exponent := s[:i], "p0"
	if i < len(s) {
		if s[i]|0x20 != 'p' {
			return Nil, false
		}
		exponent = s[i:]
		j := 1
		if j < len(exponent) && (exponent[j] == '+' || exponent[j] == '-') {
			j++
		}
		if j == len(exponent) {
			return Nil, false
		}
		for ; j < len(exponent); j++ {
			if !isDigit(exponent[j]) {
				return Nil, false
			}
		}
	}
	f, _ := strconv.ParseFloat("0x"+mantissa+exponent, 64)
	if neg {
		f = -f
	}
	return Float(f), true
}

func isDigit(c byte) bool { return c-'0' < 10 }

func isHex(c byte) bool { return isDigit(c) || (c|0x20)-'a' < 6 }

func hexValue(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// appendFloat formats as "%.14g" and marks integral values by ".0".
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 0):
		if f < 0 {
			b = append(b, '-')
		}
		return append(b, "inf"...)
	case f != f:
		if math.Signbit(f) {
			b = append(b, '-')
		}
		return append(b, "nan"...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', 14, 64)
	for _, c := range b[start:] {
		if c != '-' && !isDigit(c) {
			return b
		}
	}
	return append(b, ".0"...)
}

// appendNumber formats the number v as tostring does.
func appendNumber(b []byte, v Value) []byte {
	if v.isInt() {
		return strconv.AppendInt(b, v.rawInt(), 10)
	}
	return appendFloat(b, v.rawFloat())
}

// formatNumber returns tostring of the number v.
func formatNumber(v Value) string {
	var buf [32]byte
	return string(appendNumber(buf[:0], v))
}

// floatToInteger converts a float with an exact integer representation.
func floatToInteger(f float64) (int64, bool) {
	if f >= -(1<<63) && f < 1<<63 {
		if i := int64(f); float64(i) == f {
			return i, true
		}
	}
	return 0, false
}

// toNumber converts a number or a numeric string to a number value.
func toNumber(v Value) (Value, bool) {
	if v.isNumber() {
		return v, true
	}
	if v.isString() {
		return parseNumber(v.str())
	}
	return Nil, false
}

// toFloat converts a number or a numeric string to a float.
func toFloat(v Value) (float64, bool) {
	switch {
	case v.isFloat():
		return v.rawFloat(), true
	case v.isInt():
		return float64(v.rawInt()), true
	}
	n, ok := toNumber(v)
	if !ok {
		return 0, false
	}
	return toFloat(n)
}

// toInteger converts an integer, an integral float or a string of either.
func toInteger(v Value) (int64, bool) {
	switch {
	case v.isInt():
		return v.rawInt(), true
	case v.isFloat():
		return floatToInteger(v.rawFloat())
	case v.isString():
		if n, ok := parseNumber(v.str()); ok {
			return toInteger(n)
		}
	}
	return 0, false
}
