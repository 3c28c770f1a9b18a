package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/daemon"
	"github.com/llmspell/llmspell/internal/logfile"
	"github.com/llmspell/llmspell/server"
)

// startFlags are the flags of kernel start that set configuration keys, and
// its mode.
type startFlags struct {
	port           int
	host           string
	daemonize      bool
	foreground     bool
	id             string
	connectionFile string
	pidFile        string
	logFile        string
	idleTimeout    string
	maxClients     int
	envFile        string
	noHTTP         bool
	noJupyter      bool
	dryRun         bool

	resolved []config.Override // what kernelConfig made of them; a reload keeps it
}

func (a *app) kernelStart() *cobra.Command {
	s := &startFlags{}
	c := &cobra.Command{
		Use: "start", Short: "Start a kernel",
		Example: `  llmspell kernel start                        # foreground
  llmspell kernel start --daemon --port 9555   # returns when it is ready
  llmspell kernel start --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.start(c, s) },
	}
	f := c.Flags()
	f.IntVar(&s.port, "port", 9555, "HTTP port; 0 lets the system choose")
	f.StringVar(&s.host, "host", "127.0.0.1", "address to listen on")
	f.BoolVar(&s.daemonize, "daemon", false, "run in the background")
	f.BoolVar(&s.foreground, "foreground", false, "run in the foreground")
	f.StringVar(&s.id, "id", "", "kernel id (default: six random characters)")
	f.StringVarP(&s.connectionFile, "connection-file", "f", "", "Jupyter connection file; not available in this version")
	f.StringVar(&s.pidFile, "pid-file", "", "PID file (default with --daemon: <runtime>/<id>.pid)")
	f.StringVar(&s.logFile, "log-file", "", "log file, or a directory for kernel-<id>.log")
	f.StringVar(&s.idleTimeout, "idle-timeout", "0", "stop when unused this long; 0 = never")
	f.IntVar(&s.maxClients, "max-clients", 1024, "streaming clients at once; 0 = no limit")
	f.StringVar(&s.envFile, "env-file", "", "file of NAME=VALUE lines added to the environment")
	f.BoolVar(&s.noHTTP, "no-http", false, "not available in this version: HTTP is the only way in")
	f.BoolVar(&s.noJupyter, "no-jupyter", false, "no Jupyter sockets (this version has none)")
	f.BoolVar(&s.dryRun, "dry-run", false, "check everything, start nothing")
	f.MarkHidden("no-jupyter")
	f.MarkHidden("no-http")
	f.MarkHidden("connection-file")
	return c
}

// overrides turns the flags that were given into configuration keys.
func (s *startFlags) overrides(c *cobra.Command) []config.Override {
	var out []config.Override
	set := func(flag, key string, value any) {
		if c.Flags().Changed(flag) {
			out = append(out, config.Override{Key: key, Value: fmt.Sprint(value), Flag: "--" + flag})
		}
	}
	set("port", "kernel.port", s.port)
	set("host", "kernel.host", s.host)
	set("id", "kernel.id", s.id)
	set("connection-file", "kernel.connection_file", s.connectionFile)
	set("pid-file", "daemon.pid_file", s.pidFile)
	set("log-file", "logging.log_file", s.logFile)
	set("idle-timeout", "kernel.idle_timeout", s.idleTimeout)
	set("max-clients", "kernel.max_clients", s.maxClients)
	return out
}

func (a *app) start(c *cobra.Command, s *startFlags) error {
	switch {
	case s.daemonize && s.foreground:
		return usagef("--daemon and --foreground exclude each other")
	case s.noHTTP:
		return &exitError{code: exitFailure, err: errors.New("--no-http: not available in this version; HTTP is the only way in")}
	case s.connectionFile != "":
		return &exitError{code: exitFailure, err: errors.New("--connection-file: not available in this version")}
	}
	if err := a.readEnvFile(s.envFile); err != nil {
		return err
	}
	ready, child := daemon.InheritReadiness(a.env.getenv)
	cfg, err := a.kernelConfig(c, s, child)
	if err != nil {
		return handOver(ready, err)
	}
	for _, w := range cfg.Warnings {
		a.note("Warning: %s", w.String())
	}
	if s.dryRun {
		return a.dryRun(c.Context(), cfg)
	}
	if err := a.tokenSource(cfg); err != nil {
		return handOver(ready, err)
	}
	if !child && a.background(cfg, s) {
		return launchFailure(a.spawn(c.Context(), cfg))
	}
	return handOver(ready, launchFailure(a.serve(c.Context(), s, cfg, ready, child)))
}

// launchFailure is the end of a start whose configuration was accepted: exit 1
// whatever stood in the way.
func launchFailure(err error) error {
	if err == nil {
		return nil
	}
	c := explain(err)
	return &exitError{code: exitFailure, err: err, hint: c.Hint}
}

// handOver gives an error to the waiting parent, if there is one.
func handOver(ready *daemon.Readiness, err error) error {
	if err != nil && ready.Fail(complaintText(explain(err))) {
		return status(exitFailure)
	}
	return err
}

// background decides the mode: a flag, else [daemon] daemonize; under a
// service manager or as pid 1 always the foreground.
func (a *app) background(cfg *config.Config, s *startFlags) bool {
	if s.daemonize || s.foreground {
		return s.daemonize
	}
	return cfg.Daemon.Daemonize && a.env.getenv("NOTIFY_SOCKET") == "" && a.env.PID != 1
}

// kernelConfig resolves the configuration of a kernel and fixes what depends
// on its id: the id itself, PID file and log file.
func (a *app) kernelConfig(c *cobra.Command, s *startFlags, child bool) (*config.Config, error) {
	overrides := s.overrides(c)
	cfg, err := a.loadConfig("kernel", overrides...)
	if err != nil {
		return nil, err
	}
	id := cfg.Kernel.ID
	if id == "" {
		id = strings.ToLower(rand.Text()[:6])
		overrides = append(overrides, config.Override{Key: "kernel.id", Value: id, Flag: "--id"})
	}
	back := child || a.background(cfg, s)
	if back && cfg.Daemon.PIDFile == "" {
		overrides = append(overrides, config.Override{Key: "daemon.pid_file", Value: filepath.Join(cfg.Paths.RuntimeDir, id+".pid"), Flag: "--pid-file"})
	}
	log := cfg.Logging.LogFile
	if st, err := os.Stat(log); err == nil && st.IsDir() {
		log = filepath.Join(log, "kernel-"+id+".log")
	} else if log == "" && back {
		log = filepath.Join(cfg.Paths.LogsDir, "kernel-"+id+".log")
	}
	if log != cfg.Logging.LogFile {
		overrides = append(overrides, config.Override{Key: "logging.log_file", Value: log, Flag: "--log-file"})
	}
	if !s.dryRun {
		if err := a.makeDirs(cfg); err != nil {
			return nil, err
		}
	}
	s.resolved = overrides
	return config.Discover(a.configParams("kernel", overrides...))
}

// makeDirs creates the default directories, never what a person named.
func (a *app) makeDirs(cfg *config.Config) error {
	runtimeMode, logsMode := os.FileMode(0o700), os.FileMode(0o700)
	if cfg.Paths.Scope == config.ScopeSystem {
		runtimeMode, logsMode = 0o755, 0o750
	}
	for _, d := range []struct {
		path string
		mode os.FileMode
	}{{cfg.Paths.StateDir, 0o700}, {cfg.Paths.RuntimeDir, runtimeMode}, {cfg.Paths.LogsDir, logsMode}} {
		if err := os.MkdirAll(d.path, d.mode); err != nil {
			return fault.Errorf(fault.PolicyDenied, "Permission denied: %s: %v", d.path, err).
				WithHint("run as the account that owns it, or choose another with --set kernel.state_dir=...")
		}
	}
	return nil
}

// spawn starts the kernel in the background and waits for it.
func (a *app) spawn(ctx context.Context, cfg *config.Config) error {
	if a.env.PID == 1 {
		return usagef("--daemon cannot be used as pid 1; run in the foreground")
	}
	out, err := openOutput(cfg)
	if err != nil {
		return err
	}
	defer out.Close()
	args := append([]string{}, a.env.Args...)
	args = append(args, "--id", cfg.Kernel.ID)
	pid, message, err := daemon.Spawn(ctx, daemon.SpawnParams{Executable: a.env.Executable, Args: args, Env: a.env.Environ, Output: out})
	if err != nil {
		if text, ok := strings.CutPrefix(err.Error(), "Error: "); ok {
			text, hint, _ := strings.Cut(text, "\nHint: ")
			return &exitError{code: exitFailure, err: errors.New(text), hint: hint}
		}
		return fmt.Errorf("%w; its log is %s", err, cfg.Logging.LogFile)
	}
	if a.json() {
		return a.printJSON(map[string]any{"kernel_id": cfg.Kernel.ID, "pid": pid, "endpoint": message, "log_file": cfg.Logging.LogFile, "pid_file": cfg.Daemon.PIDFile})
	}
	return a.printf("kernel %s started (pid %d, %s)\n", cfg.Kernel.ID, pid, message)
}

// openOutput opens the log for what a background kernel writes past its logger.
func openOutput(cfg *config.Config) (*os.File, error) {
	f, err := logfile.Open(fileParams(cfg)) // makes it 0640 whatever the umask
	if err != nil {
		return nil, logFileError(cfg, err)
	}
	f.Close()
	out, err := os.OpenFile(cfg.Logging.LogFile, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, logFileError(cfg, err)
	}
	return out, nil
}

// serve runs the kernel in this process until it is told to stop.
func (a *app) serve(ctx context.Context, s *startFlags, cfg *config.Config, ready *daemon.Readiness, child bool) error {
	if child || cfg.IsSet("daemon.umask") {
		daemon.SetUmask(cfg.Daemon.Umask)
	}
	if dir := cfg.Daemon.WorkingDir; dir != "" && (child || cfg.IsSet("daemon.working_dir")) {
		if err := os.Chdir(dir); err != nil {
			return fault.Errorf(fault.InvalidArgument, "daemon.working_dir: %w", err)
		}
	}
	log, err := openLog(cfg, a.env.Stderr)
	if err != nil {
		return err
	}
	defer log.Close()
	notify, err := daemon.NewNotifier(a.env.getenv, a.env.PID)
	if err != nil {
		return err
	}
	kernel, err := newKernel(ctx, cfg, log.Logger)
	if err != nil {
		return err
	}
	d := &serving{app: a, overrides: s.resolved, log: log, kernel: kernel, started: make(chan struct{}), notify: notify}
	defer daemon.Handle(d.actions())() // before the first file is made: a signal must not leave one
	patient := notify.Patience()
	srv, err := server.Start(ctx, kernel)
	patient()
	d.srv = srv
	close(d.started)
	if err != nil {
		return errors.Join(err, kernel.Close())
	}
	if token, err := server.BootstrapToken(cfg); err == nil {
		log.hide(token)
	}
	ready.Ready(srv.Addrs().Endpoint)
	notify.Ready(d.statusText())
	defer notify.Watch(srv.Live, func(err error) { log.Error("no sign of life for the watchdog", "error", err) })()
	drained := d.announceDrain()
	if !child && !a.quiet {
		a.note("kernel %s ready at %s (pid %d); Ctrl+C stops it", srv.ID(), srv.Addrs().Endpoint, a.env.PID)
	}
	<-drained
	return srv.Wait()
}

// serving is a running kernel with what its signals need.
type serving struct {
	app       *app
	overrides []config.Override // of the start
	log       *kernelLog
	kernel    *llmspell.Kernel
	srv       *server.Server
	started   chan struct{} // closed when srv is set, nil after a failed start
	notify    *daemon.Notifier
}

// running reports whether the start is over and succeeded.
func (d *serving) running() bool {
	select {
	case <-d.started:
		return d.srv != nil
	default:
		return false
	}
}

// statusText is what systemctl status shows.
func (d *serving) statusText() string {
	return "kernel " + d.srv.ID() + " ready at " + d.srv.Addrs().Endpoint
}

// announceDrain tells the service manager when the kernel shuts down, for
// whatever reason, and that it may take long. The channel closes at the end.
func (d *serving) announceDrain() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-d.srv.Draining()
		d.notify.Stopping("draining")
		defer d.notify.Patience()()
		d.srv.Wait()
	}()
	return done
}

func (d *serving) actions() daemon.Actions {
	return daemon.Actions{
		Stop:        d.stop,
		Exit:        d.app.env.Exit,
		Reload:      d.reload,
		Stats:       d.stats,
		Debug:       d.log.toggleDebug,
		Dump:        d.log.writer,
		HangupStops: d.app.env.StdinTTY,
	}
}

func (d *serving) stop(sig syscall.Signal) {
	d.log.Info("stopping", "signal", sig.String(), "again", "a second signal exits at once")
	if <-d.started; d.srv == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), d.kernel.Config().Kernel.ShutdownTimeout)
	defer cancel()
	d.srv.Shutdown(ctx)
}

func (d *serving) stats() {
	if d.running() {
		d.srv.LogStats(context.Background())
	}
	d.log.reopen()
}

// reload reads the configuration again with the flags and environment of the
// start, applies what can be applied and reopens the log.
func (d *serving) reload() {
	d.log.reopen()
	if !d.running() { // it reads the configuration right now
		return
	}
	d.notify.Reloading()
	defer func() { d.notify.Ready(d.statusText()) }()
	cfg, err := config.Discover(d.app.configParams("kernel", d.overrides...))
	if err != nil {
		d.kernel.MarkReloadFailed()
		d.log.Error("configuration refused, the old one stays in force", "error", err.Error())
		return
	}
	report, err := d.srv.Reload(context.Background(), cfg)
	if err != nil {
		d.log.Error("configuration refused, the old one stays in force", "error", err.Error())
		return
	}
	d.log.configure(cfg)
	for _, key := range []string{"logging.format", "logging.log_file"} {
		if slices.Contains(report.Applied, key) { // the open log keeps its form and place
			report.RestartRequired = append(report.RestartRequired, key)
		}
	}
	d.log.Info("configuration reloaded", "applied", strings.Join(report.Applied, ","))
	if len(report.RestartRequired) > 0 {
		d.log.Warn("changed keys need a restart", "keys", strings.Join(report.RestartRequired, ","))
	}
}
