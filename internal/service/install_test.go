package service

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// machine is a host below a temporary directory whose manager only listens.
type machine struct {
	Host
	t    *testing.T
	ran  []string
	fail map[string]string // command -> output
}

func newMachine(t *testing.T, uid int) *machine {
	m := &machine{t: t, fail: map[string]string{}}
	m.Host = Host{
		OS: "linux", Root: t.TempDir(), UID: uid, Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Has:     func(string) bool { return true },
		Account: func(string) (Account, bool) { return Account{}, false },
		Run: func(_ context.Context, argv []string) ([]byte, error) {
			line := strings.Join(argv, " ")
			m.ran = append(m.ran, line)
			if out, ok := m.fail[line]; ok {
				return []byte(out), errors.New("exit status 1")
			}
			return nil, nil
		},
	}
	os.Chmod(m.Root, 0o755)
	m.put("/usr/bin/llmspell", "binary", 0o755)
	return m
}

func (m *machine) put(path, text string, mode os.FileMode) {
	m.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(m.at(path)), 0o755), os.WriteFile(m.at(path), []byte(text), mode), os.Chmod(m.at(path), mode)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) get(path string) string {
	m.t.Helper()
	text, ok, err := m.read(path)
	if err != nil || !ok {
		m.t.Fatalf("%s: %t, %v", path, ok, err)
	}
	return text
}

func (m *machine) install(s Spec, o InstallOptions) error {
	p, err := m.PlanInstall(s, o)
	if err != nil {
		return err
	}
	return m.Apply(m.t.Context(), p, func(Step) {})
}

func (m *machine) commands(want ...string) {
	m.t.Helper()
	if !slices.Equal(m.ran, want) {
		m.t.Errorf("commands:\n%s\nwant:\n%s", strings.Join(m.ran, "\n"), strings.Join(want, "\n"))
	}
	m.ran = nil
}

func (m *machine) refuses(err error, text, hint string) {
	m.t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !strings.Contains(f.Message, text) || !strings.Contains(f.Hint, hint) {
		m.t.Errorf("err = %v (%+v), want %q with hint %q", err, f, text, hint)
	}
}

var system = Spec{Manager: Systemd, System: true, Binary: "/usr/bin/llmspell", Version: "0.1.0", Home: "/root"}
var personal = Spec{Manager: Systemd, Binary: "/usr/bin/llmspell", Version: "0.1.0", Home: "/home/u"}

const unitFile = "/etc/systemd/system/llmspell-kernel.service"

