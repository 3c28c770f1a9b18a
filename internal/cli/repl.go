package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/client"
)

// interpreter is what a REPL talks to: a session in this process or on a
// running kernel.
type interpreter interface {
	// Run executes code, writing output as it comes, and returns the value's text.
	Run(ctx context.Context, code string, out io.Writer) (string, error)
	Interrupt()
	Complete(ctx context.Context, code string, cursor int) (matches []string, start int)
	Reset(ctx context.Context) error
	Info() string
	Close()
}

func (a *app) replCommand() *cobra.Command {
	var session, history string
	c := &cobra.Command{
		Use: "repl", Short: "Interactive session",
		Long: `An expression prints its value; an incomplete chunk continues on the next line.
Ctrl+C interrupts the execution, Ctrl+D leaves. .help lists the commands.
With standard input not a terminal, its chunks run one by one up to the first error.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.repl(c.Context(), session, history)
		},
	}
	c.Flags().StringVar(&session, "session", "", "attach to this session of a running kernel")
	c.Flags().StringVar(&history, "history", "", "history file (default: <state>/repl_history)")
	return c
}

func (a *app) repl(ctx context.Context, session, history string) error {
	in, err := a.openInterpreter(ctx, session)
	if err != nil {
		return err
	}
	defer in.Close()
	r := &repl{app: a, in: in, ctx: ctx}
	if !a.env.StdinTTY {
		return r.pipe()
	}
	if history == "" {
		history = a.historyFile()
	}
	return r.interact(history)
}

func (a *app) openInterpreter(ctx context.Context, session string) (interpreter, error) {
	c, remote, err := a.remote()
	if err != nil {
		return nil, err
	}
	if !remote && session != "" {
		k, err := a.onlyKernel("")
		if err != nil {
			return nil, err
		}
		if c, err = a.dial(k.Endpoint); err != nil {
			return nil, err
		}
		remote = true
	}
	if remote {
		return openRemote(ctx, c, session)
	}
	cfg, err := a.loadConfig("repl")
	if err != nil {
		return nil, err
	}
	kernel, err := a.openKernel(ctx, cfg, &execution{})
	if err != nil {
		return nil, err
	}
	local := &localInterpreter{kernel: kernel, stderr: a.env.Stderr}
	if err := local.Reset(ctx); err != nil {
		kernel.Close()
		return nil, err
	}
	return local, nil
}

// localInterpreter is a session of a kernel in this process.
type localInterpreter struct {
	kernel  *llmspell.Kernel
	session *llmspell.Session
	stderr  io.Writer
}

func (l *localInterpreter) Run(ctx context.Context, code string, out io.Writer) (string, error) {
	r, err := l.session.Run(ctx, llmspell.Request{Code: code, Name: "=repl", Source: "cli", Stdout: out, Stderr: l.stderr})
	if err == nil && r.ExitCode != nil {
		return "", errExit
	}
	return r.Text, err
}

func (l *localInterpreter) Interrupt() { l.session.Interrupt() }

func (l *localInterpreter) Complete(ctx context.Context, code string, cursor int) ([]string, int) {
	c, err := l.session.Complete(ctx, code, cursor)
	if err != nil {
		return nil, 0
	}
	return c.Matches, c.Start
}

func (l *localInterpreter) Reset(ctx context.Context) error {
	if l.session != nil {
		l.session.Close(ctx)
	}
	var err error
	l.session, err = l.kernel.NewSession(ctx, llmspell.SessionParams{Name: "repl"})
	return err
}

func (l *localInterpreter) Info() string { return "in process, session " + l.session.ID() }
func (l *localInterpreter) Close()       { l.kernel.Close() }

// remoteInterpreter is a session of a running kernel. One that it opened ends
// with it; one it attached to stays.
type remoteInterpreter struct {
	client *client.Client
	id     string
	own    bool
}

func openRemote(ctx context.Context, c *client.Client, session string) (interpreter, error) {
	r := &remoteInterpreter{client: c, id: session}
	if session == "" {
		return r, r.Reset(ctx)
	}
	_, err := c.GetSession(ctx, session)
	return r, err
}

func (r *remoteInterpreter) Run(ctx context.Context, code string, out io.Writer) (string, error) {
	for e, err := range r.client.Stream(ctx, client.ExecuteRequest{Code: code, SessionID: r.id}) {
		if err != nil {
			return "", err
		}
		if e.Type == "output" {
			o, err := client.ParseOutput(e.Data)
			if err != nil {
				return "", err
			}
			io.WriteString(out, o.Text)
		}
		if result, last, err := e.Result(); last {
			return result.Result, err
		}
	}
	return "", errors.New("the kernel closed the stream")
}

func (r *remoteInterpreter) Interrupt() { r.client.InterruptSession(context.Background(), r.id) }

func (r *remoteInterpreter) Complete(ctx context.Context, code string, cursor int) ([]string, int) {
	c, err := r.client.Complete(ctx, r.id, code, cursor)
	if err != nil {
		return nil, 0
	}
	return c.Matches, c.Start
}

func (r *remoteInterpreter) Reset(ctx context.Context) error {
	r.Close()
	s, err := r.client.CreateSession(ctx, "repl")
	r.id, r.own = s.ID, true
	return err
}

func (r *remoteInterpreter) Info() string { return r.client.URL() + ", session " + r.id }

func (r *remoteInterpreter) Close() {
	if r.own && r.id != "" {
		r.client.DeleteSession(context.Background(), r.id)
	}
}
