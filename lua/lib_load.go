package lua

import "strings"

// maxChunk is the largest source load accepts.
const maxChunk = 10 << 20

// baseLoad takes a string or a reader function. The reader is a step callee:
// it may suspend.
func baseLoad(c *Call) Status {
	l := &loadStep{name: "=(load)", hasEnv: c.n > 3, env: c.Arg(3)}
	if mode, ok := c.OptString(2, "bt"); !ok {
		return c.Failed()
	} else {
		l.mode = mode
	}
	src := c.Arg(0)
	if src.isString() || src.isNumber() {
		text := c.state.ToStringRaw(src)
		name, ok := c.OptString(1, text)
		if !ok {
			return c.Failed()
		}
		l.name = name
		return l.compile(c, text)
	}
	name, ok := c.OptString(1, l.name)
	if !ok {
		return c.Failed()
	}
	l.name = name
	if !src.IsFunction() {
		return c.TypeError(0, "function")
	}
	l.reader = src
	return l.read(c)
}

// loadStep collects what a reader function returns.
type loadStep struct {
	name, mode string
	env        Value
	hasEnv     bool
	reader     Value
	source     strings.Builder
}

func (l *loadStep) markValues(mark func(Value)) {
	mark(l.env)
	mark(l.reader)
}

func (l *loadStep) heldBytes() int64 { return int64(l.source.Cap()) }

// read calls the reader, whose errors load returns.
func (l *loadStep) read(c *Call) Status { return c.CallThen(l, 2, pcallFunction.Value(), l.reader) }

func (l *loadStep) Resume(c *Call) Status {
	if !c.Arg(0).Truthy() {
		c.Push(Nil)
		return c.Return1(c.Arg(1))
	}
	switch v := c.Arg(1); {
	case v.IsNil() || v.isString() && v.str() == "":
		return l.compile(c, l.source.String())
	case !v.isString():
		c.Push(Nil)
		return c.Return1(c.NewString(c.Where(1) + "reader function must return a string"))
	default:
		if l.source.Len()+len(v.str()) > maxChunk {
			return loadFailed(c, "chunk too large")
		}
		if need := l.source.Len() + len(v.str()); need > l.source.Cap() {
			room := max(2*l.source.Cap(), need)
			if !c.Charge(room) {
				return c.Failed()
			}
			l.source.Grow(room - l.source.Len())
		}
		l.source.WriteString(v.str())
	}
	return l.read(c)
}

// compile returns the function, or nil and a message.
func (l *loadStep) compile(c *Call, text string) Status {
	if len(text) > maxChunk {
		return loadFailed(c, "chunk too large")
	}
	if strings.HasPrefix(text, "\x1bLua") || !strings.Contains(l.mode, "t") {
		kind := "text"
		if strings.HasPrefix(text, "\x1b") {
			kind = "binary"
		}
		if kind == "binary" || !strings.Contains(l.mode, "t") {
			return loadFailed(c, "attempt to load a "+kind+" chunk (mode is '"+l.mode+"')")
		}
	}
	return c.loadChunk(l.name, text, l.hasEnv, l.env)
}

// loadChunk compiles text and returns its function, or nil and a message.
func (c *Call) loadChunk(name, text string, hasEnv bool, env Value) Status {
	fn, msg, ok := c.loadSource(name, text)
	if !ok {
		return c.Failed()
	}
	if msg != "" {
		return loadFailed(c, msg)
	}
	if upvals := fn.closure().upvals; hasEnv && len(upvals) > 0 {
		*upvals[0].v = env
	}
	return c.Return1(fn)
}

func loadFailed(c *Call, msg string) Status {
	c.Push(Nil)
	c.Push(c.NewString(msg))
	return c.Return()
}

// sourceReader is what dofile and loadfile call to read a file: it may suspend.
var sourceReader = NewFunction("readsource", func(c *Call) Status {
	path, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	return c.system().ReadSource(c, path)
})

// fileStep goes on with a file's source.
type fileStep struct {
	do     bool // dofile: raise errors and call
	mode   string
	env    Value
	hasEnv bool
	called bool
}

func (f *fileStep) yieldable() {}

func (f *fileStep) markValues(mark func(Value)) { mark(f.env) }

func baseLoadfile(c *Call) Status {
	mode, ok := c.OptString(1, "bt")
	if !ok {
		return c.Failed()
	}
	return c.readFile(&fileStep{mode: mode, hasEnv: c.n > 2, env: c.Arg(2)}, "loadfile")
}

func baseDofile(c *Call) Status { return c.readFile(&fileStep{do: true, mode: "bt"}, "dofile") }

func (c *Call) readFile(f *fileStep, name string) Status {
	if c.system().ReadSource == nil || c.Arg(0).IsNil() {
		return c.notAvailable(name)
	}
	path, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	return c.CallThen(f, 2, sourceReader.Value(), c.NewString(path))
}

func (f *fileStep) Resume(c *Call) Status {
	if f.called {
		return c.returnArgs(0)
	}
	source, ok := c.Arg(0).AsString()
	if !ok {
		if f.do {
			return c.Raise(c.Arg(1))
		}
		c.Push(Nil)
		c.Push(c.Arg(1))
		return c.Return()
	}
	name, _ := c.Arg(1).AsString()
	l := &loadStep{name: name, mode: f.mode, env: f.env, hasEnv: f.hasEnv}
	if !f.do {
		return l.compile(c, source)
	}
	fn, msg, ok := c.loadSource(name, source)
	switch {
	case !ok:
		return c.Failed()
	case msg != "":
		return c.Raise(c.state.errorString(msg))
	}
	f.called = true
	return c.CallThen(f, -1, fn)
}
