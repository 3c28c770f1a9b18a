package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// livePoll is how often Live looks whether its connection was taken.
const livePoll = 2 * time.Millisecond

// Draining is closed when the shutdown begins, whatever began it.
func (s *Server) Draining() <-chan struct{} { return s.draining }

// Live reports whether the service makes progress (kernel contract 2.10): the
// scheduler gave an execution slot, the store answered or is reported unready
// by that very check, and every accept loop took a connection. A busy script
// is no failure. It may hang where the kernel hangs.
func (s *Server) Live(ctx context.Context) error {
	checks := s.kernel.Health(ctx)
	if c := checks["scheduler"]; c.Status == unhealthy {
		return fmt.Errorf("scheduler: %s", c.Detail)
	}
	for i, ln := range s.listeners {
		select {
		case <-s.draining: // listeners may be closed by now
			return nil
		default:
		}
		if err := s.takes(ctx, i, ln.Addr()); err != nil {
			return fmt.Errorf("accept loop of %s: %w", ln.Addr(), err)
		}
	}
	return nil
}

// takes connects to a listener and waits until its loop accepted.
func (s *Server) takes(ctx context.Context, i int, addr net.Addr) error {
	before := s.taken[i].Load()
	var d net.Dialer
	conn, err := d.DialContext(ctx, addr.Network(), reachable(addr))
	if err != nil {
		return err
	}
	defer conn.Close()
	poll := time.NewTicker(livePoll)
	defer poll.Stop()
	for s.taken[i].Load() == before {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// reachable is the address to dial: loopback where all addresses are bound.
func reachable(addr net.Addr) string {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil || !ap.Addr().IsUnspecified() {
		return addr.String()
	}
	ip := netip.IPv6Loopback()
	if ap.Addr().Is4() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(ip, ap.Port()).String()
}
