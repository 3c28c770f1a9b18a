package server

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
)

// listen binds the configured address. "localhost" binds both loopback
// families on one port.
func listen(cfg *config.Config) ([]net.Listener, error) {
	host, port := cfg.Kernel.Host, cfg.Kernel.Port
	if !isLoopback(host) && !cfg.Security.TLSEnabled && !cfg.Security.AllowInsecureBind {
		return nil, insecureBind(host)
	}
	hosts := []string{host}
	if host == "localhost" {
		hosts = []string{"127.0.0.1", "::1"}
	}
	var all []net.Listener
	for _, h := range hosts {
		ln, err := listenOne(h, port)
		if errors.Is(err, syscall.EADDRNOTAVAIL) && len(all) > 0 {
			continue // a machine without IPv6
		}
		if err != nil {
			closeAll(all)
			return nil, bindError(h, port, err)
		}
		all = append(all, ln)
		port = ln.Addr().(*net.TCPAddr).Port
	}
	return all, nil
}

func listenOne(host string, port int) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(context.Background(), "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

func bindError(host string, port int, err error) error {
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fault.Errorf(fault.AlreadyExists, "Address already in use: %s", addr).
			WithHint("choose another with --port or stop it")
	case errors.Is(err, syscall.EACCES) && port < 1024:
		return fault.Errorf(fault.PolicyDenied, "Permission denied: %s", addr).
			WithHint("ports below 1024 need privileges; choose one above")
	}
	return fault.Errorf(fault.InvalidState, "cannot listen on %s: %w", addr, err)
}

func closeAll(all []net.Listener) {
	for _, ln := range all {
		ln.Close()
	}
}

// cappedListener closes connections beyond a limit at accept.
type cappedListener struct {
	net.Listener
	limit   func() int // 0 = none
	open    *atomic.Int64
	refused *atomic.Int64
	taken   *atomic.Int64 // accepted at all, for Live
}

func (l cappedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.taken.Add(1)
		if n := l.limit(); n > 0 && l.open.Load() >= int64(n) {
			l.refused.Add(1)
			c.Close()
			continue
		}
		l.open.Add(1)
		return &cappedConn{Conn: c, open: l.open}, nil
	}
}

type cappedConn struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

// CloseWrite lets net/http end an answer before the rest of the request has come.
func (c *cappedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

func (c *cappedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
