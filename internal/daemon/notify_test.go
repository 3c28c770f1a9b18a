package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manager is a fake service manager's socket and the environment naming it.
func manager(t *testing.T, environ map[string]string) (*net.UnixConn, func(string) string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "n") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	environ["NOTIFY_SOCKET"] = filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: environ["NOTIFY_SOCKET"], Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, func(name string) string { return environ[name] }
}

// heard is what arrives within a time.
func heard(conn *net.UnixConn, d time.Duration) (messages []string) {
	conn.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return messages
		}
		messages = append(messages, string(buf[:n]))
	}
}

func TestWatchdogNeedsLife(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		live func(context.Context) error
		want bool
	}{
		{"alive", func(context.Context) error { return nil }, true},
		{"failing", func(context.Context) error { return errors.New("no slot") }, false},
		{"slow", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, false},
		{"hanging", func(context.Context) error { select {} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, getenv := manager(t, map[string]string{"WATCHDOG_USEC": "40000", "WATCHDOG_PID": "7"})
			n, err := NewNotifier(getenv, 7)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Watch(tt.live, func(error) {})()
			got := heard(conn, 300*time.Millisecond)
			if pings := strings.Count(strings.Join(got, "\n"), "WATCHDOG=1"); (pings > 1) != tt.want || !tt.want && pings > 0 {
				t.Errorf("%d pings: %q", pings, got)
			}
		})
	}
}

func TestNotifierWithoutManager(t *testing.T) {
	t.Parallel()
	n, err := NewNotifier(func(string) string { return "" }, 7)
	if err != nil {
		t.Fatal(err)
	}
	n.Ready("x")
	n.Patience()()
	n.Watch(func(context.Context) error { t.Error("asked"); return nil }, nil)()
	if _, err := NewNotifier(func(string) string { return "/does/not/exist" }, 7); err == nil {
		t.Error("a socket that is not there: no error")
	}

	conn, getenv := manager(t, map[string]string{"WATCHDOG_USEC": "40000", "WATCHDOG_PID": "8"})
	if n, err = NewNotifier(getenv, 7); err != nil {
		t.Fatal(err)
	}
	n.Watch(func(context.Context) error { return nil }, nil)()
	if got := heard(conn, 100*time.Millisecond); got != nil {
		t.Errorf("the watchdog of another process was fed: %q", got)
	}
}
