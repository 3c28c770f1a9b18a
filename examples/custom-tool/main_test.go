package main

import (
	"strings"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool/tooltest"
)

func TestConformance(t *testing.T) {
	tooltest.Run(t, orders{status: map[string]string{"A-17": "shipped"}}, []tooltest.Case{
		{Name: "known", Params: map[string]any{"number": "A-17"}, Want: map[string]any{"status": "shipped"}},
		{Name: "unknown", Params: map[string]any{"number": "B-1"}, Verdict: map[string]any{}, Says: "no order"},
		{Name: "bad", Params: map[string]any{"number": "A 17"}, Fails: fault.InvalidArgument, Says: "spaces"},
		{Name: "missing", Params: map[string]any{}, Fails: fault.InvalidArgument},
	})
}

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if want := "Result: [\"shipped\",false]\n"; out.String() != want {
		t.Errorf("printed %q, want %q", &out, want)
	}
}
