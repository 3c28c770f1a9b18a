package llmspell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/store"
	"github.com/llmspell/llmspell/tool"
)

// InfrastructureParams are the parts an Infrastructure is built from. Package
// standard fills them with the stock adapters; a program that wants fewer
// dependencies names its own.
type InfrastructureParams struct {
	Config *config.Config
	Logger *slog.Logger // nil: discard

	// OpenStore opens storage. Start calls it; the infrastructure closes it.
	OpenStore func(ctx context.Context, c *config.Config) (store.Store, error)

	// NewProvider makes the client of one enabled table [providers.NAME] whose
	// key is present. It is called again with changed tables after a reload.
	NewProvider func(name string, p config.Provider) (llm.Provider, error)

	// Providers are further ones by name. A table [providers.NAME] of the same
	// name gives limits, default model and prices, its client is not made.
	Providers map[string]llm.Provider

	// NewFiles opens the directories that [tools.file_operations] allows. Nil:
	// no file access, whatever the configuration says. The result may implement
	// io.Closer.
	NewFiles func(c *config.Config) (tool.Files, error)

	Tools []tool.Tool
}

// Infrastructure holds the nine components of a kernel. It is built by package
// standard from a configuration, or by NewInfrastructure from parts. Its
// methods are safe for concurrent use.
type Infrastructure struct {
	params  InfrastructureParams
	logger  *slog.Logger
	metrics observers
	store   lateStore
	files   liveFiles
	chain   []gate.Interceptor // what every effect passes, outermost first
	gate    *gate.Gate

	providers  *ProviderManager
	state      *StateManager
	sessions   *SessionManager
	tools      *ToolRegistry
	agents     *AgentRegistry
	workflows  *WorkflowFactory
	components *ComponentRegistry

	collector *janitor // of expired items in the store

	mu      sync.Mutex
	config  *config.Config
	started bool
	closed  bool
	kernel  *Kernel
}

// NewInfrastructure builds the components. It starts nothing and opens no
// connection. Errors name the component and the configuration key.
func NewInfrastructure(p InfrastructureParams) (*Infrastructure, error) {
	switch {
	case p.Config == nil:
		return nil, invalid("InfrastructureParams.Config is nil; use config.Load or config.Default")
	case p.OpenStore == nil:
		return nil, invalid("InfrastructureParams.OpenStore is nil")
	}
	if p.Logger == nil {
		p.Logger = slog.New(slog.DiscardHandler)
	}
	i := &Infrastructure{params: p, logger: p.Logger, config: p.Config}
	i.files.open = p.NewFiles
	i.chain = []gate.Interceptor{gate.Observe(i.metrics.tool), gate.Timeout(0)}
	i.gate = gate.New(i.chain...)
	entries, err := i.entries(p.Config)
	if err != nil {
		return nil, component("ProviderManager", err)
	}
	i.providers = &ProviderManager{infra: i, engine: provider.New(provider.Params{Metrics: &i.metrics})}
	i.providers.replace(entries, p.Config.DefaultProvider)
	box, err := toolbox.New(p.Tools...)
	if err != nil {
		return nil, component("ToolRegistry", err)
	}
	i.tools = &ToolRegistry{box: box, infra: i}
	i.state = newStateManager(i, p.Config)
	i.sessions = &SessionManager{infra: i}
	i.collector = newJanitor(collectPeriod, i.collect)
	i.agents = &AgentRegistry{newRegistry[AgentSpec]("agent")}
	i.workflows = &WorkflowFactory{newRegistry[WorkflowSpec]("workflow")}
	i.components = &ComponentRegistry{i.tools, i.agents, i.workflows}
	return i, nil
}

func component(name string, err error) error { return fmt.Errorf("%s: %w", name, err) }

// Start opens storage and makes the components ready, in order. A failure stops
// those that were ready and names the component and the configuration key.
// Idempotent.
func (i *Infrastructure) Start(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closed:
		return ErrClosed
	case i.started:
		return nil
	}
	st, err := i.params.OpenStore(ctx, i.config)
	if err != nil {
		return component("Store", fmt.Errorf("storage.backend = %q: %w", i.config.Storage.Backend, err))
	}
	if err := i.store.open(st); err != nil {
		return errors.Join(component("Store", err), st.Close())
	}
	if err := i.files.configure(i.config); err != nil {
		return errors.Join(component("ToolRegistry", fmt.Errorf("tools.file_operations.allowed_paths: %w", err)), i.store.close())
	}
	i.tools.configure(i.config, &i.files)
	i.started = true
	i.collector.wake()
	return nil
}

// Close stops the components in reverse order. Idempotent.
func (i *Infrastructure) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil
	}
	i.closed = true
	i.collector.close()
	var errs []error
	if err := i.files.close(); err != nil {
		errs = append(errs, component("ToolRegistry", err))
	}
	if err := i.store.close(); err != nil {
		errs = append(errs, component("Store", err))
	}
	return errors.Join(errs...)
}

