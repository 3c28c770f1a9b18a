package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/buildinfo"
	"github.com/llmspell/llmspell/internal/service"
)

// serviceFlags name a service; install-service has the rest.
type serviceFlags struct {
	manager, name, id, logFile, pidFile, runAs, unitType string

	port                                               int
	system, enable, start, force, print, dryRun, purge bool
}

func (a *app) kernelInstallService() *cobra.Command {
	s := &serviceFlags{}
	c := &cobra.Command{
		Use: "install-service", Short: "Install the kernel as a service of systemd or launchd",
		Example: `  llmspell kernel install-service --enable --start
  sudo llmspell kernel install-service --system --port 9600
  llmspell kernel install-service --print              # the file, nothing else
  llmspell kernel install-service --system --dry-run   # what would be done`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.installService(c, s) },
	}
	f := c.Flags()
	s.common(c)
	f.IntVar(&s.port, "port", 0, "HTTP port (default: the configuration's)")
	f.StringVar(&s.id, "id", "", "kernel id (default: from the name)")
	f.StringVar(&s.logFile, "log-file", "", "log file")
	f.StringVar(&s.pidFile, "pid-file", "", "PID file")
	f.StringVar(&s.runAs, "run-as", "", "account of a system service (default: llmspell, made when missing)")
	f.StringVar(&s.unitType, "unit-type", "notify", "systemd: notify or forking")
	f.BoolVar(&s.enable, "enable", false, "start it at every login, or boot with --system")
	f.BoolVar(&s.start, "start", false, "start it now and wait until it is ready")
	f.BoolVar(&s.force, "force", false, "replace an edited file, keeping it as .bak")
	f.BoolVar(&s.print, "print", false, "print the service file and do nothing")
	return c
}

func (a *app) kernelUninstallService() *cobra.Command {
	s := &serviceFlags{unitType: "notify"}
	c := &cobra.Command{
		Use: "uninstall-service", Short: "Stop a service of the kernel and remove its file",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.uninstallService(c.Context(), c, s) },
	}
	s.common(c)
	c.Flags().BoolVar(&s.purge, "purge", false, "also remove state, logs and configuration in the default directories; needs --yes")
	return c
}

func (s *serviceFlags) common(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.manager, "service-type", "auto", "systemd, launchd or auto")
	f.BoolVar(&s.system, "system", false, "for the whole system instead of this user")
	f.StringVar(&s.name, "name", "", "name of the service (default: llmspell-kernel; launchd com.llmspell.kernel)")
	f.BoolVar(&s.dryRun, "dry-run", false, "list every file and command and touch nothing")
}

// host is the machine of this process, or the one a test gave.
func (a *app) host() service.Host {
	if a.env.ServiceHost != nil {
		return *a.env.ServiceHost
	}
	return service.Host{
		OS: runtime.GOOS, UID: a.env.UID, Now: a.env.Now(), Run: a.runManager,
		Has: func(name string) bool { _, err := exec.LookPath(name); return err == nil },
		Account: func(name string) (service.Account, bool) {
			u, err := user.Lookup(name)
			if name == "" || err != nil {
				return service.Account{}, false
			}
			uid, uerr := strconv.Atoi(u.Uid)
			gid, gerr := strconv.Atoi(u.Gid)
			return service.Account{UID: uid, GID: gid}, uerr == nil && gerr == nil
		},
	}
}

// runManager runs a command of the service manager. The user's bus is found by
// a variable that a login over su or cron does not have.
func (a *app) runManager(ctx context.Context, argv []string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = a.env.Environ
	if a.env.getenv("XDG_RUNTIME_DIR") == "" {
		cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR=/run/user/"+strconv.Itoa(a.env.UID))
	}
	return cmd.CombinedOutput()
}

// spec is the service that the flags describe.
func (a *app) spec(c *cobra.Command, s *serviceFlags, h service.Host) (service.Spec, error) {
	spec := service.Spec{
		Manager: service.Manager(s.manager), System: s.system, Name: s.name, ID: s.id, Binary: a.env.Executable,
		Config: a.absolute(a.configPath), Profile: strings.Join(a.profiles, ","), LogFile: a.absolute(s.logFile), PIDFile: a.absolute(s.pidFile),
		RunAs: s.runAs, Forking: s.unitType == "forking", Version: buildinfo.Version,
		Home: a.env.Home, ConfigHome: a.env.getenv("XDG_CONFIG_HOME"),
	}
	switch s.unitType {
	case "notify", "forking":
	default:
		return spec, usagef("--unit-type %q: want notify or forking", s.unitType)
	}
	switch s.manager {
	case "systemd", "launchd":
	case "auto":
		m, err := h.Detect()
		if err != nil {
			return spec, err
		}
		spec.Manager = m
	default:
		return spec, usagef("--service-type %q: want systemd, launchd or auto", s.manager)
	}
	if c.Flags().Changed("port") {
		if s.port < 1 || s.port > 65535 {
			return spec, usagef("--port %d: want 1 to 65535", s.port)
		}
		spec.Port = strconv.Itoa(s.port)
	}
	if spec.Manager == service.Launchd && !s.system && writableDir("/usr/local/var/log/llmspell") {
		spec.LogsDir = "/usr/local/var/log/llmspell"
	}
	if a.env.UID == 0 && !s.system && !s.print {
		return spec, usagef("this would be a service of root: use --system, or run as the user")
	}
	a.configuredPaths(&spec)
	return spec, nil
}

