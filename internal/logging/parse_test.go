package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
)

// TestParse reads back what the logger writes, in both formats.
func TestParse(t *testing.T) {
	t.Parallel()
	messages := []string{"plain", "two words", `quo"ted = x`, "line\nbreak", "", "é"}
	for _, format := range []string{"text", "json"} {
		for _, level := range []slog.Level{LevelTrace, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			for _, m := range messages {
				var b bytes.Buffer
				lv := new(slog.LevelVar)
				lv.Set(LevelTrace)
				log, err := New(Params{Writer: &b, Format: format, Level: lv})
				if err != nil {
					t.Fatal(err)
				}
				log.With("component", "x y").Log(context.Background(), level, m, "n", 7)
				line := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
				r, ok := Parse(line)
				if !ok || r.Level != level || r.Time.IsZero() {
					t.Fatalf("%s: %+v %v", line, r, ok)
				}
				var got struct{ Msg, Component, Level string }
				if err := json.Unmarshal(r.JSON(), &got); err != nil || got.Msg != m || got.Component != "x y" || got.Level == "" {
					t.Errorf("%s: %s %v", line, r.JSON(), err)
				}
			}
		}
	}
}

func TestParseOther(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "panic: boom", "goroutine 1 [running]:", "{", "{}", `time=x level=INFO`, `time="2026`, "a=b",
		"time=2026-01-02T03:04:05Z level=LOUD", "\tmain.go:1 +0x1d", `time=2026-01-02T03:04:05Z`,
	} {
		if r, ok := Parse([]byte(line)); ok {
			t.Errorf("%q: %+v", line, r)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`time=2026-01-02T03:04:05Z level=INFO msg="a\nb" "k k"=v`))
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","level":"WARN"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if r, ok := Parse(line); ok && !json.Valid(r.JSON()) {
			t.Errorf("%q: %s", line, r.JSON())
		}
	})
}
