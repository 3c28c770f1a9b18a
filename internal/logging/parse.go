package logging

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Record is a line of a log, of either format, as far as a reader needs it.
type Record struct {
	Time  time.Time
	Level slog.Level
	raw   json.RawMessage // the line itself, if it is JSON
	pairs [][2]string     // else its keys and values
}

// Parse reads a line that a logger of this package wrote; ok is false for any
// other (a panic's trace, the output of a library).
func Parse(line []byte) (r Record, ok bool) {
	var at, level string
	if bytes.HasPrefix(line, []byte("{")) {
		var head struct{ Time, Level string }
		if json.Unmarshal(line, &head) != nil {
			return r, false
		}
		r.raw, at, level = bytes.Clone(line), head.Time, head.Level
	} else {
		if r.pairs, ok = parsePairs(string(line)); !ok {
			return r, false
		}
		for _, p := range r.pairs {
			switch {
			case p[0] == slog.TimeKey && at == "":
				at = p[1]
			case p[0] == slog.LevelKey && level == "":
				level = p[1]
			}
		}
	}
	var err error
	if r.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return r, false
	}
	if level == "TRACE" {
		r.Level = LevelTrace
		return r, true
	}
	return r, r.Level.UnmarshalText([]byte(level)) == nil
}

// parsePairs reads key=value pairs as slog.TextHandler writes them.
func parsePairs(s string) (pairs [][2]string, ok bool) {
	for s != "" {
		key, rest, ok := token(s, '=')
		if !ok || !strings.HasPrefix(rest, "=") {
			return nil, false
		}
		value, rest, ok := token(rest[1:], ' ')
		if !ok {
			return nil, false
		}
		pairs = append(pairs, [2]string{key, value})
		s = strings.TrimPrefix(rest, " ")
	}
	return pairs, len(pairs) > 0
}

// token is a quoted string, or what stands before end.
func token(s string, end byte) (tok, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		if i := strings.IndexByte(s, end); i >= 0 {
			return s[:i], s[i:], true
		}
		return s, "", true
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", false
	}
	tok, err = strconv.Unquote(quoted)
	return tok, s[len(quoted):], err == nil
}

// JSON is the record as one JSON object. Values of a text line are strings.
func (r Record) JSON() []byte {
	if r.raw != nil {
		return r.raw
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range r.pairs {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(p[0])
		value, _ := json.Marshal(p[1])
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes()
}
