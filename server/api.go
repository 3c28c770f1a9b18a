package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
)

const (
	writeTimeout      = 30 * time.Second
	maxFailedAuths    = 10 // a minute from one address
	maxRequestIDBytes = 128
)

// api serves the routes of one kernel.
type api struct {
	kernel  *llmspell.Kernel
	auth    *authenticator
	log     *slog.Logger
	metrics *metrics
	clients *limiter // requests by client
	failed  *limiter // failed authentications by address
	phase   atomic.Pointer[phase]
	self    serverInfo
	exposed bool // the listener is reachable from other machines
	access  atomic.Pointer[accessPolicy]
	streams atomic.Int64

	lastRequest atomic.Int64  // Unix nanoseconds of the last one that was no probe
	stopped     chan struct{} // closed when streams must end
	mux         *http.ServeMux
	openAPI     []byte
}

// serverInfo is what the health body tells of the process around the kernel.
type serverInfo struct {
	kernelID  string
	startedAt time.Time
}

// phase is where the service stands in its life.
type phase struct {
	name   string // starting, ready, draining
	reason string
}

// accessPolicy is the part of the configuration that a reload replaces.
type accessPolicy struct {
	cfg     *config.Config
	hosts   hostPolicy
	origins originPolicy
	trusted []netip.Prefix
}

func newAccessPolicy(cfg *config.Config) *accessPolicy {
	s := cfg.Security
	return &accessPolicy{
		cfg:     cfg,
		hosts:   newHostPolicy(s.AllowedHosts, s.AllowedOrigins),
		origins: originPolicy{s.AllowedOrigins},
		trusted: parsePrefixes(s.TrustedProxies),
	}
}

// policy returns the current access policy, rebuilt after a reload.
func (a *api) policy() *accessPolicy {
	p := a.access.Load()
	if cfg := a.kernel.Config(); p.cfg != cfg {
		p = newAccessPolicy(cfg)
		a.access.Store(p)
	}
	return p
}

func (a *api) maxBody() int64 {
	return int64(a.policy().cfg.Security.MaxMessageSizeMB) << 20
}

// newAPI builds the handler tree of a kernel.
func newAPI(k *llmspell.Kernel, m *metrics) *api {
	cfg := k.Config()
	source := &tokenSource{cfg: cfg}
	a := &api{
		kernel: k, log: k.Logger(), metrics: m,
		auth: &authenticator{
			bootstrap: source.get,
			tenant:    cfg.Storage.Postgres.DefaultTenantID,
			tokens:    k.Infrastructure().TokenManager,
		},
		clients: newLimiter(), failed: newLimiter(),
		exposed: !isLoopback(cfg.Kernel.Host),
		self:    serverInfo{kernelID: cfg.Kernel.ID, startedAt: k.Stats().StartedAt},
		stopped: make(chan struct{}),
		mux:     http.NewServeMux(),
	}
	a.access.Store(newAccessPolicy(cfg))
	a.phase.Store(&phase{name: "ready"})
	for _, rt := range routes {
		a.mux.Handle(rt.Method+" "+rt.Path, a.serve(rt))
	}
	a.mux.Handle("/", a.serve(route{Method: "*", Path: "/", Access: accessOpen, Limited: true, Handle: noSuchRoute}))
	a.openAPI = openAPIDocument()
	return a
}

// Handler returns the whole HTTP API of a kernel, authentication included.
func Handler(k *llmspell.Kernel) http.Handler { return newAPI(k, newMetrics(k)).handler() }

// handler wraps the routes in what holds for every request, in the order of
// kernel contract 5.1: Host, Origin, then per route authentication, rate,
// scope, body.
func (a *api) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		boundConnection(w, r)
		h := w.Header()
		h.Set("X-Request-Id", requestID(r))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		p := a.policy()
		if err := p.hosts.check(r.Host); err != nil {
			WriteProblem(w, err)
			return
		}
		origin, err := p.origins.allow(r)
		if err != nil {
			WriteProblem(w, err)
			return
		}
		if crossOrigin(w, r, origin) {
			return
		}
		a.mux.ServeHTTP(w, r)
	})
}

// boundConnection gives a request the deadlines of a slow client: those of the
// one before it on the connection are past, or none. readBody lifts the bound
// on reading, recorder sets the one on writing.
func boundConnection(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Now().Add(bodyGrace + writeTimeout))
	if r.ContentLength != 0 {
		rc.SetReadDeadline(time.Now().Add(bodyGrace))
	}
}

