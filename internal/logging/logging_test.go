package logging

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

func logger(t *testing.T, p Params) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	var buf bytes.Buffer
	p.Writer = &buf
	if p.Level == nil {
		p.Level = new(slog.LevelVar)
	}
	l, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	return l, &buf
}

func TestTextLine(t *testing.T) {
	t.Parallel()
	l, buf := logger(t, Params{})
	l.With("component", "server").Info("kernel ready", "id", "abc", "note", "a\nb")
	want := regexp.MustCompile(`^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\S+ level=INFO msg="kernel ready" component=server id=abc note="a\\nb"\n$`)
	if !want.MatchString(buf.String()) {
		t.Errorf("line %q", buf)
	}
}

func TestJSONLine(t *testing.T) {
	t.Parallel()
	l, buf := logger(t, Params{Format: "json"})
	l.Warn("x", "n", 1)
	var m map[string]any
	if err := json.Unmarshal(buf.Bytes(), &m); err != nil || m["level"] != "WARN" || m["msg"] != "x" {
		t.Errorf("line %q: %v", buf, err)
	}
}

func TestSecretsAreNeverWritten(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		l, buf := logger(t, Params{Format: format, Secrets: func() []string { return []string{"sk-very-secret"} }})
		l.Info("calling with sk-very-secret", "url", "http://x/?key=sk-very-secret", "Token", "other", slog.Group("g", "password", "pw1"))
		if s := buf.String(); strings.Contains(s, "sk-very") || strings.Contains(s, "other") || strings.Contains(s, "pw1") {
			t.Errorf("%s: %s", format, s)
		}
	}
}

func TestLevelsByComponent(t *testing.T) {
	t.Parallel()
	level := new(slog.LevelVar)
	l, buf := logger(t, Params{Level: level, Components: map[string]string{"agent": "debug", "server": "off"}})
	l.Debug("no")
	l.With("component", "agent").Debug("agent-debug")
	l.With("component", "server").Error("no")
	level.Set(slog.LevelDebug)
	l.Debug("now")
	if got := strings.Count(buf.String(), "\n"); got != 2 || !strings.Contains(buf.String(), "agent-debug") || !strings.Contains(buf.String(), "msg=now") {
		t.Errorf("log:\n%s", buf)
	}
}

func TestParseLevelRefuses(t *testing.T) {
	t.Parallel()
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("accepted")
	}
}
