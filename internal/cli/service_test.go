package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llmspell/llmspell/internal/service"
)

// person runs commands as an ordinary user of a machine below a directory.
type person struct {
	t    *testing.T
	dir  string
	host service.Host
	ran  []string
	uid  int
}

func newPerson(t *testing.T) *person {
	p := &person{t: t, dir: t.TempDir(), uid: 1000}
	p.host = service.Host{
		OS: "linux", Root: p.dir, UID: p.uid, Now: time.Now(), Has: func(string) bool { return true },
		Account: func(string) (service.Account, bool) { return service.Account{}, false },
		Run: func(_ context.Context, argv []string) ([]byte, error) {
			p.ran = append(p.ran, strings.Join(argv, " "))
			return nil, nil
		},
	}
	return p
}

func (p *person) environ() []string {
	return append(os.Environ(), "HOME=/home/u", "XDG_CONFIG_HOME=", "STATE_DIRECTORY="+p.dir+"/state", "RUNTIME_DIRECTORY="+p.dir+"/run",
		"LOGS_DIRECTORY="+p.dir+"/logs", "CONFIGURATION_DIRECTORY="+p.dir+"/conf")
}

func (p *person) run(args ...string) (code int, stdout, stderr string) {
	var out, problems bytes.Buffer
	code = Run(p.t.Context(), &Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &problems, Environ: p.environ(), Cwd: "/home/u", Home: "/home/u",
		UID: p.uid, PID: os.Getpid(), Executable: "/usr/bin/llmspell", Now: time.Now, Exit: func(int) {}, ServiceHost: &p.host,
	})
	return code, out.String(), problems.String()
}

const userUnit = "/home/u/.config/systemd/user/llmspell-kernel.service"

// TestInstallService installs, starts and removes a user service whose manager
// is a function that starts the real kernel.
func TestInstallService(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	kernel := exec.Command("llmspell", "kernel", "start", "--port", "0", "--id", "llmspell-kernel")
	kernel.Env = p.environ()
	p.host.Run = func(_ context.Context, argv []string) ([]byte, error) {
		p.ran = append(p.ran, strings.Join(argv, " "))
		switch argv[2] {
		case "start":
			return nil, kernel.Start()
		case "stop":
			kernel.Process.Signal(syscall.SIGTERM)
			return nil, kernel.Wait()
		}
		return nil, nil
	}
	code, _, stderr := p.run("kernel", "install-service", "--enable", "--start")
	if code != 0 || !strings.Contains(stderr, "write "+userUnit) || !strings.Contains(stderr, "kernel llmspell-kernel ready at http://") ||
		!strings.Contains(stderr, "loginctl enable-linger") {
		t.Fatalf("%d: %s", code, stderr)
	}
	if code, _, stderr := p.run("kernel", "uninstall-service"); code != 0 {
		t.Fatalf("%d: %s", code, stderr)
	}
	want := "systemctl --user daemon-reload|systemctl --user enable llmspell-kernel.service|systemctl --user start llmspell-kernel.service|" +
		"systemctl --user stop llmspell-kernel.service|systemctl --user disable llmspell-kernel.service|systemctl --user daemon-reload"
	if got := strings.Join(p.ran, "|"); got != want {
		t.Errorf("commands: %s", got)
	}
	if _, err := os.Stat(filepath.Join(p.dir, userUnit)); err == nil {
		t.Error("the unit is still there")
	}
}

func TestInstallServiceFails(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.host.Run = func(_ context.Context, argv []string) ([]byte, error) {
		if argv[0] == "journalctl" {
			return []byte("last words\n"), nil
		}
		if argv[2] == "start" {
			return []byte("Job failed.\n"), errors.New("exit status 1")
		}
		return nil, nil
	}
	code, _, stderr := p.run("kernel", "install-service", "--start")
	if code != 1 || !strings.Contains(stderr, "Error: systemctl --user start llmspell-kernel.service: exit status 1: Job failed.") || !strings.Contains(stderr, "last words") {
		t.Errorf("%d: %s", code, stderr)
	}

	unit := filepath.Join(p.dir, userUnit)
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(unit, append(text, "# mine\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := p.run("kernel", "install-service")
	if code != 1 || !strings.Contains(stdout, "\n-# mine") || !strings.Contains(stderr, "was edited") || !strings.Contains(stderr, "Hint: put changes in") {
		t.Errorf("%d: %s%s", code, stdout, stderr)
	}
	if code, _, stderr := p.run("kernel", "install-service", "--system"); code != 1 || !strings.Contains(stderr, "exists in the other scope") {
		t.Errorf("%d: %s", code, stderr)
	}
	p.uid = 0
	if code, _, stderr := p.run("kernel", "install-service"); code != 2 || !strings.Contains(stderr, "use --system, or run as the user") {
		t.Errorf("%d: %s", code, stderr)
	}
	p.uid, p.host.OS = 1000, "plan9"
	if code, _, stderr := p.run("kernel", "install-service"); code != 1 || !strings.Contains(stderr, "no supported service manager") {
		t.Errorf("%d: %s", code, stderr)
	}
}
