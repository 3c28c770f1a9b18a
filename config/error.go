package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one finding about the configuration. It never holds the value of a
// secret key.
type Problem struct {
	File       string // file it stands in, as it was named; empty if it is not from a file
	Line, Col  int    // 1-based; 0 if unknown
	Source     string // environment variable, flag or profile it is from, if not from a file
	Key        string // dotted key; empty for syntax errors
	Message    string
	Hint       string // what to do, may be empty
	DidYouMean string // nearest accepted name, may be empty
}

// String is `file:line:col key: message (did you mean "x"?)`.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.File != "" && p.Line > 0:
		fmt.Fprintf(&b, "%s:%d:%d ", p.File, p.Line, p.Col)
	case p.File != "":
		b.WriteString(p.File + " ")
	case p.Source != "":
		b.WriteString(p.Source + " ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	if p.DidYouMean != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", p.DidYouMean)
	}
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Error reports every problem of a configuration at once.
type Error struct {
	Problems []Problem
	// Warnings are what would have been in Config.Warnings.
	Warnings []Problem
}

// Error prints one problem per line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Summary is the headline for people: "invalid configuration", or the name of the
// one problem that has a headline of its own, a placeholder key.
func (e *Error) Summary() string {
	if len(e.Problems) == 1 && strings.HasPrefix(e.Problems[0].Message, placeholderMessage) {
		return e.Problems[0].Key + " " + placeholderMessage
	}
	return "invalid configuration"
}

func sortProblems(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Key, b.Key))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool { return a == b })
}
