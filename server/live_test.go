package server

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

func TestLive(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, "[kernel]\nmax_connections = 1\n")
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 8 { // endless scripts in every slot are no failure
		wg.Go(func() { srv.kernel.Execute(ctx, "while true do end") })
	}
	eventually(t, func() bool { return srv.kernel.Stats().ExecutionsRunning > 0 })
	held, err := net.Dial("tcp", srv.Addrs().HTTP) // and neither is a full house
	if err != nil {
		t.Fatal(err)
	}
	limited, done := context.WithTimeout(t.Context(), 10*time.Second)
	defer done()
	for range 3 {
		if err := srv.Live(limited); err != nil {
			t.Error(err)
		}
	}
	held.Close()
	cancel()
	wg.Wait()

	// the system completes connections to a loop that takes none
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	whole := srv.listeners[0]
	srv.listeners[0] = ln
	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if err := srv.Live(short); err == nil {
		t.Error("nobody accepts, but Live is content")
	}
	srv.listeners[0] = whole
}
