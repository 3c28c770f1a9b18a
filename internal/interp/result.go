package interp

import (
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/lua"
)

// mainName is the permanent name of the function every execution begins with.
const mainName = "llmspell.execute"

// mainFunction calls its first argument with the others and converts what it
// returns while the run is still in progress, so that __tojson works and limits
// hold for the conversion too.
var mainFunction = lua.NewFunction(mainName, func(c *lua.Call) lua.Status {
	args := make([]lua.Value, 0, max(c.NArgs()-1, 0))
	for i := 1; i < c.NArgs(); i++ {
		args = append(args, c.Arg(i))
	}
	return c.CallThen(finishMain{}, -1, c.Arg(0), args...)
})

// finishMain converts the results of the chunk.
type finishMain struct{}

func (finishMain) Resume(c *lua.Call) lua.Status {
	h := c.State().Host().(*host)
	r := h.run.result
	var err error
	switch c.NArgs() {
	case 0:
	case 1:
		err = oneResult(c, h.b, r)
	default:
		err = manyResults(c, h.b, r)
	}
	if err != nil {
		return bind.Raise(c, err)
	}
	return c.Return()
}

var lenient = bind.EncodeOptions{Lenient: true}

// oneResult sets value and text by the scripting contract 0.3.
func oneResult(c *lua.Call, b *bind.Binding, r *Result) error {
	v := c.Arg(0)
	if v.IsNil() {
		return nil
	}
	raw, err := b.AppendJSON(nil, c, v, lenient)
	if err != nil {
		return valueError(r, err)
	}
	r.Value = raw
	switch v.Kind() {
	case lua.KindString:
		r.Text, _ = v.AsString()
	case lua.KindTable:
		r.Text = string(raw)
	case lua.KindTrue, lua.KindFalse, lua.KindInt, lua.KindFloat:
		r.Text = c.State().ToStringRaw(v)
	default:
		r.Text = string(raw)
		if v.TypeName() != "userdata" {
			r.Text = "<" + v.TypeName() + ">"
		}
	}
	return nil
}

// manyResults sets value to the array of all results.
func manyResults(c *lua.Call, b *bind.Binding, r *Result) error {
	raw := []byte{'['}
	for i := range c.NArgs() {
		if i > 0 {
			raw = append(raw, ',')
		}
		var err error
		if raw, err = b.AppendJSON(raw, c, c.Arg(i), lenient); err != nil {
			return valueError(r, err)
		}
	}
	r.Value = append(raw, ']')
	r.Text = string(r.Value)
	return nil
}

// valueError says why a result has no JSON. What was raised in the VM goes on.
func valueError(r *Result, err error) error {
	if bind.IsRaised(err) {
		return err
	}
	r.Value, r.ValueError = nil, err.Error()
	return nil
}
