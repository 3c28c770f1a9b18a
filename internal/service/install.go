package service

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/llmspell/llmspell/fault"
)

// InstallOptions are the flags of the installer beside the service itself.
type InstallOptions struct {
	Enable, Start, Force bool
	DryRun               bool // rights and accounts of this machine do not matter
}

// sharedBinary is where a system service finds a program that its account
// could not run from where it is.
const sharedBinary = "/usr/local/bin/llmspell"

// EditedError refuses to overwrite a file that is not ours as we wrote it.
type EditedError struct {
	Fault *fault.Error
	Diff  string // from the file to the new text
}

func (e *EditedError) Error() string { return e.Fault.Message }
func (e *EditedError) Unwrap() error { return e.Fault }

// Prepare completes a service, decides which binary it runs and renders it.
func (h Host) Prepare(s Spec) (Plan, error) {
	s, err := s.Complete()
	if err != nil {
		return Plan{}, err
	}
	if s.System && h.hidden(s) {
		s.Binary = sharedBinary
	}
	text, err := s.Render()
	return Plan{Spec: s, Text: text}, err
}

// hidden reports whether the account of a system service cannot execute the
// binary where it is: below a directory the sandbox hides, or by mode.
func (h Host) hidden(s Spec) bool {
	for _, dir := range []string{"/home", "/root", "/tmp", "/var/tmp", "/run/user"} {
		if s.Manager == Systemd && within(s.Binary, dir) {
			return true
		}
	}
	account, known := h.Account(s.Account())
	return h.exists(s.Binary) && !h.may(account, known, s.Binary, 5)
}

// PlanInstall says how to install a service. What would be lost or could not
// work is an error, before anything is changed.
func (h Host) PlanInstall(s Spec, o InstallOptions) (Plan, error) {
	from := s.Binary
	p, err := h.Prepare(s)
	if err != nil {
		return p, err
	}
	s = p.Spec
	if err := h.otherScope(s); err != nil {
		return p, err
	}
	if !o.DryRun {
		if err := h.rights(s); err != nil {
			return p, err
		}
	}
	if err := h.planBinary(&p, from, o); err != nil {
		return p, err
	}
	h.planAccount(&p, o)
	if !o.DryRun {
		if err := h.usable(s); err != nil {
			return p, err
		}
	}
	if err := h.planFile(&p, o); err != nil {
		return p, err
	}
	h.planManager(&p, o)
	return p, nil
}

// otherScope refuses a second service of one name.
func (h Host) otherScope(s Spec) error {
	other := s.OtherFile()
	if !h.exists(other) {
		return nil
	}
	remove := "llmspell kernel uninstall-service --service-type " + string(s.Manager) + " --name " + s.Name
	if !s.System {
		remove = "sudo " + strings.Replace(remove, "-service ", "-service --system ", 1)
	}
	return fault.Errorf(fault.AlreadyExists, "a service %s exists in the other scope: %s", s.Name, other).
		WithHint("remove it with %q, or choose another --name", remove)
}

func (h Host) rights(s Spec) error {
	if s.System && h.UID != 0 {
		return fault.Errorf(fault.InvalidState, "Permission denied: %s (run with sudo)", path.Dir(s.File()))
	}
	return nil
}

func (h Host) planBinary(p *Plan, from string, o InstallOptions) error {
	if from == p.Spec.Binary {
		return nil
	}
	old, exists, err := h.read(p.Spec.Binary)
	if err != nil {
		return h.explain(p.Spec.Binary, err)
	}
	own, err := os.ReadFile(h.at(from))
	if err != nil && !o.DryRun {
		return h.explain(from, err)
	}
	p.Notes = append(p.Notes, fmt.Sprintf("the service runs %s: its account cannot use %s", p.Spec.Binary, from))
	switch {
	case exists && bytes.Equal([]byte(old), own):
		return nil
	case exists && !o.Force:
		return fault.Errorf(fault.AlreadyExists, "%s is a different file and stays", p.Spec.Binary).
			WithHint("the account of the service cannot run %s; install the program where it can, or replace that file with --force", from)
	}
	p.Steps = append(p.Steps,
		Step{Op: Mkdir, Path: path.Dir(p.Spec.Binary), Mode: 0o755},
		Step{Op: Copy, From: from, Path: p.Spec.Binary, Mode: 0o755})
	return nil
}

// planAccount makes the account of a systemd service where it is missing.
func (h Host) planAccount(p *Plan, o InstallOptions) {
	s := p.Spec
	if _, ok := h.Account(s.Account()); ok || !s.System || s.RunAs != "" || s.Manager != Systemd {
		return
	}
	useradd := []string{"useradd", "-r", "-U", "-s", "/bin/false", "-d", "/var/lib/llmspell", "llmspell"}
	step := Step{Op: Run, Argv: []string{"systemd-sysusers", "--inline", `u llmspell - "LLMSpell kernel" /var/lib/llmspell`}, Else: useradd}
	if !o.DryRun && !h.Has("systemd-sysusers") {
		step = Step{Op: Run, Argv: useradd}
	}
	p.Steps = append(p.Steps, step)
}

