package lua

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// luaFile is the data of a file userdata: a File of the system with a read and
// a write buffer. Standard files have no write buffer, so that print, io.write
// and the host's own output stay in order.
type luaFile struct {
	f        File // nil: the state has no such standard file
	standard bool
	stream   uint8 // of a standard file: 1 stdin, 2 stdout, 3 stderr
	closed   bool
	lost     bool   // closed because a restore could not bring it back
	path     string // where the snapshot found it, if lost
	base     []byte // read buffer
	in       []byte // the part of base read and not consumed yet
	eof      bool   // the last read met the end of the file
	inCost   int    // bytes charged for base
	process  bool   // made by popen
	out      []byte // written and not passed on yet
	outMode  bufferMode
	outSize  int
	written  bool // a first write went through: the file can be written
	dirty    bool // listed in libState.dirty
}

type bufferMode uint8

const (
	bufferFull bufferMode = iota
	bufferLine
	bufferNone
)

const (
	defaultBuffer = 4096
	// readChunk bounds what one read takes from a file, and so what is left in
	// the buffer, which no walk counts, when a format has what it wants.
	readChunk = 4 * defaultBuffer
)

var errNoFile = errors.New("not available")

// NewFile returns f as a Lua file (a FILE* userdata), as the result of a call
// or as a value to resume a suspended one with.
func (s *State) NewFile(f File) Value { return s.NewUserdata(fileType, newLuaFile(f, false)) }

// NewProcessFile returns the file of a process, for System.Popen: closing it
// tells how the process ended.
func (s *State) NewProcessFile(f File) Value {
	return s.NewUserdata(fileType, newLuaFile(f, true))
}

// NewFile is State.NewFile under the limits of scripts.
func (c *Call) NewFile(f File) Value { return c.NewUserdata(fileType, newLuaFile(f, false)) }

// NewProcessFile is State.NewProcessFile under the limits of scripts.
func (c *Call) NewProcessFile(f File) Value { return c.NewUserdata(fileType, newLuaFile(f, true)) }

func newLuaFile(f File, process bool) *luaFile {
	return &luaFile{f: f, outSize: defaultBuffer, process: process}
}

func (s *State) newStandardFile(f File, stream uint8) Value {
	return s.NewUserdata(fileType, &luaFile{f: f, standard: true, stream: stream, outMode: bufferNone})
}

// fill reads more input behind what is buffered. A file that has to wait for
// its input is filled by readFormats instead.
func (f *luaFile) fill(c *Call) error {
	if len(f.in) == cap(f.in) {
		size := max(defaultBuffer, 2*len(f.in))
		if !c.Charge(max(size-f.inCost, 0)) {
			c.refuse()
			f.base, f.in, f.inCost = nil, nil, 0
			return errNoFile
		}
		f.inCost = size
		f.base = append(make([]byte, 0, size), f.in...)
		f.in = f.base
	}
	n, err := f.f.Read(f.in[len(f.in):min(cap(f.in), len(f.in)+readChunk)])
	f.in = f.in[:len(f.in)+n]
	if errors.Is(err, io.EOF) {
		f.eof, err = true, nil
	}
	return err
}

// append adds input that came through an InputFile.
func (f *luaFile) append(c *Call, s string) bool {
	if !c.Charge(len(s)) {
		return false
	}
	f.in = append(f.in, s...)
	f.base = f.in
	return true
}

// consume drops n bytes of the read buffer, and a big buffer of which little is
// left.
func (f *luaFile) consume(n int) {
	f.in = f.in[n:]
	switch big := cap(f.base) > readChunk; {
	case big && len(f.in) <= readChunk:
		f.base = append(make([]byte, 0, max(defaultBuffer, len(f.in))), f.in...)
		f.in, f.inCost = f.base, cap(f.base)
	case len(f.in) == 0:
		f.in = f.base[:0]
	}
}

