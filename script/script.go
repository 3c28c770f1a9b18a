// Package script is the contract by which Go code is exposed to scripts.
// Bindings are data: a [Module] is a script global, a [Func] one function of
// it. From the rows come the binding, argument checks, reference pages, editor
// stubs and completion. The package knows nothing of the Lua VM; an embedder
// adds globals of its own with it:
//
//	script.Module{Name: "Clock", Doc: "Wall clock.", Funcs: []script.Func{{
//		Name: "now", Doc: "Current Unix time.",
//		Returns: []script.Return{{Type: script.TypeInteger, Doc: "seconds"}},
//		Call: func(ctx context.Context, a script.Args) ([]any, error) {
//			return []any{time.Now().Unix()}, nil
//		},
//	}}}
package script

import "context"

// Module is one global of the script API.
type Module struct {
	Name    string // "State"
	Doc     string
	Funcs   []Func
	Classes []*Class       // handle types its functions return
	Fields  map[string]any // constants, data values

	// Lookup answers a field that is no function, class or constant of the
	// module (Tool.<name>). It becomes the __index of the frozen global, runs
	// inline and must return at once; nil = the field is nil. An Object becomes
	// a handle.
	Lookup func(ctx context.Context, key string) any
}

// Func is one row: a function of a module or a method of a class.
type Func struct {
	Name    string
	Aliases []string
	Doc     string // first sentence = summary
	Params  []Param
	Returns []Return
	Example string // Lua source, run by tests when not empty

	// Blocking functions run on a goroutine of their own while the script is
	// suspended; they may take long and may call script functions. Others run
	// inline and must return within microseconds.
	Blocking bool

	Call func(ctx context.Context, a Args) ([]any, error)
}

// Type is the type of a parameter, field or result.
type Type uint8

const (
	TypeAny Type = iota // any value that converts (strict rules of the scripting contract 0.3)
	TypeBoolean
	TypeInteger
	TypeNumber
	TypeString
	TypeTable    // free-form table: arrives as map[string]any, or []any for an array
	TypeArray    // []any
	TypeOptions  // table with the declared Fields only: arrives as map[string]any
	TypeFunction // *Function
	TypeHandle   // Go value of a Class
)

// Param is a parameter, or a field of an Options parameter.
type Param struct {
	Name     string
	Type     Type
	Also     []Type // further accepted types
	Required bool
	Default  any     // documentation and value used when absent; nil = absent stays absent
	Variadic bool    // last parameter takes the rest as []any
	Elem     Type    // element type of Array; Any = any data. Class, Fields and Enum hold for the elements
	ElemAlso []Type  // further accepted element types
	Class    string  // of Handle
	Fields   []Param // of Options
	Enum     []string
	Min, Max *float64
	Doc      string
}

// Return is one result.
type Return struct {
	Type     Type
	Class    string
	Name     string
	Optional bool // may be nil
	Doc      string
}

// Class is a kind of handle: userdata with methods.
type Class struct {
	Name    string
	Doc     string
	Methods []Func                           // Args.Self holds the handle's Go value
	Fields  []Param                          // documentation of what Get answers
	Get     func(self any, field string) any // nil = no fields
	String  func(self any) string            // tostring; nil = Name
	Close   func(self any)                   // when the session ends; may be nil
}

// Object is a handle value: returned from a Func, it becomes a userdata of Class.
type Object struct {
	Class *Class
	Value any
}

// Record is a result that is a table and reads as text: it becomes a table of
// Fields whose tostring is Text, and so is what `..` makes of it.
type Record struct {
	Fields map[string]any
	Text   string
}

// Args are the checked arguments of a call. Values are nil, bool, int64,
// float64, string (any bytes), []any, map[string]any, *Function, or the Go
// value of a handle. An index beyond the arguments gives nil.
type Args struct {
	Self   any
	Values []any
}

func (a Args) Len() int { return len(a.Values) }

// At returns argument i, nil when absent.
func (a Args) At(i int) any {
	if i < len(a.Values) {
		return a.Values[i]
	}
	return nil
}

// String, Int, Float, Bool, Map, List and Func return argument i, which the
// declared type guarantees, or the zero value when absent.
func (a Args) String(i int) string { s, _ := a.At(i).(string); return s }
func (a Args) Int(i int) int64     { n, _ := a.At(i).(int64); return n }
func (a Args) Bool(i int) bool     { b, _ := a.At(i).(bool); return b }
func (a Args) Map(i int) map[string]any {
	m, _ := a.At(i).(map[string]any)
	return m
}
func (a Args) List(i int) []any     { l, _ := a.At(i).([]any); return l }
func (a Args) Func(i int) *Function { f, _ := a.At(i).(*Function); return f }
func (a Args) Float(i int) float64 {
	switch n := a.At(i).(type) {
	case float64:
		return n
	case int64:
		return float64(n)
	}
	return 0
}

// Null is JSON null inside data: an element of a list that is null.
type Null struct{}

// MarshalJSON writes null.
func (Null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Function is a script function given to Go. Call runs it as a fiber of the
// session, and only while the script is inside a Blocking call. Release it
// when it will not be called again.
type Function struct {
	Invoke func(ctx context.Context, args ...any) ([]any, error)
	Free   func()
}

// Call runs the function with args and returns its results.
func (f *Function) Call(ctx context.Context, args ...any) ([]any, error) {
	return f.Invoke(ctx, args...)
}

// Release lets the interpreter collect the function.
func (f *Function) Release() {
	if f.Free != nil {
		f.Free()
	}
}
