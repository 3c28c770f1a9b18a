package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/buildinfo"
	"github.com/llmspell/llmspell/internal/registry"
)

const (
	headerTimeout = 5 * time.Second
	idleConn      = 120 * time.Second
	maxHeader     = 64 << 10
)

// Server is a running service.
type Server struct {
	kernel    *llmspell.Kernel
	api       *api
	http      *http.Server
	listeners []net.Listener
	pid       *registry.PIDFile
	entry     *registry.Entry
	id        string
	started   time.Time
	log       *slog.Logger

	certificate atomic.Pointer[Certificate] // nil: plain HTTP

	open, refused atomic.Int64   // connections
	taken         []atomic.Int64 // connections accepted, by listener
	draining      chan struct{}  // closed when shutdown begins
	stop          sync.Once
	stopErr       error
	done          chan struct{}
	serving       sync.WaitGroup
	idleStop      chan struct{}
}

// Addrs are where a server is reached.
type Addrs struct {
	HTTP           string // host:port of the first listener, "" without HTTP
	Endpoint       string // http://host:port, https with TLS
	ConnectionFile string
}

// Start serves a kernel as its configuration says and returns when it is
// ready: PID file, token, listeners, then storage, then the registry record,
// so that a port conflict shows before anything is opened. On error nothing is
// left behind and the kernel is as it was.
func Start(ctx context.Context, k *llmspell.Kernel) (*Server, error) {
	cfg := k.Config()
	s := &Server{kernel: k, started: time.Now().UTC(), log: k.Logger().With("component", "server"), done: make(chan struct{}), draining: make(chan struct{}), idleStop: make(chan struct{})}
	s.id = cfg.Kernel.ID
	if s.id == "" {
		s.id = strings.ToLower(rand.Text()[:6])
	}
	if err := s.start(ctx, cfg); err != nil {
		s.release()
		return nil, err
	}
	s.log.Info("kernel ready", "id", s.id, "http", s.Addrs().Endpoint)
	return s, nil
}

func (s *Server) start(ctx context.Context, cfg *config.Config) (err error) {
	for _, dir := range []string{cfg.Paths.StateDir, cfg.Paths.RuntimeDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return pathError(dir, err)
		}
	}
	if path := cfg.Daemon.PIDFile; path != "" {
		if s.pid, err = registry.HoldPIDFile(path); err != nil {
			return err
		}
		if s.pid.Stale != "" {
			s.log.Info("replaced a stale PID file", "path", path, "content", s.pid.Stale)
		}
	}
	if s.entry, err = registry.Reserve(cfg.Paths.RuntimeDir, s.id); err != nil {
		return err
	}
	if _, err := BootstrapToken(cfg); err != nil {
		return err
	}
	s.api = newAPI(s.kernel, newMetrics(s.kernel))
	s.api.self.kernelID = s.id
	s.api.setPhase("starting", "storage is being opened")
	if cfg.Kernel.EnableHTTP {
		if err := s.serve(cfg); err != nil {
			return err
		}
	}
	if err := s.kernel.Infrastructure().Start(ctx); err != nil {
		return err
	}
	if err := s.entry.Publish(s.record(cfg, s.certificate.Load())); err != nil {
		return err
	}
	s.api.setPhase("ready", "")
	s.serving.Add(1)
	go s.watchIdle()
	return nil
}

// record describes this kernel with a certificate, nil for none.
func (s *Server) record(cfg *config.Config, c *Certificate) registry.Record {
	fingerprint := ""
	if c != nil {
		fingerprint = c.Fingerprint
	}
	return registry.Record{
		KernelID: s.id, PID: os.Getpid(), Version: buildinfo.Version, Endpoint: s.Addrs().Endpoint, TLSFingerprint: fingerprint,
		PIDFile: cfg.Daemon.PIDFile, LogFile: cfg.Logging.LogFile, StateDir: cfg.Paths.StateDir,
		StartedAt: s.started,
	}
}

