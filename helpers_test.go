package llmspell_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
	"github.com/llmspell/llmspell/store"
	"github.com/llmspell/llmspell/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parts is a kernel under test: a configuration over memory storage and the
// scripted provider "fake", whose default model is echo.
type parts struct {
	config *config.Config
	infra  llmspell.InfrastructureParams
	kernel llmspell.Params
}

func newParts(t testing.TB, toml string) parts {
	t.Helper()
	cfg, err := config.Parse([]byte(toml+`
[storage]
backend = "memory"
[providers]
default_provider = "fake"
[providers.fake]
provider_type = "openai-compatible"
base_url = "http://127.0.0.1:1/v1"
default_model = "echo"
`), config.Params{})
	if err != nil {
		t.Fatal(err)
	}
	return parts{
		config: cfg,
		infra: llmspell.InfrastructureParams{
			Config:    cfg,
			Providers: map[string]llm.Provider{"fake": llmtest.Fake()},
			OpenStore: func(context.Context, *config.Config) (store.Store, error) {
				return memstore.New(memstore.Params{}), nil
			},
		},
		kernel: llmspell.Params{Config: cfg},
	}
}

// open makes and starts the kernel; it is closed with the test.
func (p parts) open(t testing.TB) *llmspell.Kernel {
	t.Helper()
	infra, err := llmspell.NewInfrastructure(p.infra)
	if err != nil {
		t.Fatal(err)
	}
	p.kernel.Infrastructure = infra
	p.kernel.Closed = infra.Close
	k, err := llmspell.New(t.Context(), p.kernel)
	if err != nil {
		t.Fatal(err)
	}
	if err := infra.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return k
}

func openKernel(t testing.TB, toml string) *llmspell.Kernel { return newParts(t, toml).open(t) }

func newSession(t testing.TB, k *llmspell.Kernel) *llmspell.Session {
	t.Helper()
	s, err := k.NewSession(t.Context(), llmspell.SessionParams{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// executor is a Kernel or a Session.
type executor interface {
	Execute(ctx context.Context, code string) (llmspell.Result, error)
}

func execute(t testing.TB, e executor, code string) llmspell.Result {
	t.Helper()
	r, err := e.Execute(t.Context(), code)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	return r
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("%s did not happen", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// failingStore is a store that does not answer while fail is set.
type failingStore struct {
	store.Store
	fail atomic.Bool
}

func (f *failingStore) Ping(ctx context.Context) error {
	if f.fail.Load() {
		return errors.New("the database is gone")
	}
	return f.Store.Ping(ctx)
}