// usable checks that the account exists or will, and can reach what is named.
func (h Host) usable(s Spec) error {
	account, known := h.Account(s.Account())
	if !s.System {
		account, known = Account{UID: h.UID, GID: -1}, true
	} else if !known && (s.RunAs != "" || s.Manager == Launchd) {
		return fault.Errorf(fault.NotFound, "no account %s", s.Account()).WithHint("make it first, or name another with --run-as")
	}
	for _, file := range append([]string{s.Config}, s.Reads...) {
		if err := h.readable(s, account, known, file); err != nil {
			return err
		}
	}
	dirs := s.outside()
	if !s.System {
		dirs = nil
		for _, file := range []string{s.LogFile, s.PIDFile} {
			if file != "" {
				dirs = append(dirs, path.Dir(file))
			}
		}
	}
	for _, dir := range dirs { // the manager makes the others
		if !h.may(account, known, dir, 3) {
			return fault.Errorf(fault.InvalidState, "Permission denied: %s (%s; service account %s)", dir, h.describe(dir), s.accountName()).
				WithHint("sudo install -d -o %s %s", s.accountName(), dir)
		}
	}
	return nil
}

// readable checks that the account can read a file, "" for none.
func (h Host) readable(s Spec, account Account, known bool, file string) error {
	if file == "" {
		return nil
	}
	if s.System && s.Manager == Systemd && (within(file, "/home") || within(file, "/root") || within(file, "/tmp")) {
		return fault.Errorf(fault.InvalidState, "Permission denied: %s (the service's sandbox hides home directories and /tmp)", file).
			WithHint("move it to /etc/llmspell")
	}
	if !h.may(account, known, file, 4) {
		return fault.Errorf(fault.InvalidState, "Permission denied: %s (%s; service account %s)", file, h.describe(file), s.accountName()).
			WithHint("sudo chown %s: %s", s.accountName(), file)
	}
	return nil
}

func (s Spec) accountName() string {
	if s.System {
		return s.Account()
	}
	return "$USER"
}

// planFile writes the service file unless that would lose somebody's work.
func (h Host) planFile(p *Plan, o InstallOptions) error {
	file := p.Spec.File()
	old, exists, err := h.read(file)
	if err != nil {
		return h.explain(file, err)
	}
	write := Step{Op: Write, Path: file, Text: p.Text, Mode: 0o644}
	switch {
	case !exists:
		p.Steps = append(p.Steps, Step{Op: Mkdir, Path: path.Dir(file), Mode: 0o755}, write)
	case old == p.Text:
		p.Notes = append(p.Notes, file+" is up to date")
	case Generated(old):
		p.Steps = append(p.Steps, write)
		p.Notes = append(p.Notes, "a running service keeps its old settings; restart to apply")
	case !o.Force:
		what := "is not ours"
		if marked(old) {
			what = "was edited"
		}
		e := fault.Errorf(fault.Conflict, "%s %s and stays as it is", file, what).
			WithHint("put changes in %s.d/*.conf; --force writes the new file and keeps this one as .bak", file)
		return &EditedError{Fault: e, Diff: diff(file, "new", old, p.Text)}
	default:
		p.Steps = append(p.Steps, Step{Op: Keep, Path: file, To: h.backup(file)}, write)
	}
	if p.Spec.Manager == Launchd {
		h.planLaunchdDirs(p)
	}
	return nil
}

func (h Host) backup(file string) string {
	return file + ".bak-" + h.Now.UTC().Format("20060102T150405Z")
}

// planLaunchdDirs makes what launchd does not make itself.
func (h Host) planLaunchdDirs(p *Plan) {
	d := p.Spec.Dirs()
	if !p.Spec.System {
		p.Steps = append(p.Steps, Step{Op: Mkdir, Path: d.Logs, Mode: 0o700})
		return
	}
	owner := p.Spec.Account()
	p.Steps = append(p.Steps,
		Step{Op: Mkdir, Path: d.State, Mode: 0o700, Owner: owner},
		Step{Op: Mkdir, Path: d.Runtime, Mode: 0o755, Owner: owner},
		Step{Op: Mkdir, Path: d.Logs, Mode: 0o750, Owner: owner})
}

func (h Host) planManager(p *Plan, o InstallOptions) {
	s := p.Spec
	run := func(words ...string) {
		p.Steps = append(p.Steps, Step{Op: Run, Argv: s.ManagerCommand(words...)})
	}
	if s.Manager == Systemd {
		run("daemon-reload")
		if o.Enable {
			run("enable", s.Name+".service")
		}
		if o.Start {
			run("start", s.Name+".service")
		}
		return
	}
	domain := h.domain(s)
	if o.Enable {
		run("enable", domain+"/"+s.Name)
	}
	if o.Start {
		p.Steps = append(p.Steps,
			Step{Op: Run, Argv: s.ManagerCommand("bootstrap", domain, s.File()), Else: s.ManagerCommand("load", s.File())},
			Step{Op: Run, Argv: s.ManagerCommand("kickstart", domain+"/"+s.Name), Else: s.ManagerCommand("start", s.Name)})
	}
}

// domain is where launchd keeps the job.
func (h Host) domain(s Spec) string {
	if s.System {
		return "system"
	}
	return fmt.Sprintf("gui/%d", h.UID)
}
