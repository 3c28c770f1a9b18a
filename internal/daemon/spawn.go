// Package daemon turns a command into a well-behaved background process: it
// detaches by re-executing the program in a session of its own, reports
// readiness or the child's own error to the waiting parent, and maps Unix
// signals to actions. It is the only package that installs signal handlers.
package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// readyVar tells the child the descriptor of its end of the readiness pipe. It
// is no LLMSPELL_ name: those belong to the configuration.
const readyVar = "_LLMSPELL_READY_FD"

// readyMark begins the line by which a child says that it is ready.
const readyMark = "ready "

// SpawnParams describe the background process.
type SpawnParams struct {
	Executable string
	Args       []string // without the program name
	Env        []string
	Dir        string   // working directory of the child, "" = this one
	Output     *os.File // the child's stdout and stderr
}

// Spawn starts the process in a new session without controlling terminal and
// waits until it reports ready, then returns its pid and message. If it reports
// an error or dies first, that is the error, verbatim. A TERM or INT to this
// process meanwhile is passed on.
func Spawn(ctx context.Context, p SpawnParams) (pid int, message string, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, "", err
	}
	defer r.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		w.Close()
		return 0, "", err
	}
	defer null.Close()

	cmd := exec.Command(p.Executable, p.Args...)
	cmd.Env = append(p.Env, readyVar+"=3")
	cmd.Dir = p.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = null, p.Output, p.Output
	cmd.ExtraFiles = []*os.File{w} // descriptor 3
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return 0, "", err
	}
	stop := forward(ctx, cmd.Process)
	defer stop()

	pipe := bufio.NewReader(io.LimitReader(r, 64<<10))
	report, err := pipe.ReadString('\n')
	if msg, ok := strings.CutPrefix(report, readyMark); ok && err == nil {
		pid := cmd.Process.Pid
		return pid, strings.TrimSuffix(msg, "\n"), cmd.Process.Release()
	}
	rest, _ := io.ReadAll(pipe)
	cmd.Process.Signal(syscall.SIGTERM) // it will not be ready any more
	werr := cmd.Wait()
	if text := strings.TrimSpace(report + string(rest)); text != "" {
		return 0, "", errors.New(text)
	}
	if werr == nil {
		werr = errors.New("it exited before it was ready")
	}
	return 0, "", fmt.Errorf("the background process ended: %w", werr)
}

// forward passes TERM and INT, and the end of ctx, on to the child.
func forward(ctx context.Context, child *os.Process) (stop func()) {
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, syscall.SIGTERM, syscall.SIGINT)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-ch:
				child.Signal(s)
			case <-ctx.Done():
				child.Signal(syscall.SIGTERM)
				return
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(ch); close(done) }
}

// Readiness is the child's end of the pipe. The zero value, of a process that
// nobody waits for, does nothing.
type Readiness struct{ pipe *os.File }

// InheritReadiness returns the pipe that the environment names and whether
// there is one. Call it once: the pipe closes with the value it returns.
func InheritReadiness(getenv func(string) string) (r *Readiness, ok bool) {
	fd, err := strconv.Atoi(getenv(readyVar))
	if err != nil || fd < 3 {
		return &Readiness{}, false
	}
	syscall.CloseOnExec(fd)
	return &Readiness{os.NewFile(uintptr(fd), "readiness")}, true
}

// Ready tells the parent that it may leave.
func (r *Readiness) Ready(message string) {
	if r.pipe != nil {
		fmt.Fprintf(r.pipe, "%s%s\n", readyMark, strings.ReplaceAll(message, "\n", " "))
		r.pipe.Close()
		r.pipe = nil
	}
}

// Fail gives the parent the error text and whether anybody reads it.
func (r *Readiness) Fail(text string) bool {
	if r.pipe == nil {
		return false
	}
	io.WriteString(r.pipe, text)
	r.pipe.Close()
	r.pipe = nil
	return true
}

// SetUmask sets the file mode creation mask of the process.
func SetUmask(mask int) { syscall.Umask(mask) }
