package lua

import (
	"strconv"
	"strings"
	"time"
)

// dateVerbs are the conversions os.date accepts, those of C99; with the
// modifiers E and O only some are.
const (
	dateVerbs  = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%"
	dateVerbsE = "cCxXyY"
	dateVerbsO = "deHImMSuUVwWy"
)

// dateVerb returns the conversion at the start of s, after the '%', and its
// length; 0 if there is none.
func dateVerb(s string) (verb byte, n int) {
	if s == "" {
		return 0, 0
	}
	verbs, i := dateVerbs, 0
	switch s[0] {
	case 'E':
		verbs, i = dateVerbsE, 1
	case 'O':
		verbs, i = dateVerbsO, 1
	}
	if i == len(s) || strings.IndexByte(verbs, s[i]) < 0 {
		return 0, 0
	}
	return s[i], i + 1
}

// appendDate appends t as the C function strftime does in the C locale.
func appendDate(b []byte, verb byte, t time.Time) []byte {
	switch verb {
	case 'a', 'A':
		return appendName(b, t.Weekday().String(), verb == 'a')
	case 'b', 'h', 'B':
		return appendName(b, t.Month().String(), verb != 'B')
	case 'p':
		if t.Hour() < 12 {
			return append(b, "AM"...)
		}
		return append(b, "PM"...)
	case 'n':
		return append(b, '\n')
	case 't':
		return append(b, '\t')
	case '%':
		return append(b, '%')
	case 'Z':
		return append(b, zoneName(t)...)
	case 'z':
		return t.AppendFormat(b, "-0700")
	}
	if parts := compositeDate(verb); parts != "" {
		for i := range len(parts) {
			if x := parts[i]; isAlpha(x) {
				b = appendDate(b, x, t)
			} else {
				b = append(b, x)
			}
		}
		return b
	}
	n, width, fill := dateNumber(verb, t)
	return appendPadded(b, n, width, fill)
}

// compositeDate returns what a conversion stands for: letters are conversions.
func compositeDate(verb byte) string {
	switch verb {
	case 'c':
		return "a b e H:M:S Y"
	case 'x', 'D':
		return "m/d/y"
	case 'X', 'T':
		return "H:M:S"
	case 'r':
		return "I:M:S p"
	case 'R':
		return "H:M"
	case 'F':
		return "Y-m-d"
	}
	return ""
}

// dateNumber returns the number a conversion shows, its width and its filler.
func dateNumber(verb byte, t time.Time) (n, width int, fill byte) {
	isoYear, isoWeek := t.ISOWeek()
	switch verb {
	case 'C':
		return century(t.Year()), 2, '0'
	case 'd':
		return t.Day(), 2, '0'
	case 'e':
		return t.Day(), 2, ' '
	case 'g':
		return isoYear - 100*century(isoYear), 2, '0'
	case 'G':
		return isoYear, 1, '0'
	case 'H':
		return t.Hour(), 2, '0'
	case 'I':
		return (t.Hour()+11)%12 + 1, 2, '0'
	case 'j':
		return t.YearDay(), 3, '0'
	case 'm':
		return int(t.Month()), 2, '0'
	case 'M':
		return t.Minute(), 2, '0'
	case 'S':
		return t.Second(), 2, '0'
	case 'u':
		return (int(t.Weekday())+6)%7 + 1, 1, '0'
	case 'U':
		return (t.YearDay() + 6 - int(t.Weekday())) / 7, 2, '0'
	case 'V':
		return isoWeek, 2, '0'
	case 'w':
		return int(t.Weekday()), 1, '0'
	case 'W':
		return (t.YearDay() + 6 - (int(t.Weekday())+6)%7) / 7, 2, '0'
	case 'y':
		return t.Year() - 100*century(t.Year()), 2, '0'
	}
	return t.Year(), 1, '0'
}

// century returns the century of year, rounded down.
func century(year int) int { return int(floorDiv(int64(year), 100)) }

func appendName(b []byte, name string, short bool) []byte {
	if short {
		name = name[:3]
	}
	return append(b, name...)
}

// appendPadded appends n in at least width characters.
func appendPadded(b []byte, n, width int, fill byte) []byte {
	s := strconv.Itoa(n)
	for range width - len(s) {
		b = append(b, fill)
	}
	return append(b, s...)
}

// zoneName is the abbreviation of t's zone; C calls UTC GMT.
func zoneName(t time.Time) string {
	if t.Location() == time.UTC {
		return "GMT"
	}
	name, _ := t.Zone()
	return name
}
