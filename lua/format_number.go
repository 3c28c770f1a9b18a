package lua

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// pad puts body behind sign (a sign, or a prefix such as 0x) and fills up to
// the width: with zeros between the two if zero is set, else with spaces.
func (v *conversion) pad(sign, body string, zero bool) string {
	fill := v.width - len(sign) - len(body)
	switch {
	case fill <= 0:
		return sign + body
	case v.minus:
		return sign + body + strings.Repeat(" ", fill)
	case zero:
		return sign + strings.Repeat("0", fill) + body
	}
	return strings.Repeat(" ", fill) + sign + body
}

// sign returns the sign of a signed conversion.
func (v *conversion) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case v.plus:
		return "+"
	case v.space:
		return " "
	}
	return ""
}

// integer formats x as the C conversions d i u o x X do.
func (v *conversion) integer(x int64) string {
	var sign, digits string
	switch v.verb {
	case 'd', 'i':
		sign = v.sign(x < 0)
		u := uint64(x)
		if x < 0 {
			u = -u
		}
		digits = strconv.FormatUint(u, 10)
	case 'u':
		digits = strconv.FormatUint(uint64(x), 10)
	case 'o':
		digits = strconv.FormatUint(uint64(x), 8)
	default:
		digits = strconv.FormatUint(uint64(x), 16)
		if v.alt && x != 0 {
			sign = "0x"
		}
	}
	if v.precision == 0 && x == 0 {
		digits = ""
	}
	if n := v.precision - len(digits); n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	if v.verb == 'o' && v.alt && !strings.HasPrefix(digits, "0") {
		digits = "0" + digits
	}
	s := v.pad(sign, digits, v.zero && v.precision < 0)
	if v.verb == 'X' {
		s = strings.ToUpper(s)
	}
	return s
}

// float formats x as the C conversions a e f g and their capitals do.
func (v *conversion) float(x float64) string {
	negative := math.Signbit(x)
	sign, zero := v.sign(negative), v.zero
	x = math.Abs(x)
	var body string
	switch lower := v.verb | 0x20; {
	case math.IsInf(x, 0):
		body, zero = "inf", false
	case x != x:
		body, zero = "nan", false
	case lower == 'a':
		sign += "0x"
		body = hexFloat(x, v.precision, v.alt)
	default:
		precision := v.precision
		if precision < 0 {
			precision = 6
		}
		body = decimalFloat(x, lower, precision, v.alt)
	}
	s := v.pad(sign, body, zero)
	if v.verb < 'a' {
		s = strings.ToUpper(s)
	}
	return s
}

// decimalFloat formats x >= 0 for e, f and g. alt is the flag '#': always a
// point, and no zeros removed by g.
func decimalFloat(x float64, verb byte, precision int, alt bool) string {
	if verb != 'g' {
		s := strconv.FormatFloat(x, verb, precision, 64)
		if alt && precision == 0 {
			return addPoint(s)
		}
		return s
	}
	precision = max(precision, 1)
	if !alt {
		return strconv.FormatFloat(x, 'g', precision, 64)
	}
	s := strconv.FormatFloat(x, 'e', precision-1, 64)
	exp, _ := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
	if -4 <= exp && exp < precision {
		s = strconv.FormatFloat(x, 'f', precision-1-exp, 64)
	}
	if !strings.Contains(s, ".") {
		return addPoint(s)
	}
	return s
}

// addPoint puts a decimal point behind the digits of a number without one.
func addPoint(s string) string {
	if i := strings.IndexAny(s, "ep"); i >= 0 {
		return s[:i] + "." + s[i:]
	}
	return s + "."
}

// hexFloat formats x >= 0 as C's %a does, without "0x": one digit, which is 0
// for subnormal numbers, and the shortest fraction if precision is negative.
func hexFloat(x float64, precision int, alt bool) string {
	b := math.Float64bits(x)
	mantissa, exp := b&(1<<52-1), int(b>>52)
	switch {
	case exp != 0:
		mantissa |= 1 << 52
		exp -= 1023
	case mantissa != 0:
		exp = -1022
	}
	const digits = 13
	if precision < 0 {
		precision = digits
		if mantissa == 0 {
			precision = 0
		} else {
			precision -= min(bits.TrailingZeros64(mantissa)/4, digits)
		}
	}
	if cut := uint(4 * (digits - min(precision, digits))); cut > 0 {
		half := uint64(1) << (cut - 1)
		rest := mantissa & (1<<cut - 1)
		mantissa >>= cut
		if rest > half || rest == half && mantissa&1 == 1 {
			mantissa++
		}
		mantissa <<= cut
	}
	fraction := strconv.FormatUint(mantissa&(1<<52-1)|1<<52, 16)[1:]
	if precision <= digits {
		fraction = fraction[:precision]
	} else {
		fraction += strings.Repeat("0", precision-digits)
	}
	s := strconv.FormatUint(mantissa>>52, 10)
	if fraction != "" || alt {
		s += "." + fraction
	}
	if exp < 0 {
		return s + "p" + strconv.Itoa(exp)
	}
	return s + "p+" + strconv.Itoa(exp)
}
