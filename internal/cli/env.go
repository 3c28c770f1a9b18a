// Package cli is the command llmspell: one file a command over the library and
// its server. It and internal/daemon are the only packages that know the
// process: arguments, streams, environment, exit codes.
package cli

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/daemon"
	"github.com/llmspell/llmspell/internal/service"
)

// Env is everything a command takes from its process.
type Env struct {
	Args       []string // without the program name
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
	Environ    []string
	Cwd        string
	Home       string
	UID        int
	PID        int
	Executable string
	Now        func() time.Time
	Exit       func(code int)

	// ServiceHost is the machine that services are installed on; nil = this one.
	ServiceHost *service.Host

	StdinTTY, StdoutTTY, StderrTTY bool
}

// Main runs the command of this process and returns its exit code.
func Main(ctx context.Context) int {
	cwd, _ := os.Getwd()
	home, _ := os.UserHomeDir()
	exe, _ := os.Executable()
	env := &Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(),
		Cwd: cwd, Home: home, UID: os.Getuid(), PID: os.Getpid(), Executable: exe, Now: time.Now, Exit: os.Exit,
		StdinTTY: isTTY(os.Stdin), StdoutTTY: isTTY(os.Stdout), StderrTTY: isTTY(os.Stderr),
	}
	daemon.IgnoreBrokenPipe()
	return Run(ctx, env)
}

func isTTY(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// getenv reads a variable of the Env.
func (e *Env) getenv(name string) string { return config.EnvMap(e.Environ)[name] }
