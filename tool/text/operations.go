package text

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

func reverse(s string) string {
	// An invalid byte becomes U+FFFD: its place in a reversed text has no meaning.
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

func trim(r request) (any, error) {
	if chars := r.options.text("characters", ""); chars != "" {
		return strings.Trim(r.text, chars), nil
	}
	return strings.TrimSpace(r.text), nil
}

func replace(r request) (any, error) {
	from, to := r.options.text("from", ""), r.options.text("to", "")
	if from == "" {
		return nil, invalid("options.from", `replace needs the option "from"`)
	}
	limit := int(min(r.options.integer("limit", -1), 1<<31))
	if n := strings.Count(r.text, from); len(r.text)+n*len(to) > maxOutput {
		return nil, tooLarge()
	}
	return strings.Replace(r.text, from, to, limit), nil
}

func regexReplace(r request) (any, error) {
	from := r.options.text("from", "")
	if from == "" {
		return nil, invalid("options.from", `regex_replace needs the option "from"`)
	}
	if len(from) > 10_000 {
		return nil, invalid("options.from", "the pattern is longer than 10000 bytes")
	}
	re, err := regexp.Compile(from)
	if err != nil {
		return nil, invalid("options.from", "%v", err)
	}
	to := r.options.text("to", "")
	var out []byte
	last := 0
	for _, m := range re.FindAllStringSubmatchIndex(r.text, -1) {
		out = append(out, r.text[last:m[0]]...)
		out = re.ExpandString(out, to, r.text, m)
		if last = m[1]; len(out) > maxOutput {
			return nil, tooLarge()
		}
	}
	return string(append(out, r.text[last:]...)), nil
}

func substring(r request) (any, error) {
	runes := []rune(r.text)
	n := int64(len(runes))
	place := func(name string, missing int64) int64 {
		i := r.options.integer(name, missing)
		if i < 0 {
			i += n
		}
		return min(max(i, 0), n)
	}
	start, end := place("start", 0), place("end", n)
	if start >= end {
		return "", nil
	}
	return string(runes[start:end]), nil
}

func split(r request) (any, error) {
	limit := int(min(r.options.integer("limit", -1), 1<<31))
	var parts []string
	if _, given := r.options["delimiter"]; given {
		delimiter := r.options.text("delimiter", "")
		if delimiter == "" && limit < 0 && len(r.text) > 1<<20 {
			return nil, tooLarge()
		}
		parts = strings.SplitN(r.text, delimiter, limit)
	} else if parts = strings.Fields(r.text); limit > 0 && len(parts) > limit {
		parts = append(parts[:limit-1:limit-1], strings.Join(parts[limit-1:], " "))
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

func join(r request) (any, error) {
	delimiter := r.options.text("delimiter", " ")
	if len(r.text)+len(r.list)*len(delimiter) > maxOutput {
		return nil, tooLarge()
	}
	return strings.Join(r.list, delimiter), nil
}

// lines splits a text at line ends; a final one ends no empty line.
func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n")
}

// words splits at everything that is no letter or digit, and inside camelCase
// and HTTPServer.
func words(s string) []string {
	var out []string
	var word []rune
	runes := []rune(s)
	flush := func() {
		if len(word) > 0 {
			out = append(out, string(word))
			word = nil
		}
	}
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && i > 0 {
			afterLower := unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1])
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if afterLower || unicode.IsUpper(runes[i-1]) && beforeLower {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return out
}

func mapWords(s string, fn func(string) string) []string {
	ws := words(s)
	for i, w := range ws {
		ws[i] = fn(w)
	}
	return ws
}

func capital(w string) string {
	r, size := utf8.DecodeRuneInString(w)
	return string(unicode.ToTitle(r)) + strings.ToLower(w[size:])
}

func camel(s string) string {
	ws := mapWords(s, capital)
	if len(ws) > 0 {
		ws[0] = strings.ToLower(ws[0])
	}
	return strings.Join(ws, "")
}

// title capitalises each word and leaves what is between the words.
func title(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		inWord := unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' || r == '\u2019'
		defer func() { start = !inWord }()
		if start {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

// sanitize removes what does not show and may mislead: control characters other
// than tab and line ends, format characters (zero width, text direction), bytes
// that are not UTF-8.
func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return r
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

func truncate(r request) (any, error) {
	limit := r.options.integer("max_length", 100)
	if limit < 0 {
		return nil, invalid("options.max_length", "max_length is negative")
	}
	runes := []rune(r.text)
	if int64(len(runes)) <= limit {
		return r.text, nil
	}
	suffix := []rune(r.options.text("suffix", "..."))
	if int64(len(suffix)) >= limit {
		return string(runes[:limit]), nil
	}
	return string(runes[:int(limit)-len(suffix)]) + string(suffix), nil
}

func indent(r request) (any, error) {
	width := r.options.integer("width", 4)
	if width < 0 || width > 1000 {
		return nil, invalid("options.width", "width must be 0 to 1000")
	}
	prefix := r.options.text("prefix", strings.Repeat(" ", int(width)))
	if len(r.text)+(strings.Count(r.text, "\n")+1)*len(prefix) > maxOutput {
		return nil, tooLarge()
	}
	return eachLine(r.text, func(line string) string {
		if strings.TrimSpace(line) == "" {
			return line
		}
		return prefix + line
	}), nil
}

func eachLine(s string, fn func(string) string) string {
	ls := strings.Split(s, "\n")
	for i, l := range ls {
		ls[i] = fn(l)
	}
	return strings.Join(ls, "\n")
}

// dedent removes the white space that all lines begin with.
func dedent(s string) string {
	common, first := "", true
	for _, l := range strings.Split(s, "\n") {
		if strings.TrimSpace(l) == "" {
			continue
		}
		lead := l[:len(l)-len(strings.TrimLeft(l, " \t"))]
		if first {
			common, first = lead, false
		}
		for !strings.HasPrefix(lead, common) {
			common = common[:len(common)-1]
		}
	}
	return eachLine(s, func(l string) string {
		if strings.TrimSpace(l) == "" {
			return ""
		}
		return strings.TrimPrefix(l, common)
	})
}

// wordWrap breaks each line between words; a longer word stands alone.
func wordWrap(r request) (any, error) {
	width := r.options.integer("width", 80)
	if width < 1 {
		return nil, invalid("options.width", "width must be at least 1")
	}
	return eachLine(r.text, func(line string) string {
		var out strings.Builder
		var at int64
		for _, w := range strings.Fields(line) {
			n := int64(utf8.RuneCountInString(w))
			switch {
			case at == 0:
			case at+1+n > width:
				out.WriteByte('\n')
				at = 0
			default:
				out.WriteByte(' ')
				at++
			}
			out.WriteString(w)
			at += n
		}
		return out.String()
	}), nil
}

func count(r request) (any, error) {
	switch r.count {
	case "words":
		return int64(len(strings.Fields(r.text))), nil
	case "lines":
		return int64(len(lines(r.text))), nil
	case "bytes":
		return int64(len(r.text)), nil
	}
	return int64(utf8.RuneCountInString(r.text)), nil
}