// write adds s to the output.
func (f *luaFile) write(s *State, text string) error {
	if len(f.in) > 0 {
		if _, err := f.f.Seek(-int64(len(f.in)), io.SeekCurrent); err != nil {
			return err
		}
		f.consume(len(f.in))
	}
	f.eof = false
	if f.outMode == bufferNone || !f.written || len(text) >= f.outSize && len(f.out) == 0 {
		_, err := io.WriteString(f.f, text)
		f.written = err == nil
		return err
	}
	f.out = append(f.out, text...)
	if len(f.out) >= f.outSize || f.outMode == bufferLine && bytes.IndexByte(f.out, '\n') >= 0 {
		return f.flushOut()
	}
	if !f.dirty {
		f.dirty = true
		s.lib.dirty = append(s.lib.dirty, f)
	}
	return nil
}

// flushOut writes the write buffer to the File.
func (f *luaFile) flushOut() error {
	if len(f.out) == 0 {
		return nil
	}
	_, err := f.f.Write(f.out)
	f.out = f.out[:0]
	return err
}

// flush also empties the buffer the File may have itself.
func (f *luaFile) flush() error {
	err := f.flushOut()
	if inner, ok := f.f.(FlushFile); ok {
		err = errors.Join(err, inner.Flush())
	}
	return err
}

func (f *luaFile) close() error {
	f.closed = true
	err := f.flushOut()
	closing := f.f.Close()
	f.base, f.in, f.out = nil, nil, nil
	if err == nil {
		err = closing
	}
	return err
}

// flushFiles writes out what scripts wrote to files they did not close. The
// state calls it when a run ends.
func (s *State) flushFiles() {
	for i, f := range s.lib.dirty {
		f.dirty = false
		if !f.closed {
			_ = f.flushOut() // nobody is left to be told
		}
		s.lib.dirty[i] = nil
	}
	s.lib.dirty = s.lib.dirty[:0]
}

// fileType is the type of file userdata.
var fileType = &UserType{
	Name: "FILE*",
	Meta: []*Function{
		NewFunction("FILE*.__close", fileFinalize),
		NewFunction("FILE*.__gc", fileFinalize),
		NewFunction("FILE*.__tostring", fileToString),
	},
	Methods: map[string]*Function{
		"close":   NewFunction("FILE*.close", fileClose),
		"flush":   NewFunction("FILE*.flush", fileFlush),
		"lines":   NewFunction("FILE*.lines", fileLines),
		"read":    NewFunction("FILE*.read", fileRead),
		"seek":    NewFunction("FILE*.seek", fileSeek),
		"setvbuf": NewFunction("FILE*.setvbuf", fileSetVBuf),
		"write":   NewFunction("FILE*.write", fileWrite),
	},
	Charge: 256,
}

// fileData returns the file of v.
func fileData(v Value) (*luaFile, bool) {
	u, ok := v.AsUserdata()
	if !ok {
		return nil, false
	}
	f, ok := u.Data().(*luaFile)
	return f, ok
}

// checkFile accepts an open file as argument i.
func (c *Call) checkFile(i int) (*luaFile, bool) {
	f, ok := fileData(c.Arg(i))
	if !ok {
		c.TypeError(i, "FILE*")
		return nil, false
	}
	if f.closed && !f.lost {
		c.Errorf("attempt to use a closed file")
		return nil, false
	}
	return f, c.usable(f)
}

// usable refuses the standard files a state does not have and files that were
// not restored.
func (c *Call) usable(f *luaFile) bool {
	if f.lost {
		c.state.err = c.state.refusal(RefusalRestore, "the file was not restored", true)
		return false
	}
	if f.f == nil {
		c.notAvailable("standard file")
		return false
	}
	return true
}

func fileToString(c *Call) Status {
	f, ok := fileData(c.Arg(0))
	if !ok {
		return c.TypeError(0, "FILE*")
	}
	if f.closed {
		return c.Return1(c.NewString("file (closed)"))
	}
	id, _ := objectID(c.Arg(0))
	return c.Return1(c.NewString(fmt.Sprintf("file (0x%08x)", id)))
}

// fileFinalize closes a file that is collected or goes out of scope.
func fileFinalize(c *Call) Status {
	f, ok := fileData(c.Arg(0))
	if !ok {
		return c.TypeError(0, "FILE*")
	}
	if !f.closed && !f.standard {
		_ = f.close() // as in C Lua the result is lost
	}
	return c.Return()
}

