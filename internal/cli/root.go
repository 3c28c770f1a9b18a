package cli

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/buildinfo"
)

// app is one invocation: its process and the global flags.
type app struct {
	env *Env

	configPath string
	profiles   []string
	set        []string
	logLevel   string
	output     string
	quiet      bool
	noProgress bool
	color      string
	yes        bool
	kernelID   string
	connect    string
	tokenFile  string
	caFile     string

	// plain is set by commands that print one JSON document even on error.
	started bool
}

// Run executes one command line and returns the exit code.
func Run(ctx context.Context, env *Env) int {
	a := &app{env: env}
	root := a.root()
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	err := root.ExecuteContext(ctx)
	if errors.Is(err, syscall.EPIPE) {
		return exitOK
	}
	return a.report(err)
}

// Command returns the command tree without running it, for its reference pages.
func Command(env *Env) *cobra.Command {
	a := &app{env: env}
	return a.root()
}

const rootExample = `  llmspell run hello.lua
  llmspell exec "return 6*7"
  llmspell kernel start --daemon
  llmspell exec --connect localhost:9555 "return 6*7"`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "llmspell",
		Short:         "Script LLM agents, tools and state in Lua, alone or as a service",
		Example:       rootExample,
		Version:       buildinfo.Read().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			a.started = true
			return a.checkGlobals()
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	a.globalFlags(root)
	root.AddCommand(
		a.runCommand(), a.execCommand(), a.replCommand(), a.kernelCommand(), a.configCommand(),
		a.tokenCommand(), a.toolCommand(), a.versionCommand(),
	)
	for _, name := range reservedCommands {
		root.AddCommand(reserved(name))
	}
	root.InitDefaultCompletionCmd()
	return root
}

func (a *app) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.configPath, "config", "c", "", "configuration file")
	f.StringSliceVarP(&a.profiles, "profile", "p", nil, "built-in profiles, later wins")
	f.StringArrayVar(&a.set, "set", nil, "override one configuration key: KEY=VALUE (TOML; a bare word is a string)")
	f.StringVar(&a.logLevel, "log-level", "", "off, error, warn, info, debug or trace")
	f.StringVar(&a.logLevel, "trace", "", "alias of --log-level")
	f.StringVarP(&a.output, "output", "o", "text", "text, json or pretty")
	f.StringVar(&a.output, "format", "text", "alias of --output")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print less")
	f.BoolVar(&a.noProgress, "no-progress", false, "no progress on the terminal")
	f.StringVar(&a.color, "color", "auto", "auto, always or never")
	f.BoolVar(&a.yes, "yes", false, "confirm destructive commands")
	f.StringVar(&a.kernelID, "kernel", "", "address a running kernel by id")
	f.StringVar(&a.connect, "connect", "", "address a running kernel: URL or HOST:PORT")
	f.StringVar(&a.tokenFile, "token-file", "", "file with the token of that kernel")
	f.StringVar(&a.caFile, "ca-file", "", "PEM file of a private CA to trust; kernels of this machine need none")
	for _, hidden := range []string{"trace", "format", "no-progress", "color"} {
		f.MarkHidden(hidden)
	}
	root.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return profileNames(), cobra.ShellCompDirectiveNoFileComp
	})
	root.RegisterFlagCompletionFunc("kernel", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return a.completeKernels(), cobra.ShellCompDirectiveNoFileComp
	})
}

func (a *app) checkGlobals() error {
	switch a.output {
	case "text", "json", "pretty":
	default:
		return usagef("--output %q: want text, json or pretty", a.output)
	}
	switch a.color {
	case "auto", "never":
	case "always":
		return &exitError{code: exitFailure, err: errors.New("--color always: not available in this version; nothing is coloured")}
	default:
		return usagef("--color %q: want auto, always or never", a.color)
	}
	if a.kernelID != "" && a.connect != "" {
		return usagef("--kernel and --connect name two targets; use one")
	}
	return nil
}

// json reports whether results are machine-readable.
func (a *app) json() bool { return a.output == "json" || a.output == "pretty" }

// reservedCommands are names that later versions bring.
var reservedCommands = []string{
	"debug", "state", "session", "runs", "tenant", "storage", "keys", "backup", "model", "template", "app", "memory", "context",
}

func reserved(name string) *cobra.Command {
	return &cobra.Command{
		Use: name, Hidden: true, FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return &exitError{code: exitFailure, err: errors.New(c.CommandPath() + ": not available in this version")}
		},
	}
}

// loadConfig discovers the configuration for a command and shows its notices.
func (a *app) loadConfig(command string, overrides ...config.Override) (*config.Config, error) {
	cfg, err := config.Discover(a.configParams(command, overrides...))
	if err != nil {
		return nil, err
	}
	for _, n := range cfg.Notices {
		a.note("%s", n)
	}
	return cfg, nil
}

func (a *app) configParams(command string, overrides ...config.Override) config.Params {
	e := a.env
	return config.Params{
		Env: config.EnvMap(e.Environ), Cwd: e.Cwd, Home: e.Home, UID: e.UID,
		ConfigPath: a.configPath, Profiles: a.profiles, Set: a.set, LogLevel: a.logLevel, Overrides: overrides,
		Command: command, ServiceManaged: e.getenv("NOTIFY_SOCKET") != "" || e.getenv("INVOCATION_ID") != "" && e.PID == 1,
	}
}

// readAll reads a named file, or standard input for "-".
func (a *app) readAll(name string, limit int64) ([]byte, error) {
	if name == "-" {
		return readLimited(a.env.Stdin, limit)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readLimited(f, limit)
}
