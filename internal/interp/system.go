package interp

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/tool"
)

// SystemParams are what io, os and require may reach.
type SystemParams struct {
	Files   tool.Files // nil: policy denies files
	TempDir string     // inside the roots of Files, for os.tmpname; "": policy denies it

	Getenv     func(name string) (string, bool) // nil: there are no variables
	AllowedEnv []string                         // exact names, or with a trailing *

	SearchPaths []string       // folders of require, after the script's own
	Location    *time.Location // of os.date; nil: UTC
}

// system is the interpreter's access to the world: everything passes the gate.
func (i *Interp) system() lua.System {
	return lua.System{
		Stdin: &input{stream{i: i}}, Stdout: &stream{i: i}, Stderr: &stream{i: i, err: true},
		Open: i.open, Remove: i.remove, Rename: i.rename, TempName: i.tempName, TempFile: i.tempFile,
		Getenv: i.getenv, Now: i.now, CPU: i.active, Seed: i.seed,
		Execute: i.noProcess1, Popen: i.noProcess2,
		LoadModule: i.loadModule, ReadSource: i.readSource,
	}
}

// now reads the run clock for the script.
func (i *Interp) now() time.Time {
	t := time.Now()
	if i.run != nil {
		t = i.run.r.Run.Clock()
	}
	if i.p.System.Location != nil {
		return t.In(i.p.System.Location)
	}
	return t.UTC()
}

// active is the time of the run that os.clock shows.
func (i *Interp) active() time.Duration {
	if i.run == nil || i.run.r.Run.StartedAt.IsZero() {
		return 0
	}
	return max(0, i.run.r.Run.Clock().Sub(i.run.r.Run.StartedAt))
}

// seed draws from the run's random source.
func (i *Interp) seed() uint64 {
	var b [8]byte
	if i.run != nil && i.run.r.Run.Rand != nil {
		i.run.r.Run.Rand(b[:])
	} else if _, err := rand.Read(b[:]); err != nil {
		return i.p.Seed
	}
	return binary.LittleEndian.Uint64(b[:])
}

// variable is the recorded answer to getenv.
type variable struct {
	Value string `json:"value"`
	Set   bool   `json:"set"`
}

func (i *Interp) getenv(c *lua.Call, name string) lua.Status {
	if i.p.System.Getenv == nil || !allowedEnv(name, i.p.System.AllowedEnv) {
		return c.Return1(lua.Nil)
	}
	v, err := effect(i, gate.Call{Kind: gate.Env, Op: "get", Target: name, Effect: gate.Read},
		func(context.Context) (variable, error) {
			value, ok := i.p.System.Getenv(name)
			return variable{value, ok}, nil
		})
	switch {
	case err != nil:
		return bind.Raise(c, err)
	case !v.Set:
		return c.Return1(lua.Nil)
	}
	return c.Return1(c.NewString(v.Value))
}

// secretWords are parts of names that need an exact entry.
var secretWords = []string{"KEY", "TOKEN", "SECRET", "PASSWORD"}

