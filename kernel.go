package llmspell

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/session"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

// sweepPeriod is how often idle sessions and old runs are looked for, while
// there are any.
const sweepPeriod = 5 * time.Second

// Params are what New builds a Kernel from.
type Params struct {
	Config         *config.Config
	Infrastructure *Infrastructure
	Logger         *slog.Logger    // nil: discard
	Tools          []tool.Tool     // added to the infrastructure's
	Modules        []script.Module // further globals for scripts
	Metrics        Metrics         // nil: none; see also Kernel.Observe

	// Getenv answers os.getenv for the variables that
	// [tools.system] allowed_env_vars names; nil: there are no variables.
	Getenv func(name string) (string, bool)

	// Closed is called at the end of Kernel.Close, to free what was made for
	// this kernel alone: package standard closes the infrastructure with it.
	Closed func() error
}

// Kernel runs scripts. It is safe for any number of goroutines.
type Kernel struct {
	infra   *Infrastructure
	closed  func() error
	getenv  func(string) (string, bool)
	logger  *slog.Logger
	library *bind.Library
	started time.Time

	initial  *config.Config // of the start
	settings atomic.Pointer[settings]
	reloaded atomic.Pointer[ReloadStatus]
	slots    *session.Slots
	queue    *session.Queue
	pool     *lua.MemoryPool
	runs     *runRegistry
	sessions *sessionTable
	nursery  *nursery
	janitor  *janitor
	checks   healthTracker

	unobserve func() // removes Params.Metrics

	executions   atomic.Int64 // ended ones
	lastActivity atomic.Int64 // Unix nanoseconds

	mu    sync.Mutex
	plain map[string]*session.Lane // by tenant: executions without a session

	reloading sync.Mutex
	closing   sync.Once
	delivery  sync.WaitGroup // goroutines of Request.Events
}

// New returns a kernel over an infrastructure, which it does not start. An
// infrastructure serves one kernel at a time.
func New(ctx context.Context, p Params) (*Kernel, error) {
	switch {
	case p.Config == nil:
		return nil, invalid("Params.Config is nil; use config.Load or config.Default")
	case p.Infrastructure == nil:
		return nil, invalid("Params.Infrastructure is nil; use standard.NewInfrastructure or NewInfrastructure")
	}
	if p.Logger == nil {
		p.Logger = slog.New(slog.DiscardHandler)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k := &Kernel{
		infra: p.Infrastructure, closed: p.Closed, getenv: p.Getenv, logger: p.Logger, started: time.Now(), initial: p.Config,
		slots: session.NewSlots(0), runs: newRunRegistry(), sessions: newSessionTable(), nursery: newNursery(),
		plain: map[string]*session.Lane{},
	}
	k.lastActivity.Store(k.started.UnixNano())
	if err := k.infra.attach(k, p.Tools); err != nil {
		return nil, err
	}
	k.unobserve = k.infra.metrics.add(p.Metrics)
	library, err := newLibrary(k, p.Modules)
	if err != nil {
		k.unobserve()
		k.infra.detach(k)
		return nil, err
	}
	k.library = library
	st := newSettings(k, p.Config)
	k.settings.Store(st)
	k.reloaded.Store(&ReloadStatus{Hash: hashOf(p.Config), LoadedAt: k.started, OK: true})
	k.queue = session.NewQueue(st.queue)
	k.pool = lua.NewMemoryPool(st.poolLimit)
	k.janitor = newJanitor(sweepPeriod, k.sweep)
	return k, nil
}

// Infrastructure returns the components of the kernel.
func (k *Kernel) Infrastructure() *Infrastructure { return k.infra }

// Config returns the configuration in force.
func (k *Kernel) Config() *config.Config { return k.settings.Load().config }

// Logger returns the kernel's logger.
func (k *Kernel) Logger() *slog.Logger { return k.logger }

func (k *Kernel) defaultTenant() string { return k.settings.Load().tenant }

// Drain refuses new executions with ErrShuttingDown and waits for the running
// and queued ones; at ctx's end the rest is interrupted, and ctx's error is
// returned.
func (k *Kernel) Drain(ctx context.Context) error {
	k.queue.Refuse(ErrShuttingDown)
	err := k.queue.AwaitIdle(ctx)
	if err != nil {
		k.endAll(ErrShuttingDown)
	}
	return err
}

// Shutdown is Drain, then Close.
func (k *Kernel) Shutdown(ctx context.Context) error {
	drained := k.Drain(ctx)
	if err := k.Close(); err != nil {
		return err
	}
	return drained
}

// Close interrupts everything and frees all resources. Idempotent: the second
// call returns nil.
func (k *Kernel) Close() error {
	var err error
	k.closing.Do(func() {
		k.queue.Refuse(ErrClosed)
		k.endAll(ErrClosed)
		k.janitor.close()
		for _, s := range k.sessions.removeAll() {
			s.end()
		}
		k.delivery.Wait()
		k.nursery.close()
		k.unobserve()
		k.infra.detach(k)
		if k.closed != nil {
			err = k.closed()
		}
	})
	return err
}

// endAll interrupts all runs because of cause and waits until they ended.
func (k *Kernel) endAll(cause error) {
	k.queue.Close(cause)
	for _, r := range k.runs.living() {
		r.stop(cause)
	}
	_ = k.queue.AwaitIdle(context.Background())
}

// sweep ends idle sessions and forgets old runs; it reports whether there is
// something left to come back for.
func (k *Kernel) sweep(now time.Time) (more bool) {
	st := k.settings.Load()
	for _, s := range k.sessions.idleSince(now.Add(-st.config.Runtime.Sessions.SessionTimeout)) {
		k.logger.Info("session expired", "component", "session", "session", s.id)
		s.end()
	}
	more = k.runs.expire(now)
	return more || k.sessions.len() > 0
}

// Stats is a snapshot of a kernel's work.
type Stats struct {
	Sessions          int       `json:"sessions"`
	ExecutionsRunning int       `json:"executions_running"`
	ExecutionsQueued  int       `json:"executions_queued"`
	ExecutionsTotal   int64     `json:"executions_total"`
	ScriptHeapBytes   int64     `json:"script_heap_bytes"`
	Goroutines        int       `json:"goroutines"`
	LastActivity      time.Time `json:"last_activity"`
	StartedAt         time.Time `json:"started_at"`
}

// Stats are the kernel's own figures, measured now.
func (k *Kernel) Stats() Stats {
	running, waiting := k.queue.Load()
	return Stats{
		Sessions: k.sessions.len(), ExecutionsRunning: running, ExecutionsQueued: waiting,
		ExecutionsTotal: k.executions.Load(), ScriptHeapBytes: k.pool.Used(), Goroutines: runtime.NumGoroutine(),
		LastActivity: time.Unix(0, k.lastActivity.Load()), StartedAt: k.started,
	}
}

// newID returns an id that sorts by time.
func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fault.Errorf(fault.Internal, "cannot make an id: %w", err)
	}
	return id.String(), nil
}
