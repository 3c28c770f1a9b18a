package daemon

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
	"syscall"
)

// Actions are what the signals of a kernel do (kernel contract 2.6). They run
// one after the other, except that Stop may take long and runs beside the rest.
type Actions struct {
	Stop   func(sig syscall.Signal) // first TERM or INT (or hang-up): graceful shutdown
	Exit   func(code int)           // second one: at once; also after QUIT
	Reload func()                   // HUP
	Stats  func()                   // USR1: statistics, reopen logs
	Debug  func()                   // USR2: toggle debug level
	Dump   io.Writer                // QUIT: goroutine dump

	// HangupStops makes HUP a Stop: a foreground kernel on a terminal.
	HangupStops bool
}

// Handle installs the handlers until the returned function is called. PIPE is
// ignored.
func Handle(a Actions) (stop func()) {
	ch := make(chan os.Signal, 16)
	signal.Notify(ch, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGQUIT)
	signal.Ignore(syscall.SIGPIPE)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { a.loop(ch, done) })
	return func() {
		signal.Stop(ch)
		close(done)
		wg.Wait()
	}
}

func (a Actions) loop(ch <-chan os.Signal, done <-chan struct{}) {
	stopping := false
	for {
		var sig syscall.Signal
		select {
		case <-done:
			return
		case s := <-ch:
			sig = s.(syscall.Signal)
		}
		switch sig {
		case syscall.SIGHUP:
			if !a.HangupStops {
				a.Reload()
				continue
			}
		case syscall.SIGUSR1:
			a.Stats()
			continue
		case syscall.SIGUSR2:
			a.Debug()
			continue
		case syscall.SIGQUIT:
			pprof.Lookup("goroutine").WriteTo(a.Dump, 2)
			a.Exit(128 + int(sig))
			continue
		}
		if stopping {
			a.Exit(128 + int(sig))
			continue
		}
		stopping = true
		go a.Stop(sig)
	}
}

// IgnoreBrokenPipe makes a write to a closed pipe an error instead of the end
// of the process.
func IgnoreBrokenPipe() { signal.Ignore(syscall.SIGPIPE) }

// Stopped is the cause of a context that a signal ended.
type Stopped struct{ Signal syscall.Signal }

func (s *Stopped) Error() string { return "stopped by " + s.Signal.String() }

// ExitCode is what a shell expects of a process that the signal ended.
func (s *Stopped) ExitCode() int { return 128 + int(s.Signal) }

// WithStop returns a context that the first INT or TERM ends with cause
// *Stopped; a second one calls exit. stop restores the default handling.
func WithStop(ctx context.Context, exit func(code int)) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for stopping := false; ; stopping = true {
			select {
			case <-done:
				return
			case s := <-ch:
				cause := &Stopped{s.(syscall.Signal)}
				if stopping {
					exit(cause.ExitCode())
				}
				cancel(cause)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		close(done)
		cancel(nil)
	}
}

// OnInterrupt calls fn for every INT until stop is called: a REPL ends the
// execution, not itself.
func OnInterrupt(fn func()) (stop func()) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGINT)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-ch:
				fn()
			}
		}
	}()
	return func() { signal.Stop(ch); close(done) }
}
