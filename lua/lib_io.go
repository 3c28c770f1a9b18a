package lua

import (
	"strings"
)

var ioLib = []libFunc{
	{"close", ioClose},
	{"flush", ioFlush},
	{"input", ioInput},
	{"lines", ioLines},
	{"open", ioOpen},
	{"output", ioOutput},
	{"popen", ioPopen},
	{"read", ioRead},
	{"tmpfile", ioTmpfile},
	{"type", ioType},
	{"write", ioWrite},
}

func setupIO(s *State, t *Table) {
	var sys System
	if o := s.systemOption(); o != nil {
		sys = *o
	}
	in, out, errs := s.newStandardFile(sys.Stdin, 1), s.newStandardFile(sys.Stdout, 2), s.newStandardFile(sys.Stderr, 3)
	s.lib.input, s.lib.output = s.Ref(in), s.Ref(out)
	for _, f := range []struct {
		name string
		file Value
	}{{"stdin", in}, {"stdout", out}, {"stderr", errs}} {
		_ = s.RawSet(t, s.NewString(f.name), f.file) // a string key in a new table
	}
}

// openFile is the function that opens files for other library functions, so
// that a host that has to wait may suspend in it.
var openFile = NewFunction("io.lines.open", ioOpen)

func ioOpen(c *Call) Status {
	path, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	mode, ok := c.OptString(1, "r")
	if !ok {
		return c.Failed()
	}
	if !validMode(mode) {
		return c.ArgError(1, "invalid mode")
	}
	open := c.system().Open
	if open == nil {
		return c.notAvailable("open")
	}
	return open(c, path, mode)
}

func validMode(mode string) bool {
	if mode == "" || strings.IndexByte("rwa", mode[0]) < 0 {
		return false
	}
	return strings.Trim(strings.TrimPrefix(mode[1:], "+"), "b") == ""
}

func ioPopen(c *Call) Status {
	command, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	mode, ok := c.OptString(1, "r")
	if !ok {
		return c.Failed()
	}
	if mode != "r" && mode != "w" {
		return c.ArgError(1, "invalid mode")
	}
	popen := c.system().Popen
	if popen == nil {
		return c.notAvailable("popen")
	}
	return popen(c, command, mode)
}

func ioTmpfile(c *Call) Status {
	tempFile := c.system().TempFile
	if tempFile == nil {
		return c.notAvailable("tmpfile")
	}
	return tempFile(c)
}

func ioType(c *Call) Status {
	if !c.CheckAny(0) {
		return c.Failed()
	}
	f, ok := fileData(c.Arg(0))
	switch {
	case !ok:
		return c.Return1(Nil)
	case f.closed:
		return c.Return1(c.NewString("closed file"))
	}
	return c.Return1(c.NewString("file"))
}

// defaultFile returns the default input or output file.
func (c *Call) defaultFile(ref Ref, name string) (*luaFile, Value, bool) {
	v := c.state.Deref(ref)
	f, _ := fileData(v)
	if f.closed && !f.lost {
		c.Errorf("default %s file is closed", name)
		return nil, Nil, false
	}
	return f, v, c.usable(f)
}

func (c *Call) defaultInput() (*luaFile, Value, bool) {
	return c.defaultFile(c.state.lib.input, "input")
}

func (c *Call) defaultOutput() (*luaFile, Value, bool) {
	return c.defaultFile(c.state.lib.output, "output")
}

func ioClose(c *Call) Status {
	if c.NArgs() > 0 {
		return fileClose(c)
	}
	f, _, ok := c.defaultOutput()
	if !ok {
		return c.Failed()
	}
	return closeFile(c, f)
}

func ioFlush(c *Call) Status {
	f, _, ok := c.defaultOutput()
	if !ok {
		return c.Failed()
	}
	return c.FileResult(f.flush(), "")
}

func ioWrite(c *Call) Status {
	f, self, ok := c.defaultOutput()
	if !ok {
		return c.Failed()
	}
	return writeArgs(c, f, self, 0)
}

func ioRead(c *Call) Status {
	f, self, ok := c.defaultInput()
	if !ok {
		return c.Failed()
	}
	return readFormats(c, f, self, 0)
}

func fileRead(c *Call) Status {
	f, ok := c.checkFile(0)
	if !ok {
		return c.Failed()
	}
	return readFormats(c, f, c.Arg(0), 1)
}

