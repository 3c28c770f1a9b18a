package lua

import "strings"

// objectArgs returns the arguments that %s shows by their __tostring.
func objectArgs(c *Call, format string) []int {
	var objects []int
	for i := 1; i < c.NArgs(); i++ {
		if v := c.Arg(i); !v.isString() && !c.state.metaEvent(v, evToString).IsNil() && shownAsString(format, i) {
			objects = append(objects, i)
		}
	}
	return objects
}

// shownAsString reports whether argument n is formatted by a %s.
func shownAsString(format string, n int) bool {
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			return false
		}
		format = format[i:]
		if strings.HasPrefix(format, "%%") {
			format = format[2:]
			continue
		}
		text := specText(format)
		if n--; n == 0 {
			return text[len(text)-1] == 's'
		}
		format = format[len(text):]
	}
}

// objectStep calls the __tostring of arguments one after the other, any of
// which may suspend, and then formats.
type objectStep struct {
	args    []Value
	objects []int // arguments to replace
}

func (o *objectStep) markValues(mark func(Value)) {
	for _, v := range o.args {
		mark(v)
	}
}

func resolveObjects(c *Call, objects []int) Status {
	o := &objectStep{objects: objects}
	for i := range c.NArgs() {
		o.args = append(o.args, c.Arg(i))
	}
	return o.call(c)
}

func (o *objectStep) call(c *Call) Status {
	v := o.args[o.objects[0]]
	return c.CallThen(o, 1, c.state.metaEvent(v, evToString), v)
}

// Resume takes the string one __tostring returned.
func (o *objectStep) Resume(c *Call) Status {
	v := c.Arg(0)
	if !v.isString() && !v.isNumber() {
		return c.Errorf(badToString)
	}
	o.args[o.objects[0]] = v
	if o.objects = o.objects[1:]; len(o.objects) > 0 {
		return o.call(c)
	}
	if !c.setArgs(o.args) {
		return c.Failed()
	}
	format, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	return formatArgs(c, format)
}

// setArgs makes args the arguments of a call that has no results yet, so that
// a Step can go on as the function it continues.
func (c *Call) setArgs(args []Value) bool {
	at := c.base + 1
	if need := at + len(args) + goSlots; need > len(c.th.stack) && !c.state.growStack(c.th, need) {
		return false
	}
	copy(c.th.stack[at:], args)
	c.n = len(args)
	return true
}
