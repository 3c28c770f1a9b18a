package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// hostile are the values a unit must survive.
func hostile(t *testing.T) (binary, dir string) {
	t.Helper()
	base := t.TempDir()
	dir = filepath.Join(base, `a "b" 100%n $HOME ;\x`)
	programs := filepath.Join(base, "100%n $HOME ; é")
	for _, d := range []string{dir, programs} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	binary = filepath.Join(programs, "llm spell")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return binary, dir
}

func analyzer(t *testing.T) string {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed (apt-get install systemd)")
	}
	return tool
}

func unitSpecs(t *testing.T) map[string]Spec {
	binary, dir := hostile(t)
	all := map[string]Spec{}
	for _, system := range []bool{true, false} {
		for _, forking := range []bool{false, true} {
			name := strings.Join([]string{"plain", strconv.FormatBool(system), strconv.FormatBool(forking)}, "-")
			s := Spec{Manager: Systemd, System: system, Forking: forking, Binary: binary, Home: "/home/u", Version: "0.1.0"}
			all[name] = s
			s.Name, s.Port, s.Config, s.Profile = "my.llm_spell", "9600", dir+"/c.toml", "a,b"
			s.Writes = []string{dir, "/srv/x y", "/var/run/llmspell"}
			s.LogFile, s.PIDFile = dir+"/k.log", "/var/run/llmspell/kernel.pid"
			all["full"+name[5:]] = s
		}
	}
	for name, s := range all {
		s, err := s.Complete()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = s
	}
	return all
}

func writeUnit(t *testing.T, s Spec) string {
	t.Helper()
	text, err := s.Render()
	if err != nil {
		t.Fatal(err)
	}
	if !Generated(text) || Generated(text+"\n") || Generated(strings.Replace(text, "RestartSec=10", "RestartSec=9", 1)) {
		t.Error("the hash does not tell edited from unedited")
	}
	file := filepath.Join(t.TempDir(), s.Name+".service")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestVerify(t *testing.T) {
	t.Parallel()
	tool := analyzer(t)
	for name, s := range unitSpecs(t) {
		t.Run(name, func(t *testing.T) {
			scope := "--system"
			if !s.System {
				scope = "--user"
			}
			cmd := exec.Command(tool, "verify", scope, "--man=no", "--recursive-errors=no", writeUnit(t, s))
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir(), "HOME="+t.TempDir())
			out, err := cmd.CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

var overall = regexp.MustCompile(`Overall exposure level for .*: ([0-9.]+) `)

func TestSecurity(t *testing.T) {
	t.Parallel()
	tool := analyzer(t)
	if help, _ := exec.Command(tool, "--help").CombinedOutput(); !strings.Contains(string(help), "--offline") {
		t.Skip("this systemd-analyze has no --offline (systemd 250)")
	}
	for name, s := range unitSpecs(t) {
		limit := 5.5
		if s.System {
			limit = 1.5
		}
		out, err := exec.Command(tool, "security", "--offline=true", "--no-pager", writeUnit(t, s)).CombinedOutput()
		found := overall.FindSubmatch(out)
		if err != nil || found == nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		exposure, _ := strconv.ParseFloat(string(found[1]), 64)
		t.Logf("%s: %.1f", name, exposure)
		if exposure > limit {
			t.Errorf("%s: exposure %.1f, want at most %.1f\n%s", name, exposure, limit, out)
		}
	}
}
