package service

import (
	"os"
	"path"
	"strings"
)

// PlanUninstall says how to remove a service. A service that is not there
// needs nothing. Drop-ins, the environment file and the account stay; purge
// adds the default directories, except those that other services share.
func (h Host) PlanUninstall(s Spec, purge, dryRun bool) (Plan, error) {
	s, err := s.Complete()
	p := Plan{Spec: s}
	if err != nil {
		return p, err
	}
	if !dryRun {
		if err := h.rights(s); err != nil {
			return p, err
		}
	}
	file := s.File()
	old, exists, err := h.read(file)
	if err != nil {
		return p, h.explain(file, err)
	}
	if exists {
		h.planRemoval(&p, file, old)
	} else {
		p.Notes = append(p.Notes, "not installed: "+file)
	}
	if purge {
		h.planPurge(&p)
	}
	return p, nil
}

func (h Host) planRemoval(p *Plan, file, old string) {
	s := p.Spec
	run := func(words ...string) {
		p.Steps = append(p.Steps, Step{Op: Run, Argv: s.ManagerCommand(words...)})
	}
	if s.Manager == Systemd {
		run("stop", s.Name+".service")
		run("disable", s.Name+".service")
	} else {
		p.Steps = append(p.Steps, Step{Op: Run, Argv: s.ManagerCommand("bootout", h.domain(s)+"/"+s.Name), Else: s.ManagerCommand("unload", file)})
	}
	if Generated(old) {
		p.Steps = append(p.Steps, Step{Op: Remove, Path: file})
	} else {
		p.Steps = append(p.Steps, Step{Op: Keep, Path: file, To: h.backup(file)})
		p.Notes = append(p.Notes, "the edited file is kept as "+h.backup(file))
	}
	if s.Manager == Systemd {
		run("daemon-reload")
	}
}

func (h Host) planPurge(p *Plan) {
	d := p.Spec.Dirs()
	shared := []string{d.Logs, d.Runtime, d.Config}
	dirs := []string{d.State}
	if p.Spec.Manager == Launchd || !p.Spec.System { // there the state is shared too
		shared, dirs = append(shared, d.State), nil
	}
	if h.others(p.Spec) {
		p.Notes = append(p.Notes, "other llmspell services share "+strings.Join(nonEmpty(shared), ", ")+"; these stay")
	} else {
		dirs = append(dirs, shared...)
	}
	for _, dir := range nonEmpty(dirs) {
		if h.exists(dir) {
			p.Steps = append(p.Steps, Step{Op: Remove, Path: dir})
		}
	}
}

func nonEmpty(all []string) []string {
	var out []string
	for _, s := range all {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// others reports whether another service of ours is installed in this scope.
func (h Host) others(s Spec) bool {
	dir := path.Dir(s.File())
	entries, err := os.ReadDir(h.at(dir))
	if err != nil {
		return false
	}
	for _, e := range entries {
		name := e.Name()
		if name == path.Base(s.File()) || !strings.HasSuffix(name, path.Ext(s.File())) {
			continue
		}
		if text, ok, _ := h.read(path.Join(dir, name)); ok && marked(text) {
			return true
		}
	}
	return false
}
