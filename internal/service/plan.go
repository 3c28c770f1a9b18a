package service

import (
	"fmt"
	"io/fs"
	"strings"
)

// Op is what a step does.
type Op string

// The operations of a plan.
const (
	Mkdir  Op = "mkdir"  // Path with Mode, for Owner; there already is fine
	Copy   Op = "copy"   // From to Path, atomically
	Write  Op = "write"  // Text to Path, atomically
	Keep   Op = "keep"   // rename Path to To
	Remove Op = "remove" // Path and everything below
	Run    Op = "run"    // Argv; if that fails, Else
)

// Step is one change of the machine.
type Step struct {
	Op             Op
	Path, From, To string
	Text           string
	Mode           fs.FileMode
	Owner          string
	Argv, Else     []string
}

// String is the step as --dry-run shows it.
func (s Step) String() string {
	switch s.Op {
	case Mkdir:
		owner := ""
		if s.Owner != "" {
			owner = " for " + s.Owner
		}
		return fmt.Sprintf("mkdir %s (%04o%s)", s.Path, s.Mode, owner)
	case Copy:
		return fmt.Sprintf("copy %s to %s (%04o)", s.From, s.Path, s.Mode)
	case Write:
		return fmt.Sprintf("write %s (%04o)", s.Path, s.Mode)
	case Keep:
		return fmt.Sprintf("rename %s to %s", s.Path, s.To)
	case Remove:
		return "remove " + s.Path
	}
	line := "run " + strings.Join(s.Argv, " ")
	if s.Else != nil {
		line += " (else " + strings.Join(s.Else, " ") + ")"
	}
	return line
}

// Plan is what an installation or its removal does, in order.
type Plan struct {
	Spec  Spec // as completed: with the recorded binary
	Text  string
	Steps []Step
	Notes []string // for the person, after success
}

// ManagerCommand is a command of the service's manager in its scope.
func (s Spec) ManagerCommand(words ...string) []string {
	if s.Manager == Launchd {
		return append([]string{"launchctl"}, words...)
	}
	if !s.System {
		words = append([]string{"--user"}, words...)
	}
	return append([]string{"systemctl"}, words...)
}