func (s *Server) serve(cfg *config.Config) error {
	if cfg.Security.TLSEnabled {
		c, err := LoadCertificate(cfg)
		if err != nil {
			return err
		}
		s.useCertificate(c)
	}
	var err error
	if s.listeners, err = listen(cfg); err != nil {
		return err
	}
	if s.api.exposed && !cfg.Security.TLSEnabled {
		s.log.Warn("listening beyond loopback without TLS: security.allow_insecure_bind is set", "host", cfg.Kernel.Host)
	}
	s.http = &http.Server{
		Handler: s.api.handler(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleConn, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	limit := func() int { return s.kernel.Config().Kernel.MaxConnections }
	serve := s.http.Serve
	if s.certificate.Load() != nil {
		s.http.TLSConfig = s.tlsConfig()
		serve = func(ln net.Listener) error { return s.http.ServeTLS(ln, "", "") }
	}
	s.taken = make([]atomic.Int64, len(s.listeners))
	for i, ln := range s.listeners {
		s.serving.Add(1)
		go func() {
			defer s.serving.Done()
			err := serve(cappedListener{ln, limit, &s.open, &s.refused, &s.taken[i]})
			if !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("listener failed", "address", ln.Addr().String(), "error", err)
			}
		}()
	}
	return nil
}

// ID returns the kernel id under which the server is registered.
func (s *Server) ID() string { return s.id }

// Addrs returns the addresses bound.
func (s *Server) Addrs() Addrs {
	if len(s.listeners) == 0 {
		return Addrs{}
	}
	addr := s.listeners[0].Addr().String()
	scheme := "http://"
	if s.certificate.Load() != nil {
		scheme = "https://"
	}
	return Addrs{HTTP: addr, Endpoint: scheme + addr}
}

// Wait blocks until the server has shut down and returns Shutdown's error.
func (s *Server) Wait() error {
	<-s.done
	return s.stopErr
}

// Shutdown ends the service (kernel contract 2.8): new work is refused, what
// runs may finish until ctx ends and is interrupted then, streams are closed,
// and the kernel, its files and its record are gone when it returns. Further
// calls wait for the first.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop.Do(func() {
		s.stopErr = s.shutdown(ctx)
		close(s.done)
	})
	<-s.done
	return s.stopErr
}

func (s *Server) shutdown(ctx context.Context) error {
	s.api.setPhase("draining", "the kernel is shutting down")
	close(s.draining)
	stats := s.kernel.Stats()
	s.log.Info("shutting down", "executions_running", stats.ExecutionsRunning, "executions_queued", stats.ExecutionsQueued)
	close(s.idleStop)
	err := s.kernel.Drain(ctx)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) { // an end like any other: what ran was told
		s.log.Warn("executions were interrupted at the end of the shutdown time")
		err = nil
	}
	close(s.api.stopped)
	if s.http != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushDeadline)
		defer cancel()
		if herr := s.http.Shutdown(closing); herr != nil {
			s.http.Close()
		}
	}
	s.serving.Wait()
	return errors.Join(err, s.kernel.Close(), s.release())
}

// release frees what start took; the kernel stays.
func (s *Server) release() error {
	var err error
	if s.api != nil {
		s.api.metrics.detach()
	}
	if s.http != nil {
		s.http.Close()
	} else {
		closeAll(s.listeners)
	}
	if s.entry != nil {
		err = errors.Join(err, s.entry.Remove())
	}
	if s.pid != nil {
		err = errors.Join(err, s.pid.Release())
	}
	return err
}

// LogStats writes the statistics of SIGUSR1: one record.
func (s *Server) LogStats(ctx context.Context) {
	stats, err := json.Marshal(s.api.stats(ctx))
	if err != nil {
		s.log.Error("statistics cannot be written", "error", err)
		return
	}
	s.log.Info("statistics", "stats", json.RawMessage(stats))
}

// watchIdle ends the server when nothing used it for kernel.idle_timeout.
func (s *Server) watchIdle() {
	defer s.serving.Done()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.idleStop:
			return
		case <-tick.C:
			limit := s.kernel.Config().Kernel.IdleTimeout
			if limit <= 0 || time.Since(s.lastUse()) < limit {
				continue
			}
			s.log.Info("idle", "idle_timeout", limit.String())
			go s.Shutdown(context.Background())
			return
		}
	}
}

// lastUse is now while anything runs, waits or is connected by a stream.
func (s *Server) lastUse() time.Time {
	stats := s.kernel.Stats()
	if stats.ExecutionsRunning+stats.ExecutionsQueued > 0 || s.api.streams.Load() > 0 {
		return time.Now()
	}
	last := time.Unix(0, s.api.lastRequest.Load())
	for _, t := range []time.Time{stats.LastActivity, stats.StartedAt} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// pathError explains why a directory of the kernel cannot be made.
func pathError(path string, err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fault.Errorf(fault.PolicyDenied, "Permission denied: %s", path).
			WithHint("the process runs as uid %d; choose another directory with kernel.state_dir", os.Getuid())
	}
	return fault.Errorf(fault.InvalidState, "cannot use %s: %w", path, err)
}