// serve wraps one route in its declared policy.
func (a *api) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		defer a.metrics.observe(rt, rec, r.Method, start)
		defer a.recover(rec, r)
		r, err := a.admit(rec, r, rt)
		if err == nil && !rt.Body {
			err = skipBody(w, r)
		}
		if err == nil {
			http.NewResponseController(w).SetWriteDeadline(time.Time{}) // work may take long
			err = rt.Handle(a, rec, r)
		}
		if err != nil {
			a.fail(rec, r, err)
		}
	})
}

// admit runs the checks a route declares.
func (a *api) admit(w http.ResponseWriter, r *http.Request, rt route) (*http.Request, error) {
	if !rt.Probe {
		a.lastRequest.Store(time.Now().UnixNano())
		if a.phase.Load().name == "starting" {
			return r, fault.Errorf(fault.StorageUnavailable, "the kernel is starting")
		}
	}
	p := a.policy()
	address := remoteAddr(r, p.trusted)
	client := address
	need := rt.Access
	if rt.OpenOnLoopback && !a.exposed && presented(r) == "" {
		need = accessOpen
	}
	secret := presented(r)
	if need != accessOpen || (rt.Optional && secret != "") {
		if a.failed.blocked(address, maxFailedAuths, time.Now()) {
			return r, fault.Errorf(fault.RateLimited, "too many failed authentications from %s", address)
		}
		id, err := a.auth.identify(r.Context(), secret)
		if err != nil {
			if fault.CodeOf(err) == unauthorized {
				if secret != "" { // no token is no guess: it must not lock its neighbours out
					a.failed.take(address, maxFailedAuths, time.Now())
				}
				a.metrics.authFailures.WithLabelValues(reason(secret)).Inc()
			}
			return r, err
		}
		client = "token:" + id.ID
		r = r.WithContext(context.WithValue(r.Context(), identityKey{}, id))
		if need != accessOpen && !id.Allows(string(need)) {
			return r, fault.Errorf(fault.Forbidden, "this needs scope %q; the token has %s", need, strings.Join(id.Scopes, ", "))
		}
	}
	if rt.Limited {
		if err := a.clients.limit(w, client, p.cfg.Security.RateLimitPerMinute); err != nil {
			a.metrics.rateLimited.WithLabelValues("http").Inc()
			return r, err
		}
	}
	return r, nil
}

func reason(secret string) string {
	if secret == "" {
		return "missing"
	}
	return "invalid"
}

// fail answers with an error, or drops the connection when the answer has begun.
func (a *api) fail(w *recorder, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		w.status = 499 // the client left; nobody reads an answer
		return
	}
	if errors.Is(err, errClientGone) {
		a.log.Debug("stream ended", "route", r.Pattern, "error", err)
		panic(http.ErrAbortHandler)
	}
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError && p.Code == fault.Internal {
		a.log.Error("request failed", "route", r.Pattern, "error", err, "request_id", w.Header().Get("X-Request-Id"))
	}
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	if p.Code == messageTooLarge {
		defer linger(w, r)()
	}
	// net/http reads what is left of the body before it answers: not for long.
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second))
	writeProblem(w, p)
}

func (a *api) recover(w *recorder, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	a.log.Error("panic in handler", "route", r.Pattern, "panic", v, "stack", string(debug.Stack()))
	if w.status == 0 {
		WriteProblem(w, fault.Errorf(fault.Internal, "internal error; the kernel's log has the details"))
	}
}

// requestID is the client's id when it is harmless, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	ok := id != "" && len(id) <= maxRequestIDBytes
	for i := 0; ok && i < len(id); i++ {
		ok = id[i] > ' ' && id[i] < 0x7f
	}
	if ok {
		return id
	}
	return rand.Text()
}

// recorder remembers the status for metrics and late failures, and bounds how
// long the client may take to read an answer. A stream bounds each frame itself.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	return r.ResponseWriter.Write(b)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	writeBody(w, status, "application/json", body)
	return nil
}

func noSuchRoute(a *api, w http.ResponseWriter, r *http.Request) error {
	if methods := a.methodsFor(r); len(methods) > 0 {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		return fault.Errorf(methodNotAllowed, "%s is not allowed on %s", r.Method, r.URL.Path)
	}
	for _, p := range reserved {
		if strings.HasPrefix(r.URL.Path, p) {
			return fault.Errorf(fault.ComponentDisabled, "%s is not available in this version", p)
		}
	}
	return fault.Errorf(fault.NotFound, "no such path %q", r.URL.Path).WithHint("GET /openapi.json lists the routes")
}

// methodsFor lists the methods that the path of r answers to.
func (a *api) methodsFor(r *http.Request) []string {
	var found []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "" && pattern != "/" {
			found = append(found, m)
		}
	}
	return found
}
