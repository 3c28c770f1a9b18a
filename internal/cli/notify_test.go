package cli

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// notified reads what a kernel tells its service manager.
type notified struct {
	t    *testing.T
	conn *net.UnixConn
}

// until returns the first datagram with a line that begins with want.
func (n notified) until(want string) string {
	n.t.Helper()
	n.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 4096)
	var seen []string
	for {
		count, err := n.conn.Read(buf)
		if err != nil {
			n.t.Fatalf("no %q: %v; got %q", want, err, seen)
		}
		message := string(buf[:count])
		for line := range strings.SplitSeq(message, "\n") {
			if strings.HasPrefix(line, want) {
				return message
			}
		}
		seen = append(seen, message)
	}
}

// TestNotify starts a real kernel under a fake service manager.
func TestNotify(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "notify") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n := notified{t, conn}

	cmd := exec.Command("llmspell", "kernel", "start", "--port", "0", "--id", "n1") // set up by testscript.Main
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=400000", "HOME="+dir, "STATE_DIRECTORY="+dir+"/state",
		"RUNTIME_DIRECTORY="+dir+"/run", "LOGS_DIRECTORY="+dir+"/logs", "XDG_CONFIG_HOME="+dir, "CONFIGURATION_DIRECTORY="+dir+"/conf")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()

	n.until("EXTEND_TIMEOUT_USEC=30000000")
	pid := fmt.Sprintf("MAINPID=%d\n", cmd.Process.Pid)
	if m := n.until("READY=1"); !strings.Contains(m, pid) || !strings.Contains(m, "STATUS=kernel n1 ready at http://127.0.0.1:") {
		t.Errorf("ready: %q", m)
	}
	n.until("WATCHDOG=1")
	n.until("WATCHDOG=1")
	cmd.Process.Signal(syscall.SIGHUP)
	if m := n.until("RELOADING=1"); !strings.Contains(m, "\nMONOTONIC_USEC=") {
		t.Errorf("reloading: %q", m)
	}
	n.until("READY=1")
	cmd.Process.Signal(syscall.SIGTERM)
	n.until("STOPPING=1")
	n.until("EXTEND_TIMEOUT_USEC=30000000")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
