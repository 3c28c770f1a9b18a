package tool

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// Env is what a run lends to its tools: clock, randomness and files, so that a
// run can be recorded, replayed and confined.
type Env struct {
	Now    func() time.Time
	Rand   func(p []byte) // fills p with random bytes
	Files  Files          // nil: policy denies files
	Run    string         // run id
	Tenant string
}

type envKey struct{}

// WithEnv returns ctx carrying env.
func WithEnv(ctx context.Context, env *Env) context.Context {
	return context.WithValue(ctx, envKey{}, env)
}

// EnvOf returns the Env of ctx. Without one: the real clock and random source,
// no files.
func EnvOf(ctx context.Context) *Env {
	if env, ok := ctx.Value(envKey{}).(*Env); ok && env != nil {
		return env
	}
	return &Env{Now: time.Now, Rand: func(p []byte) { rand.Read(p) }}
}

// NeedFiles returns the files of the run, or fault.PolicyDenied where it has none.
func (e *Env) NeedFiles() (Files, error) {
	if e.Files == nil {
		return nil, fault.Errorf(fault.PolicyDenied, "file access is not allowed").
			WithHint("set [runtime.security] allow_file_access = true and list directories in [tools.file_operations] allowed_paths")
	}
	return e.Files, nil
}