func TestInstallSystem(t *testing.T) {
	t.Parallel()
	m := newMachine(t, 0)
	if err := m.install(system, InstallOptions{Enable: true, Start: true}); err != nil {
		t.Fatal(err)
	}
	m.commands(`systemd-sysusers --inline u llmspell - "LLMSpell kernel" /var/lib/llmspell`,
		"systemctl daemon-reload", "systemctl enable llmspell-kernel.service", "systemctl start llmspell-kernel.service")
	text := m.get(unitFile)
	for _, line := range []string{
		"Type=notify", "User=llmspell", "EnvironmentFile=-/etc/default/llmspell-kernel", "WatchdogSec=30", "StateDirectory=llmspell",
		"ExecStart=/usr/bin/llmspell kernel start --foreground --id llmspell-kernel", "ExecReload=/usr/bin/llmspell kernel reload --id llmspell-kernel",
		"SystemCallFilter=~@privileged @resources", "WantedBy=multi-user.target",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}

	// ours and unedited: replaced; the same text: not even written
	if err := m.install(Spec{Manager: Systemd, System: true, Binary: "/usr/bin/llmspell", Version: "0.1.0", Port: "9600"}, InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(m.get(unitFile), " --port 9600\n") {
		t.Error("not replaced")
	}
	p, err := m.PlanUninstall(system, false, false)
	if err != nil || m.Apply(t.Context(), p, func(Step) {}) != nil {
		t.Fatal(err)
	}
	if m.exists(unitFile) {
		t.Error("the file is still there")
	}
	m.ran = nil
	p, err = m.PlanUninstall(system, false, false)
	if err != nil || len(p.Steps) != 0 {
		t.Errorf("absent: %v, %v", p.Steps, err)
	}
}

func TestEditedFileStays(t *testing.T) {
	t.Parallel()
	m := newMachine(t, 0)
	if err := m.install(system, InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(m.get(unitFile), "MemoryMax=2G", "MemoryMax=8G", 1)
	m.put(unitFile, edited, 0o644)
	err := m.install(system, InstallOptions{})
	m.refuses(err, unitFile+" was edited", ".d/*.conf")
	e, ok := errors.AsType[*EditedError](err)
	if !ok || !strings.Contains(e.Diff, "\n-MemoryMax=8G\n+MemoryMax=2G\n") || !strings.Contains(e.Diff, "@@ -") {
		t.Errorf("diff: %v", e)
	}
	if m.get(unitFile) != edited {
		t.Error("the file was changed")
	}
	if err := m.install(system, InstallOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if m.get(unitFile+".bak-20260102T030405Z") != edited || !Generated(m.get(unitFile)) {
		t.Error("--force: no new file or no backup")
	}

	m.put(unitFile, "[Service]\nExecStart=/bin/true\n", 0o644)
	m.refuses(m.install(system, InstallOptions{}), "is not ours", "--force")
	p, err := m.PlanUninstall(system, false, false)
	if err != nil || m.Apply(t.Context(), p, func(Step) {}) != nil || m.exists(unitFile) || !strings.Contains(m.get(unitFile+".bak-20260102T030405Z"), "/bin/true") {
		t.Errorf("uninstall of an edited file: %v", err)
	}
}

func TestInstallRefusals(t *testing.T) {
	t.Parallel()
	user := newMachine(t, 1000)
	user.refuses(user.install(system, InstallOptions{}), "Permission denied: /etc/systemd/system (run with sudo)", "")
	if _, err := user.PlanInstall(system, InstallOptions{DryRun: true}); err != nil {
		t.Errorf("--dry-run needs no rights: %v", err)
	}
	user.put(unitFile, "x", 0o644)
	user.refuses(user.install(personal, InstallOptions{}), "other scope: "+unitFile, "uninstall-service --system")

	m := newMachine(t, 0)
	s := system
	s.Config = "/etc/llmspell/kernel.toml"
	m.put(s.Config, "", 0o600)
	m.refuses(m.install(s, InstallOptions{}), "Permission denied: /etc/llmspell/kernel.toml (owner", "sudo chown llmspell: /etc/llmspell/kernel.toml")
	s = system
	s.LogFile = "/srv/logs/k.log"
	m.refuses(m.install(s, InstallOptions{}), "Permission denied: /srv/logs", "sudo install -d -o llmspell /srv/logs")
	s = system
	s.RunAs = "nobody-here"
	m.refuses(m.install(s, InstallOptions{}), "no account nobody-here", "")
	if m.exists(unitFile) || len(m.ran) > 0 {
		t.Error("a refused installation changed something")
	}
	for _, name := range []string{"../x", "a b", "-x", "a;b", "a\nb", "%n", strings.Repeat("a", 129)} {
		s := system
		s.Name = name
		m.refuses(m.install(s, InstallOptions{}), "--name", "")
	}
}

func TestInstallReportsTheManager(t *testing.T) {
	t.Parallel()
	m := newMachine(t, 1000)
	m.fail["systemctl --user daemon-reload"] = "Failed to connect to bus: No medium found\n"
	m.refuses(m.install(personal, InstallOptions{Enable: true}), "exit status 1: Failed to connect to bus", "loginctl enable-linger USER")
	m.commands("systemctl --user daemon-reload")
}

func TestHiddenBinaryIsCopied(t *testing.T) {
	t.Parallel()
	m := newMachine(t, 0)
	s := system
	s.Binary = "/home/u/bin/llmspell"
	m.put(s.Binary, "new", 0o755)
	if err := m.install(s, InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	if m.get("/usr/local/bin/llmspell") != "new" || !strings.Contains(m.get(unitFile), "ExecStart=/usr/local/bin/llmspell kernel") {
		t.Error("not copied, or not recorded")
	}
	m.put("/usr/local/bin/llmspell", "other", 0o755)
	m.refuses(m.install(s, InstallOptions{}), "/usr/local/bin/llmspell is a different file", "--force")
	if err := m.install(s, InstallOptions{Force: true}); err != nil || m.get("/usr/local/bin/llmspell") != "new" {
		t.Error("--force: ", err)
	}
}

func TestPurgeKeepsWhatOthersShare(t *testing.T) {
	t.Parallel()
	m := newMachine(t, 0)
	other := system
	other.Name = "other"
	for _, s := range []Spec{system, other} {
		if err := m.install(s, InstallOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"/var/lib/llmspell/db", "/var/lib/other/db", "/var/log/llmspell/k.log", "/etc/llmspell/c.toml"} {
		m.put(f, "", 0o644)
	}
	for _, s := range []Spec{other, system} {
		p, err := m.PlanUninstall(s, true, false)
		if err != nil || m.Apply(t.Context(), p, func(Step) {}) != nil {
			t.Fatal(err)
		}
		if last := s.Name == ""; m.exists("/var/lib/llmspell") == last || m.exists("/var/log/llmspell") == last || m.exists("/var/lib/other") {
			t.Errorf("wrong directories after %q", s.Name)
		}
	}
}

func TestPlist(t *testing.T) {
	t.Parallel()
	for _, system := range []bool{false, true} {
		s := Spec{Manager: Launchd, System: system, Name: "kernel", Binary: "/opt/a & <b>/llmspell", Home: "/Users/u", Version: "0.1.0", Profile: "a&b", Port: "9600"}
		s, err := s.Complete()
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.Render()
		if err != nil {
			t.Fatal(err)
		}
		if !Generated(text) || Generated(strings.Replace(text, "45", "46", 1)) {
			t.Error("the hash does not tell edited from unedited")
		}
		p := parsePlist(t, text)
		if p["Label"] != strings.TrimSuffix(filepath.Base(s.File()), ".plist") || p["RunAtLoad"] != true || p["Umask"] != "63" {
			t.Errorf("%v", p)
		}
		want := []any{"/opt/a & <b>/llmspell", "kernel", "start", "--foreground", "--id", "com-llmspell-kernel", "--port", "9600", "--profile", "a&b"}
		if args := p["ProgramArguments"].([]any); !slices.Equal(args[:len(want)], want) {
			t.Errorf("arguments: %q", args)
		}
		if _, ok := p["UserName"]; ok != system {
			t.Error("UserName")
		}
	}
}

// parsePlist reads a property list: dict, array, string, integer, booleans.
func parsePlist(t *testing.T, text string) map[string]any {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	var value func(start xml.StartElement) any
	next := func() (xml.StartElement, bool) {
		for {
			token, err := d.Token()
			if err == io.EOF {
				return xml.StartElement{}, false
			}
			if err != nil {
				t.Fatal(err)
			}
			switch e := token.(type) {
			case xml.StartElement:
				return e, true
			case xml.EndElement:
				return xml.StartElement{}, false
			}
		}
	}
	text2 := func(e xml.StartElement) (s string) {
		if err := d.DecodeElement(&s, &e); err != nil {
			t.Fatal(err)
		}
		return s
	}
	value = func(e xml.StartElement) any {
		switch e.Name.Local {
		case "dict":
			m := map[string]any{}
			for {
				k, ok := next()
				if !ok {
					return m
				}
				key := text2(k)
				v, _ := next()
				m[key] = value(v)
			}
		case "array":
			var all []any
			for {
				v, ok := next()
				if !ok {
					return all
				}
				all = append(all, value(v))
			}
		case "true", "false":
			d.Skip()
			return e.Name.Local == "true"
		}
		return text2(e)
	}
	if root, _ := next(); root.Name.Local != "plist" {
		t.Fatalf("root %s", root.Name.Local)
	}
	dict, _ := next()
	return value(dict).(map[string]any)
}

func TestInstallLaunchd(t *testing.T) {
	t.Parallel()
	m := newMachine(t, 501)
	m.OS = "darwin"
	s := Spec{Manager: Launchd, Binary: "/usr/bin/llmspell", Home: "/Users/u", Name: "com.example.llmspell", Version: "0.1.0"}
	const file = "/Users/u/Library/LaunchAgents/com.example.llmspell.plist"
	m.fail["launchctl bootstrap gui/501 "+file] = "unknown subcommand"
	if err := m.install(s, InstallOptions{Enable: true, Start: true}); err != nil {
		t.Fatal(err)
	}
	m.commands("launchctl enable gui/501/com.example.llmspell", "launchctl bootstrap gui/501 "+file, "launchctl load "+file,
		"launchctl kickstart gui/501/com.example.llmspell")
	p, err := m.PlanUninstall(s, false, false)
	if err != nil || m.Apply(t.Context(), p, func(Step) {}) != nil || m.exists(file) {
		t.Error("uninstall: ", err)
	}
	m.commands("launchctl bootout gui/501/com.example.llmspell")
}