// configuredPaths adds what the named configuration file asks the service to
// write and read. The environment of the service may be needed to load it, so
// a failure is no error here: the kernel reports it when it starts.
func (a *app) configuredPaths(s *service.Spec) {
	if s.Config == "" {
		return
	}
	p := a.configParams("kernel")
	p.Env = maps.Clone(p.Env)
	for _, name := range []string{"STATE_DIRECTORY", "RUNTIME_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY"} {
		delete(p.Env, name)
	}
	if s.System {
		p.UID = 0
	}
	cfg, err := config.Discover(p)
	if err != nil {
		a.note("note: %s was not checked: %v", s.Config, err)
		return
	}
	for _, w := range []struct{ key, dir string }{
		{"kernel.state_dir", cfg.Paths.StateDir}, {"kernel.runtime_dir", cfg.Paths.RuntimeDir},
		{"logging.log_file", filepath.Dir(cfg.Logging.LogFile)}, {"daemon.pid_file", filepath.Dir(cfg.Daemon.PIDFile)},
	} {
		if cfg.IsSet(w.key) && filepath.IsAbs(w.dir) {
			s.Writes = append(s.Writes, w.dir)
		}
	}
	if cfg.Security.TLSEnabled {
		s.Reads = append(s.Reads, cfg.Security.TLSCert, cfg.Security.TLSKey)
	}
}

func (a *app) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(a.env.Cwd, path)
}

// writableDir reports whether this process can make files there.
func writableDir(dir string) bool {
	f, err := os.CreateTemp(dir, ".llmspell-*")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}

func (a *app) installService(c *cobra.Command, s *serviceFlags) error {
	h := a.host()
	spec, err := a.spec(c, s, h)
	if err != nil {
		return err
	}
	if s.print {
		p, err := h.Prepare(spec)
		if err != nil {
			return serviceUsage(err)
		}
		return a.printf("%s", p.Text)
	}
	p, err := h.PlanInstall(spec, service.InstallOptions{Enable: s.enable, Start: s.start, Force: s.force, DryRun: s.dryRun})
	if e, ok := errors.AsType[*service.EditedError](err); ok && !a.json() {
		a.printf("%s", e.Diff)
	}
	if err != nil {
		return serviceUsage(err)
	}
	if s.dryRun {
		return a.printPlan(p)
	}
	if err := a.applyPlan(c.Context(), h, p); err != nil {
		if s.start {
			a.showServiceLog(c.Context(), h, p.Spec)
		}
		return err
	}
	a.noteLinger(h, p.Spec, s)
	if s.start {
		return a.waitService(c.Context(), h, p.Spec)
	}
	return nil
}

func (a *app) uninstallService(ctx context.Context, c *cobra.Command, s *serviceFlags) error {
	h := a.host()
	spec, err := a.spec(c, s, h)
	if err != nil {
		return err
	}
	if s.purge && !a.yes && !s.dryRun {
		return usagef("--purge removes state, logs and configuration; confirm with --yes")
	}
	p, err := h.PlanUninstall(spec, s.purge, s.dryRun)
	if err != nil {
		return serviceUsage(err)
	}
	if s.dryRun {
		return a.printPlan(p)
	}
	return a.applyPlan(ctx, h, p)
}

// serviceUsage makes a value that cannot be a service's exit 2.
func serviceUsage(err error) error {
	if fault.CodeOf(err) == fault.InvalidArgument {
		return usage(err)
	}
	return err
}

func (a *app) printPlan(p service.Plan) error {
	steps := []string{}
	for _, s := range p.Steps {
		steps = append(steps, s.String())
	}
	if a.json() {
		return a.printJSON(map[string]any{"file": p.Spec.File(), "steps": steps, "notes": append([]string{}, p.Notes...)})
	}
	for _, s := range steps {
		a.printf("%s\n", s)
	}
	for _, n := range p.Notes {
		a.note("note: %s", n)
	}
	return nil
}

// applyPlan carries a plan out, telling each change on stderr.
func (a *app) applyPlan(ctx context.Context, h service.Host, p service.Plan) error {
	done := []string{}
	err := h.Apply(ctx, p, func(s service.Step) {
		done = append(done, s.String())
		a.note("%s", s)
	})
	if err != nil {
		return err
	}
	for _, n := range p.Notes {
		a.note("note: %s", n)
	}
	if a.json() {
		return a.printJSON(map[string]any{"name": p.Spec.Name, "kernel_id": p.Spec.ID, "file": p.Spec.File(), "done": done})
	}
	return nil
}

// noteLinger tells what ends a user's service.
func (a *app) noteLinger(h service.Host, s service.Spec, f *serviceFlags) {
	if s.Manager != service.Systemd || s.System || !f.enable {
		return
	}
	if _, err := os.Stat(filepath.Join("/var/lib/systemd/linger", a.env.getenv("USER"))); err == nil && a.env.getenv("USER") != "" {
		return
	}
	a.note("Hint: the service ends with your last login; \"loginctl enable-linger\" keeps it running")
}

// showServiceLog prints the last 20 lines that the service logged.
func (a *app) showServiceLog(ctx context.Context, h service.Host, s service.Spec) {
	argv := []string{"tail", "-n", "20", s.Dirs().Logs + "/stderr.log", s.Dirs().Logs + "/kernel.log"}
	if s.Manager == service.Systemd {
		argv = []string{"journalctl", "-n", "20", "--no-pager", "-u", s.Name}
		if !s.System {
			argv = []string{"journalctl", "--user", "-n", "20", "--no-pager", "--user-unit", s.Name}
		}
	}
	out, err := h.Run(context.WithoutCancel(ctx), argv)
	if err == nil || len(out) > 0 {
		fmt.Fprintf(a.env.Stderr, "The last lines of its log:\n%s\n", strings.TrimRight(string(out), "\n"))
	}
}
