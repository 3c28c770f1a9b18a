package lua

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// NewOSSystem returns a System with the full rights of the process, for tests
// and for programs that run trusted scripts. Its standard files are those of
// the process; CPU is the time since the call.
func NewOSSystem() *System {
	start := time.Now()
	return &System{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Open: osOpen,
		Remove: func(c *Call, path string) Status {
			return c.FileResult(os.Remove(path), path)
		},
		Rename: func(c *Call, from, to string) Status {
			return c.FileResult(os.Rename(from, to), "")
		},
		TempName: func(c *Call) Status {
			f, err := os.CreateTemp("", "lua_")
			if err != nil {
				return c.Errorf("unable to generate a unique filename")
			}
			name := f.Name()
			_ = f.Close() // nothing was written
			return c.Return1(c.NewString(name))
		},
		TempFile: osTempFile,
		Getenv: func(c *Call, name string) Status {
			if v, ok := os.LookupEnv(name); ok {
				return c.Return1(c.NewString(v))
			}
			return c.Return1(Nil)
		},
		Now:        time.Now,
		CPU:        func() time.Duration { return time.Since(start) },
		Seed:       rand.Uint64,
		Execute:    osSystemExecute,
		Popen:      osPopen,
		LoadModule: osLoadModule,
		ReadSource: osReadSource,
	}
}

func osOpen(c *Call, path, mode string) Status {
	flag := os.O_RDONLY
	switch plus := strings.Contains(mode, "+"); mode[0] {
	case 'r':
		if plus {
			flag = os.O_RDWR
		}
	case 'w':
		flag = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		if plus {
			flag = os.O_RDWR | os.O_CREATE | os.O_TRUNC
		}
	case 'a':
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
		if plus {
			flag = os.O_RDWR | os.O_CREATE | os.O_APPEND
		}
	}
	f, err := os.OpenFile(path, flag, 0o666)
	if err != nil {
		return c.FileResult(err, path)
	}
	return c.Return1(c.NewFile(f))
}

// tempFile is removed when it is closed.
type tempFile struct{ *os.File }

func (f tempFile) Close() error {
	return errors.Join(f.File.Close(), os.Remove(f.Name()))
}

func osTempFile(c *Call) Status {
	f, err := os.CreateTemp("", "lua_")
	if err != nil {
		return c.FileResult(err, "")
	}
	return c.Return1(c.NewFile(tempFile{f}))
}

// shell returns the command that runs a command line.
func shell(line string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.Command("cmd", "/c", line)
	}
	return exec.Command("/bin/sh", "-c", line)
}

// exitStatus turns the error of a command into how its process ended: nil is
// code 0. Other errors stay as they are.
func exitStatus(err error) (*ExitStatus, error) {
	e, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return nil, err
	}
	if ws, ok := e.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return &ExitStatus{Signal: true, Code: int(ws.Signal())}, nil
	}
	return &ExitStatus{Code: e.ExitCode()}, nil
}

func osSystemExecute(c *Call, command string) Status {
	cmd := shell(command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	status, err := exitStatus(cmd.Run())
	if err != nil {
		return c.FileResult(err, "")
	}
	return c.exitResult(status)
}

// process is the file of a process: one end of a pipe.
type process struct {
	cmd *exec.Cmd
	r   io.ReadCloser
	w   io.WriteCloser
}

func (p *process) Read(b []byte) (int, error) {
	if p.r == nil {
		return 0, syscall.EBADF
	}
	return p.r.Read(b)
}

func (p *process) Write(b []byte) (int, error) {
	if p.w == nil {
		return 0, syscall.EBADF
	}
	return p.w.Write(b)
}

func (p *process) Seek(int64, int) (int64, error) { return 0, syscall.ESPIPE }

func (p *process) Close() error {
	if p.w != nil {
		_ = p.w.Close() // the process ends at the end of its input
	} else {
		_ = p.r.Close()
	}
	status, err := exitStatus(p.cmd.Wait())
	if status != nil {
		return status
	}
	return err
}

func osPopen(c *Call, command, mode string) Status {
	p := &process{cmd: shell(command)}
	p.cmd.Stderr = os.Stderr
	var err error
	if mode == "r" {
		p.cmd.Stdin = os.Stdin
		p.r, err = p.cmd.StdoutPipe()
	} else {
		p.cmd.Stdout = os.Stdout
		p.w, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return c.FileResult(err, command)
	}
	return c.Return1(c.NewProcessFile(p))
}

func readSource(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err == nil && len(b) > maxSource {
		err = errors.New("source is longer than 10 MiB")
	}
	return string(b), err
}

func osReadSource(c *Call, path string) Status {
	source, err := readSource(path)
	if err != nil {
		msg, _ := errorText(err)
		c.Push(Nil)
		return c.Return1(c.NewString("cannot open " + path + ": " + msg))
	}
	c.Push(c.NewString(source))
	return c.Return1(c.NewString("@" + path))
}

func osLoadModule(c *Call, name, path string) Status {
	var tried []string
	name = strings.ReplaceAll(name, ".", string(os.PathSeparator))
	for _, pattern := range strings.Split(path, ";") {
		file := strings.ReplaceAll(pattern, "?", name)
		source, err := readSource(file)
		if err == nil {
			c.Push(c.NewString(source))
			return c.Return1(c.NewString(file))
		}
		tried = append(tried, "no file '"+file+"'")
	}
	c.Push(Nil)
	return c.Return1(c.NewString(strings.Join(tried, "\n\t")))
}
