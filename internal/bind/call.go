package bind

import (
	"context"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

type lookupFunc = func(ctx context.Context, key string) any

// bound is a row on its way to a Lua function.
type bound struct {
	full  string // "State.save", "Agent:execute"
	row   *script.Func
	class *script.Class // of a method
	utype *lua.UserType
	raw   lua.GoFunc
}

// function compiles the row.
func (b *bound) function() (*lua.Function, error) {
	if err := checkParams(b.full, b.row.Params); err != nil {
		return nil, err
	}
	switch {
	case b.raw != nil:
		return lua.NewFunction(b.full, b.callRaw), nil
	case b.row.Call == nil:
		return nil, fault.Errorf(fault.Internal, "function %s has no Call", b.full)
	case b.row.Blocking:
		return lua.NewFunction(b.full, b.callBlocking), nil
	}
	return lua.NewFunction(b.full, b.callInline), nil
}

// errNoExecution refuses host calls of finalizers that run at the very end.
func (b *bound) errNoExecution() error {
	return fault.Errorf(fault.InvalidState, "%s: host calls are only possible during an execution", b.full)
}

func (b *bound) callRaw(c *lua.Call) lua.Status {
	if HostOf(c).Context() == nil {
		return Raise(c, b.errNoExecution())
	}
	if err := b.checkRaw(c); err != nil {
		return Raise(c, err)
	}
	return b.raw(c)
}

func (b *bound) callInline(c *lua.Call) lua.Status {
	h := HostOf(c)
	ctx := h.Context()
	if ctx == nil {
		return Raise(c, b.errNoExecution())
	}
	args, _, err := b.args(c, h)
	if err != nil {
		return Raise(c, err)
	}
	results, err := b.row.Call(ctx, args)
	if err != nil {
		return Raise(c, err)
	}
	for _, r := range results {
		v, err := h.Binding().ToLua(c, r)
		if err != nil {
			return Raise(c, err)
		}
		c.Push(v)
	}
	return c.Return()
}

func (b *bound) callBlocking(c *lua.Call) lua.Status {
	h := HostOf(c)
	if h.Context() == nil {
		return Raise(c, b.errNoExecution())
	}
	args, functions, err := b.args(c, h)
	if err != nil {
		return Raise(c, err)
	}
	call := b.row.Call
	return c.Suspend(h.Begin(Pending{
		Name:      b.full,
		Call:      func(ctx context.Context) ([]any, error) { return call(ctx, args) },
		Where:     where(c),
		Traceback: c.Traceback(1),
		Functions: functions,
	}))
}

// pushResult ends a call with one converted result.
func pushResult(c *lua.Call, h Host, result any) lua.Status {
	v, err := h.Binding().ToLua(c, result)
	if err != nil {
		return Raise(c, err)
	}
	return c.Return1(v)
}

// Results ends a Raw function with converted results.
func Results(c *lua.Call, results ...any) lua.Status {
	b := HostOf(c).Binding()
	for _, r := range results {
		v, err := b.ToLua(c, r)
		if err != nil {
			return Raise(c, err)
		}
		c.Push(v)
	}
	return c.Return()
}

// Raise ends a Go function with err as a Lua error value. An error that says
// that the call already failed in the VM is passed on.
func Raise(c *lua.Call, err error) lua.Status {
	if err == errRaised {
		return c.Failed()
	}
	return c.Raise(HostOf(c).Binding().ErrorValue(err, where(c), c.Traceback(1)))
}

// where is the position of the nearest calling Lua code: C functions such as
// pcall may stand between.
func where(c *lua.Call) string {
	for level := 1; level <= 4; level++ {
		if w := c.Where(level); w != "" {
			return strings.TrimSuffix(w, ": ")
		}
	}
	return ""
}

// checkParams finds mistakes in a row when the library is built.
func checkParams(full string, params []script.Param) error {
	seen := map[string]bool{}
	for i, p := range params {
		bad := ""
		switch {
		case p.Name == "" || seen[p.Name]:
			bad = "has no name of its own"
		case p.Variadic && i != len(params)-1:
			bad = "is variadic but not the last"
		case p.Type > script.TypeHandle:
			bad = "has an unknown type"
		case len(p.Enum) > 0 && !accepts(&p, script.TypeString):
			bad = "has an enum but takes no string"
		}
		if bad != "" {
			return fault.Errorf(fault.Internal, "%s: parameter %q %s", full, p.Name, bad)
		}
		seen[p.Name] = true
		if err := checkParams(full+"."+p.Name, p.Fields); err != nil {
			return err
		}
	}
	return nil
}

// accepts reports whether a parameter takes values of type t.
func accepts(p *script.Param, t script.Type) bool { return p.Type == t || slices.Contains(p.Also, t) }

// IsRaised reports whether err says that the error is already set on the call:
// the function must return what Raise gives.
func IsRaised(err error) bool { return err == errRaised }
