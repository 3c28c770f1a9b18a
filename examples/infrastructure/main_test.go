package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), "config.toml", &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"state greeting: hello (found true)", "sessions: 0", "tools: 8; calculator says 6*7 = 42",
		"agents: 1", "workflows: 0", "found agent researcher: finds sources",
	} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "enabled") {
		t.Errorf("an optional component is there:\n%s", &out)
	}
}
