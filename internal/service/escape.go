package service

import (
	"encoding/xml"
	"strings"
)

// plain are the characters that need no quotes in a unit file.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@+,"

// quote writes one word of an Exec line or path list: quotes where needed, %
// doubled (no specifier).
func quote(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// argument is quote for an argument of a command, where $ would expand. The
// program of the command is not expanded, so it takes quote.
func argument(s string) string { return strings.ReplaceAll(quote(s), "$", "$$") }

// whole writes a value that is the rest of its line: only specifiers count.
func whole(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// escapeXML writes text between tags.
func escapeXML(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
