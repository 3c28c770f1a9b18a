// Package buildinfo tells which build of llmspell runs.
package buildinfo

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the released version of this source tree.
const Version = "0.1.0"

// Info describes the running build.
type Info struct {
	Version  string   `json:"version"`
	Commit   string   `json:"commit"`
	Date     string   `json:"date"`
	Modified bool     `json:"modified"`
	Go       string   `json:"go"`
	OS       string   `json:"os"`
	Arch     string   `json:"arch"`
	Features []string `json:"features"`
}

// Read returns the build's description from what the Go tool recorded. Commit
// and Date are "unknown" in a build without version control information.
func Read() Info {
	i := Info{
		Version: Version, Commit: "unknown", Date: "unknown",
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Features: []string{"lua5.4", "http", "sse", "sqlite", "openai", "anthropic"},
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return i
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			i.Commit = s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			i.Date = s.Value
		case "vcs.modified":
			i.Modified = s.Value == "true"
		}
	}
	return i
}

// String is the version line: llmspell X.Y.Z (commit[-modified] date).
func (i Info) String() string {
	commit := i.Commit
	if i.Modified {
		commit += "-modified"
	}
	return fmt.Sprintf("llmspell %s (%s %s)", i.Version, commit, i.Date)
}
