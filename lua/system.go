package lua

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"time"
)

// System is a state's access to the world. A nil member makes the functions
// that need it raise "not available". A System may be shared by states if its
// members are safe for concurrent use.
//
// The members that take a Call are bodies of Go functions: they push the
// results of the Lua function they serve and return c.Return(), raise an error,
// or return c.Suspend(token), in which case the values given to State.Resume
// take the place of the pushed results.
type System struct {
	// Stdin, Stdout and Stderr are the standard files. print and io.write send
	// each of their arguments to Stdout.Write in program order; the host buffers
	// if it wants to. They are never closed by the state.
	Stdin, Stdout, Stderr File

	// Open pushes c.NewFile(f), or nil, message and error number
	// (see Call.FileResult). mode has been checked: [rwa]%+?b?.
	Open     func(c *Call, path, mode string) Status
	Remove   func(c *Call, path string) Status     // pushes true, or nil, message, number
	Rename   func(c *Call, from, to string) Status // pushes true, or nil, message, number
	TempName func(c *Call) Status                  // pushes a name
	TempFile func(c *Call) Status                  // as Open, with mode w+; the file is gone when closed
	Getenv   func(c *Call, name string) Status     // pushes a string or nil

	// Now is the time; os.date shows local times in the Location of its result.
	Now func() time.Time
	// CPU is the time os.clock shows.
	CPU func() time.Duration
	// Seed gives the seed for math.randomseed() without arguments.
	Seed func() uint64

	// Execute pushes the results of os.execute(command): true or nil, "exit" or
	// "signal", code. It may be nil: os.execute() is then false.
	Execute func(c *Call, command string) Status
	// Popen pushes c.NewProcessFile(f). mode is r or w.
	Popen func(c *Call, command, mode string) Status

	// LoadModule finds a module for require and pushes its source and file name,
	// or nil and a message that tells the places tried ("no file './x.lua'", one
	// a line after a tab). path is package.path; a loader may use its own places
	// instead.
	LoadModule func(c *Call, name, path string) Status
	// ReadSource reads a file for dofile and loadfile and pushes its source and
	// chunk name ("@" + path), or nil and a message.
	ReadSource func(c *Call, path string) Status
}

// File is an open file of a System. Read and Write follow io.Reader and
// io.Writer; an operation the file was not opened for returns an error.
type File interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Seek(offset int64, whence int) (int64, error)
	Close() error
}

// InputFile is a File whose input may have to be waited for. Fill takes the
// place of Read: it pushes the next bytes as a string, or nil at the end of
// the input, or suspends and is resumed with one of them.
type InputFile interface {
	Fill(c *Call) Status
}

// FlushFile is a File with a buffer of its own. mode "no", "full" or "line" of
// SetBuffer is that of setvbuf; size is 0 when not given.
type FlushFile interface {
	Flush() error
	SetBuffer(mode string, size int) error
}

// ExitStatus is what Close of a process's file returns when the process did not
// end with code 0. Other errors mean that its end is not known.
type ExitStatus struct {
	Signal bool // Code is the number of the signal that ended it
	Code   int
}

func (e *ExitStatus) Error() string {
	if e.Signal {
		return "process ended by a signal"
	}
	return "process failed"
}

// FileResult ends a Go function as the io functions do: with true, or after an
// error with nil, "name: message" and the system's error number. name may be
// empty.
func (c *Call) FileResult(err error, name string) Status {
	if err == nil {
		return c.Return1(Boolean(true))
	}
	msg, number := errorText(err)
	if name != "" {
		msg = name + ": " + msg
	}
	c.Push(Nil)
	c.Push(c.NewString(msg))
	return c.Return1(Integer(int64(number)))
}

// errorText returns the message C's strerror gives and the error number, 0 for
// errors that have none.
func errorText(err error) (string, int) {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return capitalize(e.Error()), int(e)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory", int(syscall.ENOENT)
	case errors.Is(err, fs.ErrExist):
		return "File exists", int(syscall.EEXIST)
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied", int(syscall.EACCES)
	case errors.Is(err, fs.ErrClosed):
		return "Bad file descriptor", int(syscall.EBADF)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err.Error(), 0
}

func capitalize(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// system returns the state's System, never nil.
func (c *Call) system() *System {
	if sys := c.state.systemOption(); sys != nil {
		return sys
	}
	return &noSystem
}

// noSystem gives a state without System nothing.
var noSystem System

// notAvailable raises the error of a function whose System member is missing.
func (c *Call) notAvailable(name string) Status {
	return c.Errorf("'%s' is not available", name)
}