func ioInput(c *Call) Status  { return setDefault(c, &c.state.lib.input, "r") }
func ioOutput(c *Call) Status { return setDefault(c, &c.state.lib.output, "w") }

func setDefault(c *Call, ref *Ref, mode string) Status {
	switch v := c.Arg(0); {
	case v.IsNil():
		return c.Return1(c.state.Deref(*ref))
	case v.isString() || v.isNumber():
		path, _ := c.CheckString(0)
		then := openInput
		if ref == &c.state.lib.output {
			then = openOutput
		}
		return c.open(opening{path: path, then: then}, mode)
	}
	if _, ok := fileData(c.Arg(0)); !ok {
		return c.TypeError(0, "FILE*")
	}
	replaceRef(c.state, ref, c.Arg(0))
	return c.Return1(c.Arg(0))
}

func replaceRef(s *State, ref *Ref, v Value) {
	s.Release(*ref)
	*ref = s.Ref(v)
}

// opening goes on when a file named in a call was opened.
type opening struct {
	path    string
	then    openUse
	formats []Value // for openLines
}

// openUse is what an opened file is for.
type openUse uint8

const (
	openInput openUse = iota
	openOutput
	openLines
)

func (o opening) markValues(mark func(Value)) {
	for _, v := range o.formats {
		mark(v)
	}
}

// open opens a file and goes on; if that fails it raises an error.
func (c *Call) open(o opening, mode string) Status {
	return c.CallThen(o, 2, openFile.Value(), c.NewString(o.path), c.NewString(mode))
}

// Resume takes the results of io.open.
func (o opening) Resume(c *Call) Status {
	file, msg := c.Arg(0), c.Arg(1)
	if file.IsNil() {
		text, _ := msg.AsString()
		return c.Errorf("cannot open file '%s' (%s)", o.path, strings.TrimPrefix(text, o.path+": "))
	}
	switch o.then {
	case openInput:
		replaceRef(c.state, &c.state.lib.input, file)
	case openOutput:
		replaceRef(c.state, &c.state.lib.output, file)
	default:
		c.Push(newLineIterator(c, file, true, o.formats))
		c.Push(Nil)
		c.Push(Nil)
	}
	return c.Return1(file)
}

// maxLineFormats bounds the formats of an iteration over lines.
const maxLineFormats = 250

// Upvalues of the iterator of lines; the formats follow.
const (
	linesFile = iota
	linesClose
	linesFormats
)

var linesIterator = NewFunction("io.lines.iterator", nextLine)

func ioLines(c *Call) Status {
	if c.Arg(0).IsNil() {
		_, file, ok := c.defaultInput()
		if !ok {
			return c.Failed()
		}
		return lines(c, file)
	}
	path, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	if c.NArgs()-1 > maxLineFormats {
		return c.ArgError(maxLineFormats+1, "too many arguments")
	}
	return c.open(opening{path: path, then: openLines, formats: lineFormats(c)}, "r")
}

func fileLines(c *Call) Status {
	if _, ok := c.checkFile(0); !ok {
		return c.Failed()
	}
	return lines(c, c.Arg(0))
}

func lines(c *Call, file Value) Status {
	if c.NArgs()-1 > maxLineFormats {
		return c.ArgError(maxLineFormats+1, "too many arguments")
	}
	return c.Return1(newLineIterator(c, file, false, lineFormats(c)))
}

// lineFormats copies the arguments behind the first.
func lineFormats(c *Call) []Value {
	var formats []Value
	for i := 1; i < c.NArgs(); i++ {
		formats = append(formats, c.Arg(i))
	}
	return formats
}

func newLineIterator(c *Call, file Value, closeAtEnd bool, formats []Value) Value {
	return c.state.NewClosure(linesIterator, append([]Value{file, Boolean(closeAtEnd)}, formats...)...)
}

// nextLine is the iterator of lines.
func nextLine(c *Call) Status {
	file := c.Upvalue(linesFile)
	f, _ := fileData(file)
	if f.closed && !f.lost {
		return c.Errorf("file is already closed")
	}
	if !c.usable(f) {
		return c.Failed()
	}
	formats := c.fn.upvals[linesFormats:]
	for i, v := range formats {
		if !validFormat(v) {
			return c.ArgError(i+1, "invalid format")
		}
	}
	r := &fileReader{file: f, self: file, formats: formats, iterator: true, closeAtEnd: c.Upvalue(linesClose).Truthy()}
	return r.start(c)
}