// allowedEnv reports whether a variable may be read.
func allowedEnv(name string, allowed []string) bool {
	secret := false
	for _, word := range secretWords {
		secret = secret || strings.Contains(strings.ToUpper(name), word)
	}
	for _, pattern := range allowed {
		prefix, wild := strings.CutSuffix(pattern, "*")
		if pattern == name || wild && !secret && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (i *Interp) noProcess1(c *lua.Call, _ string) lua.Status    { return noProcess(c, "os.execute") }
func (i *Interp) noProcess2(c *lua.Call, _, _ string) lua.Status { return noProcess(c, "io.popen") }

func noProcess(c *lua.Call, name string) lua.Status {
	e := fault.Errorf(fault.PolicyDenied, "%s: starting processes is not allowed", name)
	return bind.Raise(c, e.WithHint("[runtime.security] allow_process_spawn and [tools.system] allow_process_execution"))
}

// input is io.stdin: what the client of the execution types or sends.
type input struct{ stream }

var _ lua.InputFile = (*input)(nil)

// maxInput is how much one read of the input asks for.
const maxInput = 4096

// Fill waits for the next bytes of the input.
func (in *input) Fill(c *lua.Call) lua.Status {
	if in.i.run == nil || in.i.run.r.Stdin == nil {
		return c.Return1(lua.Nil)
	}
	stdin := in.i.run.r.Stdin
	return bind.Block(c, "io.read", func(ctx context.Context) ([]any, error) {
		text, err := gate.Do(ctx, gate.Call{Kind: gate.Input, Op: "read", Effect: gate.Once},
			func(context.Context) (any, error) {
				p := make([]byte, maxInput)
				n, err := stdin.Read(p)
				if n > 0 || err == nil {
					return string(p[:n]), nil
				}
				if errors.Is(err, io.EOF) {
					return nil, nil
				}
				return nil, err
			})
		return []any{text}, err
	})
}

func (in *input) Write([]byte) (int, error) { return 0, os.ErrPermission }

// source is the recorded answer to a search for a module.
type source struct {
	Text  string   `json:"text"`
	File  string   `json:"file"`
	Tried []string `json:"tried,omitempty"`
}

// maxSource bounds a module's text.
const maxSource = 10 << 20

// loadModule finds a module for require: in the script's folder, then in the
// configured ones. Absolute patterns that the script added to package.path are
// looked up under the file policy.
func (i *Interp) loadModule(c *lua.Call, name, path string) lua.Status {
	s, err := effect(i, gate.Call{Kind: gate.File, Op: "require", Target: name, Args: path, Effect: gate.Read},
		func(context.Context) (source, error) { return i.findModule(name, path) })
	if err != nil {
		return bind.Raise(c, err)
	}
	if s.File == "" {
		var msg strings.Builder
		for n, tried := range s.Tried {
			if n > 0 {
				msg.WriteString("\n\t")
			}
			fmt.Fprintf(&msg, "no file '%s'", tried)
		}
		c.Push(lua.Nil)
		return c.Return1(c.NewString(msg.String()))
	}
	c.Push(c.NewString(s.Text))
	return c.Return1(c.NewString(s.File))
}

func (i *Interp) findModule(name, path string) (source, error) {
	var s source
	file := filepath.FromSlash(strings.ReplaceAll(name, ".", "/"))
	for pattern := range strings.SplitSeq(path, ";") {
		candidate := strings.ReplaceAll(pattern, "?", file)
		if filepath.IsAbs(candidate) {
			s.Tried = append(s.Tried, candidate)
			if i.p.System.Files == nil {
				continue
			}
			if text, err := i.p.System.Files.ReadFile(candidate); err == nil {
				return source{Text: string(text), File: candidate}, nil
			}
			continue
		}
		for _, folder := range i.folders() {
			s.Tried = append(s.Tried, filepath.Join(folder, candidate))
			text, err := readInside(folder, candidate)
			if err == nil {
				return source{Text: text, File: filepath.Join(folder, candidate)}, nil
			}
			if !errors.Is(err, os.ErrNotExist) {
				return s, fault.Errorf(fault.InvalidArgument, "require: %s: %w", filepath.Join(folder, candidate), err)
			}
		}
	}
	return s, nil
}

// folders are the places of modules.
func (i *Interp) folders() []string {
	var out []string
	if i.run != nil && i.run.r.ScriptPath != "" {
		out = append(out, filepath.Dir(i.run.r.ScriptPath))
	}
	return append(out, i.p.System.SearchPaths...)
}

// readInside reads a file that must not leave its folder.
func readInside(folder, name string) (string, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", err
	}
	defer root.Close()
	f, err := root.Open(filepath.Clean(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", errors.Join(err, os.ErrNotExist)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if len(text) > maxSource {
		return "", fmt.Errorf("larger than %d MiB", maxSource>>20)
	}
	return string(text), err
}
