package lua

import (
	"math"
	"strings"
	"time"
)

// osTimeLib is the part of os without effects.
var osTimeLib = []libFunc{
	{"clock", osClock},
	{"date", osDate},
	{"difftime", osDifftime},
	{"time", osTime},
}

var osLib = append([]libFunc{
	{"execute", osExecute},
	{"exit", osExit},
	{"getenv", osGetenv},
	{"remove", osRemove},
	{"rename", osRename},
	{"setlocale", osSetlocale},
	{"tmpname", osTmpname},
}, osTimeLib...)

func osClock(c *Call) Status {
	cpu := c.system().CPU
	if cpu == nil {
		return c.notAvailable("clock")
	}
	return c.Return1(Float(cpu().Seconds()))
}

func osDifftime(c *Call) Status {
	a, ok := c.CheckInteger(0)
	if !ok {
		return c.Failed()
	}
	b, ok := c.CheckInteger(1)
	if !ok {
		return c.Failed()
	}
	return c.Return1(Float(float64(a) - float64(b)))
}

func osGetenv(c *Call) Status {
	name, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	getenv := c.system().Getenv
	if getenv == nil {
		return c.notAvailable("getenv")
	}
	return getenv(c, name)
}

func osRemove(c *Call) Status {
	path, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	remove := c.system().Remove
	if remove == nil {
		return c.notAvailable("remove")
	}
	return remove(c, path)
}

func osRename(c *Call) Status {
	from, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	to, ok := c.CheckString(1)
	if !ok {
		return c.Failed()
	}
	rename := c.system().Rename
	if rename == nil {
		return c.notAvailable("rename")
	}
	return rename(c, from, to)
}

func osTmpname(c *Call) Status {
	tempName := c.system().TempName
	if tempName == nil {
		return c.notAvailable("tmpname")
	}
	return tempName(c)
}

func osExecute(c *Call) Status {
	execute := c.system().Execute
	if c.Arg(0).IsNil() {
		return c.Return1(Boolean(execute != nil))
	}
	command, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	if execute == nil {
		return c.notAvailable("execute")
	}
	return execute(c, command)
}

func osExit(c *Call) Status {
	code := int64(0)
	switch v := c.Arg(0); v.Kind() {
	case KindTrue:
	case KindFalse:
		code = 1
	default:
		var ok bool
		if code, ok = c.OptInteger(0, 0); !ok {
			return c.Failed()
		}
	}
	return c.Exit(int(code), c.Arg(1).Truthy())
}

// osSetlocale knows the C locale only.
func osSetlocale(c *Call) Status {
	name, ok := c.OptString(0, "C")
	if !ok {
		return c.Failed()
	}
	category, ok := c.OptString(1, "all")
	if !ok {
		return c.Failed()
	}
	switch category {
	case "all", "collate", "ctype", "monetary", "numeric", "time":
	default:
		return c.ArgError(1, "invalid option '"+category+"'")
	}
	if name != "" && name != "C" && name != "POSIX" {
		return c.Return1(Nil)
	}
	return c.Return1(c.NewString("C"))
}

// now returns the time, or the error that there is no clock.
func (c *Call) now(name string) (time.Time, bool) {
	now := c.system().Now
	if now == nil {
		c.notAvailable(name)
		return time.Time{}, false
	}
	return now(), true
}

func osDate(c *Call) Status {
	format, ok := c.OptString(0, "%c")
	if !ok {
		return c.Failed()
	}
	format, utc := strings.CutPrefix(format, "!")
	now, ok := time.Time{}, true
	if c.Arg(1).IsNil() || !utc {
		if now, ok = c.now("date"); !ok {
			return c.Failed()
		}
	}
	t := now
	if !c.Arg(1).IsNil() {
		seconds, ok := c.CheckInteger(1)
		if !ok {
			return c.Failed()
		}
		t = time.Unix(seconds, 0).In(now.Location())
		if !representable(seconds, t) {
			return c.Errorf("date result cannot be represented in this installation")
		}
	}
	if utc {
		t = t.UTC()
	}
	if strings.HasPrefix(format, "*t") {
		table := c.NewTable(0, 9)
		if !setDateFields(c, table, t) {
			return c.Failed()
		}
		return c.Return1(table.Value())
	}
	return formatDate(c, format, t)
}

// representable reports whether C's struct tm could hold the time.
func representable(seconds int64, t time.Time) bool {
	const limit = 1 << 57 // beyond this package time wraps around
	if seconds < -limit || seconds > limit {
		return false
	}
	year := t.Year() - 1900
	return math.MinInt32 <= year && year <= math.MaxInt32
}

func formatDate(c *Call, format string, t time.Time) Status {
	var out buffer
	var scratch [64]byte
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			break
		}
		verb, n := dateVerb(format[i+1:])
		if n == 0 {
			return c.ArgError(0, "invalid conversion specifier '"+badDateVerb(format[i:])+"'")
		}
		if !out.add(c, format[:i]) || !out.add(c, string(appendDate(scratch[:0], verb, t))) {
			return c.Failed()
		}
		if !c.Fuel(8 + copyFuel(i)) {
			return c.Failed()
		}
		format = format[i+1+n:]
	}
	if !out.add(c, format) {
		return c.Failed()
	}
	return c.Return1(out.value(c))
}

