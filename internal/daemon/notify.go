package daemon

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Notifier tells the service manager what the process does (sd_notify). Without
// NOTIFY_SOCKET every method does nothing.
type Notifier struct {
	conn     *net.UnixConn // nil: nobody listens
	pid      int
	watchdog time.Duration // 0 = none asked for
}

// How often and by how much a slow start or stop asks for patience.
const (
	extendEvery = 10 * time.Second
	extendBy    = 30 * time.Second
)

// NewNotifier connects to the socket that the environment names. A watchdog
// meant for another process (WATCHDOG_PID) is not served.
func NewNotifier(getenv func(string) string, pid int) (*Notifier, error) {
	n := &Notifier{pid: pid}
	path := getenv("NOTIFY_SOCKET")
	if path == "" {
		return n, nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"}) // @name is abstract
	if err != nil {
		return nil, fmt.Errorf("cannot reach the service manager (NOTIFY_SOCKET): %w", err)
	}
	n.conn = conn
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if owner := getenv("WATCHDOG_PID"); err == nil && usec > 0 && (owner == "" || owner == strconv.Itoa(pid)) {
		n.watchdog = time.Duration(usec) * time.Microsecond
	}
	return n, nil
}

// send writes one datagram. A manager that is gone does not stop the kernel.
func (n *Notifier) send(lines ...string) {
	if n.conn != nil {
		n.conn.Write([]byte(strings.Join(lines, "\n")))
	}
}

// Ready says that the process serves.
func (n *Notifier) Ready(status string) {
	n.send("READY=1", "MAINPID="+strconv.Itoa(n.pid), statusLine(status))
}

// Reloading announces a reload; Ready ends it.
func (n *Notifier) Reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return
	}
	n.send("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(now.Nano()/1000, 10), statusLine("reloading"))
}

// Stopping says that the process shuts down.
func (n *Notifier) Stopping(status string) { n.send("STOPPING=1", statusLine(status)) }

func statusLine(s string) string { return "STATUS=" + strings.ReplaceAll(s, "\n", " ") }

// Patience asks for more time, now and again, until the returned function is
// called: a migration or a drain may take longer than the unit allows.
func (n *Notifier) Patience() (stop func()) {
	ask := func(context.Context) { n.send("EXTEND_TIMEOUT_USEC=" + strconv.FormatInt(extendBy.Microseconds(), 10)) }
	return n.every(extendEvery, ask)
}

// Watch pings the watchdog at half its interval, each time only after live
// returned nil. A check that fails or hangs withholds the ping.
func (n *Notifier) Watch(live func(context.Context) error, failed func(error)) (stop func()) {
	if n.watchdog == 0 {
		return func() {}
	}
	return n.every(n.watchdog/2, func(ctx context.Context) {
		limited, cancel := context.WithTimeout(ctx, n.watchdog/2)
		defer cancel()
		switch err := live(limited); {
		case err == nil:
			n.send("WATCHDOG=1")
		case ctx.Err() == nil:
			failed(err)
		}
	})
}

// every calls fn now and each interval until stop, which does not wait for a call that
// hangs.
func (n *Notifier) every(interval time.Duration, fn func(context.Context)) (stop func()) {
	if n.conn == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		fn(ctx)
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				fn(ctx)
			}
		}
	}()
	return cancel
}