func fileClose(c *Call) Status {
	f, ok := c.checkFile(0)
	if !ok {
		return c.Failed()
	}
	return closeFile(c, f)
}

func closeFile(c *Call, f *luaFile) Status {
	if f.standard {
		c.Push(Nil)
		return c.Return1(c.NewString("cannot close standard file"))
	}
	err := f.close()
	if exit, ok := errors.AsType[*ExitStatus](err); ok {
		return c.exitResult(exit)
	}
	if f.process && err == nil {
		return c.exitResult(nil)
	}
	return c.FileResult(err, "")
}

// exitResult ends a call with the results of os.execute; nil is exit code 0.
func (c *Call) exitResult(e *ExitStatus) Status {
	what, code := "exit", 0
	if e != nil {
		code = e.Code
		if e.Signal {
			what = "signal"
		}
	}
	if what == "exit" && code == 0 {
		c.Push(Boolean(true))
	} else {
		c.Push(Nil)
	}
	c.Push(c.NewString(what))
	return c.Return1(Integer(int64(code)))
}

func fileFlush(c *Call) Status {
	f, ok := c.checkFile(0)
	if !ok {
		return c.Failed()
	}
	return c.FileResult(f.flush(), "")
}

func fileWrite(c *Call) Status {
	f, ok := c.checkFile(0)
	if !ok {
		return c.Failed()
	}
	return writeArgs(c, f, c.Arg(0), 1)
}

// writeArgs writes the arguments from first on and returns the file.
func writeArgs(c *Call, f *luaFile, self Value, first int) Status {
	var failed error
	for i := first; i < c.NArgs(); i++ {
		s, ok := c.CheckString(i)
		if !ok || !c.Fuel(copyFuel(len(s))) {
			return c.Failed()
		}
		if x, isFloat := c.Arg(i).AsFloat(); isFloat {
			shortest := conversion{verb: 'g', precision: 14}
			s = shortest.float(x) // C Lua writes 1.0 as 1
		}
		if failed == nil {
			failed = f.write(c.state, s)
		}
	}
	if failed != nil {
		return c.FileResult(failed, "")
	}
	return c.Return1(self)
}

func fileSeek(c *Call) Status {
	f, ok := c.checkFile(0)
	if !ok {
		return c.Failed()
	}
	name, ok := c.OptString(1, "cur")
	if !ok {
		return c.Failed()
	}
	whence := slices.Index([]string{"set", "cur", "end"}, name)
	if whence < 0 {
		return c.ArgError(1, "invalid option '"+name+"'")
	}
	offset, ok := c.OptInteger(2, 0)
	if !ok {
		return c.Failed()
	}
	if err := f.flushOut(); err != nil {
		return c.FileResult(err, "")
	}
	if whence == io.SeekCurrent {
		offset -= int64(len(f.in))
	}
	pos, err := f.f.Seek(offset, whence)
	if err != nil {
		return c.FileResult(err, "")
	}
	f.consume(len(f.in))
	f.eof = false
	return c.Return1(Integer(pos))
}

func fileSetVBuf(c *Call) Status {
	f, ok := c.checkFile(0)
	if !ok {
		return c.Failed()
	}
	name, ok := c.CheckString(1)
	if !ok {
		return c.Failed()
	}
	modes := map[string]bufferMode{"no": bufferNone, "full": bufferFull, "line": bufferLine}
	mode, ok := modes[name]
	if !ok {
		return c.ArgError(1, "invalid option '"+name+"'")
	}
	size, ok := c.OptInteger(2, 0)
	if !ok {
		return c.Failed()
	}
	size = max(0, min(size, 1<<20))
	if inner, ok := f.f.(FlushFile); ok {
		return c.FileResult(inner.SetBuffer(name, int(size)), "")
	}
	if f.standard {
		return c.Return1(Boolean(true)) // the host decides
	}
	err := f.flushOut()
	f.outMode, f.outSize = mode, int(size)
	if size == 0 {
		f.outSize = defaultBuffer
	}
	return c.FileResult(err, "")
}
