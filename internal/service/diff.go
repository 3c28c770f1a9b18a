package service

import (
	"fmt"
	"strings"
)

// around is how many equal lines a diff shows around the changes.
const around = 3

// maxCells bounds the work of a diff with a large foreign file.
const maxCells = 1 << 20

// diff is a unified diff of one hunk, from the first difference to the last.
func diff(oldName, newName, before, after string) string {
	a, b := lines(before), lines(after)
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	start, end = max(0, start-around), max(0, end-around)
	a, b = a[start:len(a)-end], b[start:len(b)-end]
	if len(a)*len(b) > maxCells {
		return fmt.Sprintf("--- %s\n+++ %s\n(too different to show: %d and %d lines)\n", oldName, newName, len(a), len(b))
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n@@ -%d,%d +%d,%d @@\n", oldName, newName, start+1, len(a), start+1, len(b))
	common := common(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out.WriteString(" " + a[i] + "\n")
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out.WriteString("-" + a[i] + "\n")
			i++
		default:
			out.WriteString("+" + b[j] + "\n")
			j++
		}
	}
	return out.String()
}

func lines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }

// common[i][j] is the length of the longest common subsequence of a[i:], b[j:].
func common(a, b []string) [][]int {
	t := make([][]int, len(a)+1)
	for i := range t {
		t[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				t[i][j] = t[i+1][j+1] + 1
			} else {
				t[i][j] = max(t[i+1][j], t[i][j+1])
			}
		}
	}
	return t
}