// badDateVerb is the part of a bad conversion that is shown.
func badDateVerb(s string) string {
	if len(s) > 1 && (s[1] == 'E' || s[1] == 'O') {
		return s[:min(3, len(s))]
	}
	return s
}

// dateFieldNames are the fields of os.date("*t") with numbers, normalFields
// their values.
func dateFieldNames() [dateFields]string {
	return [...]string{"year", "month", "day", "hour", "min", "sec", "yday", "wday"}
}

func normalFields(when time.Time) (v [dateFields]int64) {
	for i, n := range [...]int{
		when.Year(), int(when.Month()), when.Day(), when.Hour(), when.Minute(), when.Second(),
		when.YearDay(), int(when.Weekday()) + 1,
	} {
		v[i] = int64(n)
	}
	return v
}

// setDateFields stores what os.date("*t") gives.
func setDateFields(c *Call, t *Table, when time.Time) bool {
	values := normalFields(when)
	for i, name := range dateFieldNames() {
		if !c.rawSet(t, c.NewString(name), Integer(values[i])) {
			return false
		}
	}
	return c.rawSet(t, c.NewString("isdst"), Boolean(when.IsDST()))
}

func osTime(c *Call) Status {
	if c.Arg(0).IsNil() {
		now, ok := c.now("time")
		if !ok {
			return c.Failed()
		}
		return c.Return1(Integer(now.Unix()))
	}
	t, ok := c.CheckTable(0)
	if !ok {
		return c.Failed()
	}
	o := &timeStep{table: t.Value()}
	return o.log.run(c, o)
}

// timeStep is os.time on a table. It reads the fields, of which the table's
// metatable may compute some, and in a second turn stores the normal ones.
type timeStep struct {
	log    opLog
	table  Value
	stored bool // the fields are read
	unix   int64
	normal [dateFields]int64
	dst    bool
}

// dateFields is the number of fields of os.date("*t") but isdst.
const dateFields = 8

func (o *timeStep) Resume(c *Call) Status { return o.log.resume(c, o) }

func (o *timeStep) markValues(mark func(Value)) {
	o.log.markValues(mark)
	mark(o.table)
}

func (o *timeStep) finish(c *Call) Status { return c.Return1(Integer(o.unix)) }

func (o *timeStep) turn(c *Call) turnResult {
	if o.stored {
		for i, name := range dateFieldNames() {
			if !o.log.set(c, o.table, c.NewString(name), Integer(o.normal[i])) {
				return turnFailed
			}
		}
		if !o.log.set(c, o.table, c.NewString("isdst"), Boolean(o.dst)) {
			return turnFailed
		}
		return turnDone
	}
	fields := [...]struct {
		name       string
		def, shift int64 // def -1: required; shift: what C's struct tm subtracts
	}{
		{"year", -1, 1900}, {"month", -1, 1}, {"day", -1, 0},
		{"hour", 12, 0}, {"min", 0, 0}, {"sec", 0, 0},
	}
	var v [len(fields)]int
	for i, f := range fields {
		x, ok := o.field(c, f.name, f.def, f.shift)
		if !ok {
			return turnFailed
		}
		v[i] = int(x)
	}
	isdst, ok := o.log.get(c, o.table, c.NewString("isdst"))
	if !ok {
		return turnFailed
	}
	now, ok := c.now("time")
	if !ok {
		return turnFailed
	}
	when := time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], 0, now.Location())
	if !isdst.IsNil() && isdst.Truthy() != when.IsDST() {
		shift := -time.Hour
		if when.IsDST() {
			shift = time.Hour
		}
		when = when.Add(shift)
	}
	if year := when.Year() - 1900; year < math.MinInt32 || year > math.MaxInt32 {
		c.Errorf("time result cannot be represented in this installation")
		return turnFailed
	}
	o.stored, o.unix, o.normal, o.dst = true, when.Unix(), normalFields(when), when.IsDST()
	return turnNext
}

// field reads a field of the table of os.time, which must fit into an int
// of C after shift was subtracted.
func (o *timeStep) field(c *Call, name string, def, shift int64) (int64, bool) {
	v, ok := o.log.get(c, o.table, c.NewString(name))
	if !ok {
		return 0, false
	}
	x, isInt := toInteger(v)
	switch {
	case isInt:
		if x >= 0 && x-shift > math.MaxInt32 || x < 0 && x < math.MinInt32+shift {
			c.Errorf("field '%s' is out-of-bound", name)
			return 0, false
		}
		return x, true
	case !v.IsNil():
		c.Errorf("field '%s' is not an integer", name)
		return 0, false
	case def < 0:
		c.Errorf("field '%s' missing in date table", name)
		return 0, false
	}
	return def, true
}
