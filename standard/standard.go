package standard

import (
	"context"
	"errors"
	"log/slog"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/store"
	"github.com/llmspell/llmspell/tool"
)

// Params are what New builds a kernel from.
type Params struct {
	Config *config.Config
	Logger *slog.Logger // nil: built from [logging]

	// Record writes every call to a model to a file, Replay answers all of them
	// from one (package llm/replay). At most one of them.
	Record, Replay string

	// SharedStore opens the database beside a running kernel: without the lock
	// that keeps a second kernel out.
	SharedStore bool

	Tools   []tool.Tool     // beside the stock tools
	Modules []script.Module // further globals for scripts
	Metrics llmspell.Metrics

	// Getenv answers os.getenv for allowed variables; nil: the process's
	// environment.
	Getenv func(name string) (string, bool)
}

// Open builds a kernel from a configuration and starts it: storage is open when
// it returns. Close the kernel to free everything.
func Open(ctx context.Context, cfg *config.Config) (*llmspell.Kernel, error) {
	return OpenParams(ctx, Params{Config: cfg})
}

// OpenParams is Open with more to say.
func OpenParams(ctx context.Context, p Params) (*llmspell.Kernel, error) {
	k, err := New(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := k.Infrastructure().Start(ctx); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// New builds a kernel that owns its infrastructure. It starts nothing:
// Infrastructure.Start, or server.Start, opens storage.
func New(ctx context.Context, p Params) (_ *llmspell.Kernel, err error) {
	var owned closers
	defer func() {
		if err != nil {
			err = errors.Join(err, owned.close())
		}
	}()
	if p.Logger == nil && p.Config != nil {
		log, err := newLogger(p.Config)
		if err != nil {
			return nil, err
		}
		owned.add(log.close)
		p.Logger = log.Logger
	}
	if p.Getenv == nil {
		p.Getenv = processEnv
	}
	infra, err := build(p, &owned)
	if err != nil {
		return nil, err
	}
	owned.add(infra.Close)
	return llmspell.New(ctx, llmspell.Params{
		Config: infra.Config(), Infrastructure: infra, Logger: p.Logger,
		Modules: p.Modules, Metrics: p.Metrics, Getenv: p.Getenv, Closed: owned.close,
	})
}

// NewInfrastructure builds the nine components of a configuration without a
// kernel. It starts nothing.
func NewInfrastructure(ctx context.Context, cfg *config.Config) (*llmspell.Infrastructure, error) {
	return NewInfrastructureParams(ctx, Params{Config: cfg})
}

// NewInfrastructureParams is NewInfrastructure with more to say. Record, Modules
// and Metrics are of a kernel and refused.
func NewInfrastructureParams(ctx context.Context, p Params) (*llmspell.Infrastructure, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.Record != "" || p.Modules != nil || p.Metrics != nil {
		return nil, errors.New("standard: Record, Modules and Metrics need a kernel; use New")
	}
	return build(p, &closers{})
}

// build makes the infrastructure; what else has to be closed goes to owned.
func build(p Params, owned *closers) (*llmspell.Infrastructure, error) {
	if p.Config == nil {
		return nil, errors.New("standard: Params.Config is nil; use config.Load or config.Default")
	}
	models, err := newModels(p, owned)
	if err != nil {
		return nil, err
	}
	return llmspell.NewInfrastructure(llmspell.InfrastructureParams{
		Config: models.config, Logger: p.Logger,
		OpenStore: func(ctx context.Context, c *config.Config) (store.Store, error) {
			return openStore(ctx, c, !p.SharedStore)
		},
		NewProvider: models.newProvider, Providers: models.fixed,
		NewFiles: newFiles,
		Tools:    append(tools(), p.Tools...),
	})
}

// closers are closed in reverse order.
type closers []func() error

func (c *closers) add(fn func() error) { *c = append(*c, fn) }

func (c *closers) close() error {
	var errs []error
	for i := len(*c) - 1; i >= 0; i-- {
		errs = append(errs, (*c)[i]())
	}
	*c = nil
	return errors.Join(errs...)
}