// collectPeriod is how often expired items are removed from the store.
const collectPeriod = time.Minute

func (i *Infrastructure) collect(time.Time) (more bool) {
	st, err := i.store.get()
	if err != nil {
		return false
	}
	c, ok := st.(store.Collector)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectPeriod)
	defer cancel()
	for {
		n, err := c.Collect(ctx, store.MaxPage)
		if err != nil {
			i.logger.Warn("expired items were not removed", "component", "store", "error", err)
		}
		if err != nil || n < store.MaxPage {
			return true
		}
	}
}

// reload puts the providers and policies of c in place of the current ones.
// Nothing changes when it fails.
func (i *Infrastructure) reload(c *config.Config) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	entries, err := i.entries(c)
	if err != nil {
		return component("ProviderManager", err)
	}
	if i.started {
		if err := i.files.configure(c); err != nil {
			return component("ToolRegistry", fmt.Errorf("tools.file_operations.allowed_paths: %w", err))
		}
		i.tools.configure(c, &i.files)
	}
	i.providers.replace(entries, c.DefaultProvider)
	i.state.engine.SetMaxValueBytes(int(c.Runtime.StatePersistence.MaxStateSizeBytes))
	i.config = c
	return nil
}

// attach makes the infrastructure serve k, with further tools.
func (i *Infrastructure) attach(k *Kernel, tools []tool.Tool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closed:
		return ErrClosed
	case i.kernel != nil:
		return fault.Errorf(fault.InvalidState, "the infrastructure serves another kernel").
			WithHint("close that kernel first, or build a second infrastructure")
	}
	for _, t := range tools {
		if err := i.tools.Register(t); err != nil {
			return component("Params.Tools", err)
		}
	}
	i.kernel = k
	return nil
}

func (i *Infrastructure) detach(k *Kernel) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.kernel == k {
		i.kernel = nil
	}
}

// hostRun is the run of calls that Go code makes outside of scripts, in the
// name of a tenant.
func (i *Infrastructure) hostRun(tenant string) *gate.Run {
	if tenant == "" {
		tenant = i.params.Config.Storage.Postgres.DefaultTenantID
	}
	return &gate.Run{Tenant: tenant, Script: "host", Gate: i.gate, Logger: i.logger, Now: wallClock, Rand: randomBytes}
}

// within returns ctx with a run: its own, or that of host code.
func (i *Infrastructure) within(ctx context.Context) context.Context {
	if gate.Of(ctx) != nil {
		return ctx
	}
	return gate.With(ctx, i.hostRun(""))
}

// current returns the kernel that the infrastructure serves.
func (i *Infrastructure) current() (*Kernel, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.kernel == nil {
		return nil, fault.Errorf(fault.InvalidState, "no kernel runs on this infrastructure").
			WithHint("sessions need one: standard.Open or llmspell.New makes it")
	}
	return i.kernel, nil
}

// Config returns the configuration the components work with.
func (i *Infrastructure) Config() *config.Config {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.config
}

// ProviderManager gives access to models by name.
func (i *Infrastructure) ProviderManager() *ProviderManager { return i.providers }

// StateManager is scoped, versioned key/value storage.
func (i *Infrastructure) StateManager() *StateManager { return i.state }

// SessionManager holds the open sessions.
func (i *Infrastructure) SessionManager() *SessionManager { return i.sessions }

// RAG returns false: it is not available in this version.
func (i *Infrastructure) RAG() (*RAG, bool) { return nil, false }

// MemoryManager returns false: it is not available in this version.
func (i *Infrastructure) MemoryManager() (*MemoryManager, bool) { return nil, false }

// ToolRegistry holds the tools.
func (i *Infrastructure) ToolRegistry() *ToolRegistry { return i.tools }

// AgentRegistry holds agent definitions.
func (i *Infrastructure) AgentRegistry() *AgentRegistry { return i.agents }

// WorkflowFactory holds workflow definitions.
func (i *Infrastructure) WorkflowFactory() *WorkflowFactory { return i.workflows }

// ComponentRegistry finds tools, agents and workflows by name.
func (i *Infrastructure) ComponentRegistry() *ComponentRegistry { return i.components }

// TokenManager issues and checks the credentials of the service.
func (i *Infrastructure) TokenManager() *TokenManager { return NewTokenManager(lateTokens{&i.store}) }

// StoreInfo describes the storage in use.
func (i *Infrastructure) StoreInfo(ctx context.Context) (store.Info, error) {
	st, err := i.store.get()
	if err != nil {
		return store.Info{}, err
	}
	return st.Info(ctx)
}

func (i *Infrastructure) ping(ctx context.Context) error {
	st, err := i.store.get()
	if err != nil {
		return err
	}
	return st.Ping(ctx)
}

type (
	// RAG is not available in this version.
	RAG struct{}
	// MemoryManager is not available in this version.
	MemoryManager struct{}
)
