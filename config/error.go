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

// nearest returns the candidate that is a likely misspelling's target, or "".
func nearest(word string, candidates []string) string {
	best, limit := "", max(1, min(3, len(word)/3))+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// distance is the Damerau-Levenshtein distance with adjacent transpositions.
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
