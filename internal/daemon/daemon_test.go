package daemon

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary play the background process.
func TestMain(m *testing.M) {
	switch os.Getenv("DAEMON_TEST_ROLE") {
	case "ready":
		r, _ := InheritReadiness(os.Getenv)
		sid, _ := unix.Getsid(0)
		dir, _ := os.Getwd()
		r.Ready(fmt.Sprintf("sid=%t dir=%s", sid == os.Getpid(), dir))
		os.Exit(0)
	case "fail":
		r, _ := InheritReadiness(os.Getenv)
		r.Fail("Error: Address already in use: 127.0.0.1:1\nHint: choose another\n")
		os.Exit(1)
	case "die":
		os.Exit(7)
	}
	os.Exit(m.Run())
}

func spawn(t *testing.T, role string) (int, string, error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	return Spawn(t.Context(), SpawnParams{
		Executable: os.Args[0], Env: append(os.Environ(), "DAEMON_TEST_ROLE="+role), Dir: "/", Output: out,
	})
}

func TestSpawnReady(t *testing.T) {
	t.Parallel()
	pid, msg, err := spawn(t, "ready")
	if err != nil || pid <= 1 || msg != "sid=true dir=/" {
		t.Fatalf("Spawn = %d, %q, %v", pid, msg, err)
	}
}

func TestSpawnReportsTheChildsError(t *testing.T) {
	t.Parallel()
	_, _, err := spawn(t, "fail")
	if err == nil || !strings.HasPrefix(err.Error(), "Error: Address already in use: 127.0.0.1:1\nHint:") {
		t.Fatalf("err = %v", err)
	}
}

func TestSpawnChildDies(t *testing.T) {
	t.Parallel()
	_, _, err := spawn(t, "die")
	if err == nil || !strings.Contains(err.Error(), "exit status 7") {
		t.Fatalf("err = %v", err)
	}
}

// Signals are process-wide, so this test is not parallel.
func TestHandle(t *testing.T) {
	events := make(chan string, 10)
	var dump bytes.Buffer
	stop := Handle(Actions{
		Stop:   func(s syscall.Signal) { events <- "stop " + s.String() },
		Exit:   func(code int) { events <- fmt.Sprint("exit ", code) },
		Reload: func() { events <- "reload" },
		Stats:  func() { events <- "stats" },
		Debug:  func() { events <- "debug" },
		Dump:   &dump,
	})
	defer stop()
	steps := []struct {
		sig  syscall.Signal
		want string
	}{
		{syscall.SIGHUP, "reload"}, {syscall.SIGUSR1, "stats"}, {syscall.SIGUSR2, "debug"},
		{syscall.SIGTERM, "stop terminated"}, {syscall.SIGTERM, "exit 143"}, {syscall.SIGINT, "exit 130"}, {syscall.SIGQUIT, "exit 131"},
	}
	for _, s := range steps {
		syscall.Kill(os.Getpid(), s.sig)
		select {
		case got := <-events:
			if got != s.want {
				t.Fatalf("%v: %s, want %s", s.sig, got, s.want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%v: nothing happened", s.sig)
		}
	}
	if !strings.Contains(dump.String(), "goroutine") {
		t.Error("no goroutine dump")
	}
}
