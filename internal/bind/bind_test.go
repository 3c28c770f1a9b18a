package bind_test

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// host is an interpreter without a loop.
type host struct{ b *bind.Binding }

func (h *host) Binding() *bind.Binding              { return h.b }
func (h *host) Context() context.Context            { return context.Background() }
func (h *host) Begin(bind.Pending) []byte           { return []byte("x") }
func (h *host) Function(lua.Value) *script.Function { return &script.Function{} }

func bound(t testing.TB, limit int64, modules ...bind.Module) (*lua.State, *bind.Binding) {
	t.Helper()
	lib, err := bind.NewLibrary(modules...)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{}
	st, err := lua.New(lua.Options{Host: h, MemoryLimit: limit, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if h.b, err = lib.Install(st, bind.InstallParams{MemoryLimit: limit}); err != nil {
		t.Fatal(err)
	}
	return st, h.b
}

// eval runs code and returns its first value.
func eval(t testing.TB, st *lua.State, code string) lua.Value {
	t.Helper()
	chunk, err := lua.Compile("=test", code, lua.CompileOptions{Expression: true})
	if err != nil {
		t.Fatal(err)
	}
	out := st.Run(st.Load(chunk), nil, lua.RunOptions{})
	end := out.Main()
	if end == nil || end.Err != nil {
		t.Fatalf("%s: %+v", code, end)
	}
	if len(end.Values) == 0 {
		return lua.Nil
	}
	return end.Values[0]
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	st, b := bound(t, 0)
	in := map[string]any{
		"int": int64(3), "float": 3.0, "big": int64(math.MaxInt64), "text": "a\x00\xff", "yes": true,
		"list": []any{int64(1), "x", []any{}, script.Null{}}, "empty": map[string]any{}, "none": []any{},
		"nested": map[string]any{"deep": []any{map[string]any{"k": 0.5}}},
	}
	v, err := b.ToLua(st, in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.ToGo(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
}

func TestToLua(t *testing.T) {
	t.Parallel()
	st, b := bound(t, 0)
	type named string
	type pair struct {
		A int    `json:"a"`
		B string `json:"b"`
	}
	cases := []struct {
		in   any
		want string
	}{
		{nil, `null`}, {int32(5), `5`}, {uint8(5), `5`}, {uint64(math.MaxUint64), `18446744073709552000.0`},
		{float32(0.5), `0.5`}, {json.Number("7"), `7`}, {json.Number("7.0"), `7.0`}, {json.Number("1e2"), `100.0`},
		{[]byte("raw"), `"raw"`}, {named("n"), `"n"`}, {time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.FixedZone("x", 3600)), `"2026-01-02T02:04:05.006Z"`},
		{json.RawMessage(`{"b":[1,2.0,null],"a":null}`), `{"b":[1,2.0,null]}`}, {json.RawMessage(``), `null`},
		{[]string{"a"}, `["a"]`}, {[]string{}, `[]`}, {map[string]string{"k": "v"}, `{"k":"v"}`}, {[]int{1, 2}, `[1,2]`},
		{map[string]int{"z": 1, "a": 2}, `{"a":2,"z":1}`}, {[]any{nil, 1}, `[null,1]`}, {map[string]any{"gone": nil}, `{}`},
		{pair{1, "x"}, `{"a":1,"b":"x"}`}, {&pair{1, "x"}, `{"a":1,"b":"x"}`}, {(*pair)(nil), `null`}, {new(5), `5`},
	}
	for _, c := range cases {
		v, err := b.ToLua(st, c.in)
		if err != nil {
			t.Errorf("%T: %v", c.in, err)
			continue
		}
		raw, err := b.AppendJSON(nil, nil, v, bind.EncodeOptions{})
		if err != nil || string(raw) != c.want {
			t.Errorf("%T %v: %s, %v, want %s", c.in, c.in, raw, err, c.want)
		}
	}
	deep := any(1)
	for range 1000 {
		deep = []any{deep}
	}
	if _, err := b.ToLua(st, deep); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("deep: %v", err)
	}
	if _, err := b.ToLua(st, make(chan int)); fault.CodeOf(err) != fault.Internal {
		t.Errorf("channel: %v", err)
	}
}

func TestMapOrderIsDeterministic(t *testing.T) {
	t.Parallel()
	m := map[string]any{}
	for _, k := range strings.Split("q w e r t y u i o p a s d f g", " ") {
		m[k] = k
	}
	var first string
	for range 20 {
		st, b := bound(t, 0)
		v, err := b.ToLua(st, m)
		if err != nil {
			t.Fatal(err)
		}
		_ = st.RawSet(st.Globals(), st.NewString("m"), v)
		s, _ := eval(t, st, `(function() local s = "" for k in pairs(m) do s = s .. k end return s end)()`).AsString()
		if first == "" {
			first = s
		}
		if s != first || s != "adefgiopqrstuwy" {
			t.Fatalf("%s, then %s", first, s)
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	for _, r := range []script.Record{
		{Fields: map[string]any{"text": "hello", "n": 1}, Text: "hello"},
		{Fields: map[string]any{"text": 5, "n": 1}, Text: "hello"},
		{Fields: map[string]any{"n": 1}, Text: "hello"},
	} {
		st, b := bound(t, 0)
		v, err := b.ToLua(st, r)
		if err != nil {
			t.Fatal(err)
		}
		_ = st.RawSet(st.Globals(), st.NewString("r"), v)
		if s, _ := eval(t, st, `tostring(r) .. "|" .. r .. "!" .. "|" .. ("<" .. r) .. r.n .. r .. r`).AsString(); s != "hello|hello!|<hello1hellohello" {
			t.Errorf("%+v: %q", r, s)
		}
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	st, b := bound(t, 0)
	good := map[string]string{
		`{"b":1,"a":[true,false,null,"x"]}`: `{"a":[true,false,null,"x"],"b":1}`,
		" [ ] ":                             `[]`, `{}`: `{}`, `""`: `""`, `"\u00e9\ud83d\ude00\n\/"`: `"é😀\n/"`, `"\ud800"`: `"` + "\uFFFD" + `"`,
		`-0`: `0`, `-0.0`: `-0.0`, `1E2`: `100.0`, `9223372036854775807`: `9223372036854775807`, `9223372036854775808`: `9223372036854776000.0`,
		`{"a":1,"a":2}`: `{"a":2}`, `{"a":1,"a":null}`: `{}`, `[[],{}]`: `[[],{}]`, `null`: `null`,
	}
	for in, want := range good {
		v, err := b.ParseJSON(st, in, bind.ParseOptions{})
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if raw, err := b.AppendJSON(nil, nil, v, bind.EncodeOptions{}); err != nil || string(raw) != want {
			t.Errorf("%s: %s, %v, want %s", in, raw, err, want)
		}
	}
	bad := map[string][2]int64{
		`{`: {1, 2}, `{"a":1,}`: {1, 8}, `[1 2]`: {1, 4}, "[1,\n  x]": {2, 3}, `01`: {1, 3}, `1.`: {1, 3}, `"abc`: {1, 5}, `tru`: {1, 1},
		`{"a" 1}`: {1, 6}, `[1]]`: {1, 4}, "\"a\nb\"": {1, 3}, `"\x"`: {1, 3}, "\"\xff\"": {1, 1}, `1e999`: {1, 6}, `"\u12"`: {1, 4}, ``: {1, 1},
		strings.Repeat("[", 200): {1, 130},
	}
	for in, at := range bad {
		_, err := b.ParseJSON(st, in, bind.ParseOptions{})
		e, _ := err.(*fault.Error)
		if e == nil || e.Code != fault.ParseError || e.Details["line"] != at[0] || e.Details["column"] != at[1] {
			t.Errorf("%.20q: %v %v, want %v", in, err, e, at)
		}
	}
	if v, err := b.ParseJSON(st, `{"a":null}`, bind.ParseOptions{KeepNull: true}); err != nil || !bind.IsNull(st.RawGetString(mustTable(t, v), "a")) {
		t.Errorf("keep: %v", err)
	}
}

func mustTable(t testing.TB, v lua.Value) *lua.Table {
	t.Helper()
	tb, ok := v.AsTable()
	if !ok {
		t.Fatalf("a %s", v.TypeName())
	}
	return tb
}

func TestEncodeRules(t *testing.T) {
	t.Parallel()
	st, b := bound(t, 0)
	cases := []struct{ code, strict, lenient string }{
		{`{1, 2, nil, 4}`, `[1,2,null,4]`, `[1,2,null,4]`},
		{`{[2]="b", [1]="a"}`, `["a","b"]`, `["a","b"]`},
		{`{[1.5]=1, x=2}`, `{"1.5":1,"x":2}`, `{"1.5":1,"x":2}`},
		{`{[1]="a", ["1"]="b", x=0}`, `not_serializable`, `{"1":"b","x":0}`},
		{`1/0`, `not_serializable`, `"Infinity"`},
		{`"\xff"`, `invalid_utf8`, `{"$base64":"/w=="}`},
		{`{["\xff"]=1}`, `invalid_utf8`, `{"` + "\uFFFD" + `":1}`},
		{`{[true]=1}`, `not_serializable`, `{"true":1}`},
		{`coroutine.create(print)`, `not_serializable`, `"<thread>"`},
		{`(function() local t = {} t.t = t return t end)()`, `not_serializable`, `not_serializable`},
		{`(function() local t = {} for i = 1, 200 do t = {t} end return t end)()`, `not_serializable`, `not_serializable`},
		{`("x"):rep(17 << 20)`, `too_large`, `too_large`},
		{`"<&>\u{2028}\1"`, "\"<&>\u2028\\u0001\"", "\"<&>\u2028\\u0001\""},
		{`math.mininteger`, `-9223372036854775808`, `-9223372036854775808`},
	}
	for _, c := range cases {
		v := eval(t, st, c.code)
		for _, lenient := range []bool{false, true} {
			want := c.strict
			if lenient {
				want = c.lenient
			}
			raw, err := b.AppendJSON(nil, nil, v, bind.EncodeOptions{Lenient: lenient})
			got := string(raw)
			if err != nil {
				got = string(fault.CodeOf(err))
			}
			if c.code == `{1, 2, nil, 4}` && !json.Valid(raw) {
				t.Errorf("%s: %s", c.code, raw)
				continue
			} else if c.code != `{1, 2, nil, 4}` && got != want {
				t.Errorf("%s (lenient %v): %.80s, want %s", c.code, lenient, got, want)
			}
		}
	}
}

func TestIndent(t *testing.T) {
	t.Parallel()
	st, b := bound(t, 0)
	raw, err := b.AppendJSON(nil, nil, eval(t, st, `{a={1, {}}, b={}}`), bind.EncodeOptions{Indent: 2})
	want := "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {}\n}"
	if err != nil || string(raw) != want {
		t.Errorf("%s, %v", raw, err)
	}
}

func TestLibraryErrors(t *testing.T) {
	t.Parallel()
	call := func(context.Context, script.Args) ([]any, error) { return nil, nil }
	for name, m := range map[string]bind.Module{
		"module name":  {Module: script.Module{Name: "a b"}},
		"no call":      {Module: script.Module{Name: "M", Funcs: []script.Func{{Name: "f"}}}},
		"twice":        {Module: script.Module{Name: "M", Funcs: []script.Func{{Name: "f", Call: call}, {Name: "g", Aliases: []string{"f"}, Call: call}}}},
		"raw":          {Module: script.Module{Name: "M"}, Raw: map[string]lua.GoFunc{"f": nil}},
		"variadic":     {Module: script.Module{Name: "M", Funcs: []script.Func{{Name: "f", Call: call, Params: []script.Param{{Name: "a", Variadic: true}, {Name: "b"}}}}}},
		"same param":   {Module: script.Module{Name: "M", Funcs: []script.Func{{Name: "f", Call: call, Params: []script.Param{{Name: "a"}, {Name: "a"}}}}}},
		"enum no text": {Module: script.Module{Name: "M", Funcs: []script.Func{{Name: "f", Call: call, Params: []script.Param{{Name: "a", Enum: []string{"x"}}}}}}},
	} {
		if _, err := bind.NewLibrary(m); err == nil || !strings.Contains(err.Error(), "M") && name != "module name" {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := bind.Module{Module: script.Module{Name: "M"}}
	if _, err := bind.NewLibrary(m, m); err == nil {
		t.Error("a module twice")
	}
}

func TestGeneratedDocuments(t *testing.T) {
	t.Parallel()
	one := 1.0
	call := func(context.Context, script.Args) ([]any, error) { return nil, nil }
	class := &script.Class{Name: "Thing", Doc: "A thing.", Fields: []script.Param{{Name: "id", Type: script.TypeString}},
		Methods: []script.Func{{Name: "stop", Doc: "Stops.", Call: call}}}
	m := bind.Module{Module: script.Module{Name: "M", Doc: "About M.", Classes: []*script.Class{class}, Fields: map[string]any{"null": 1}, Funcs: []script.Func{{
		Name: "save", Aliases: []string{"put"}, Doc: "Saves. More.", Blocking: true, Call: call, Example: "M.save('k')",
		Params: []script.Param{{Name: "key", Type: script.TypeString, Required: true, Doc: "the | key"},
			{Name: "end", Type: script.TypeOptions, Also: []script.Type{script.TypeBoolean}, Fields: []script.Param{
				{Name: "n", Type: script.TypeInteger, Min: &one, Default: 3}, {Name: "mode", Type: script.TypeString, Enum: []string{"a", "b"}}}}},
		Returns: []script.Return{{Type: script.TypeHandle, Class: "Thing", Name: "thing", Optional: true}},
	}}}}
	page := string(bind.Markdown(m))
	for _, want := range []string{"# M\n", "### `M.save(key, end?)`", "Also: `put`.", "| `key*` | string | the \\| key |", "| `end.n` | integer | at least 1; default 3 |",
		"Returns `thing` (Thing) or nil.", "## Thing", "### `:stop()`", "Fields: `M.null`"} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q:\n%s", want, page)
		}
	}
	stubs := string(bind.Stubs(m))
	for _, want := range []string{"---@meta", "---@class Thing", "function Thing:stop() end", "---@param end_? { n?: integer, mode?: \"a\"|\"b\" }|boolean",
		"---@return Thing? thing", "function M.put(key, end_) end", "---@field null any"} {
		if !strings.Contains(stubs, want) {
			t.Errorf("stubs lack %q:\n%s", want, stubs)
		}
	}
	if _, err := lua.Compile("=stubs", stubs, lua.CompileOptions{}); err != nil {
		t.Errorf("stubs are no Lua: %v", err)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.0,null,"\u00e9"]}`, `[[[]]]`, `-1e5`, `"\ud800\udc00"`, `{"a":1,"a":null}`} {
		f.Add(s)
	}
	st, b := bound(f, 0)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := b.ParseJSON(st, text, bind.ParseOptions{KeepNull: true})
		if (err == nil) != json.Valid([]byte(text)) && !tolerated(text, err) {
			t.Fatalf("%q: %v, encoding/json says %v", text, err, json.Valid([]byte(text)))
		}
		if err != nil {
			return
		}
		raw, err := b.AppendJSON(nil, nil, v, bind.EncodeOptions{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var mine, theirs any
		if json.Unmarshal(raw, &mine) != nil || json.Unmarshal([]byte(text), &theirs) != nil || !reflect.DeepEqual(mine, theirs) {
			t.Fatalf("%q became %s", text, raw)
		}
	})
}

// tolerated are inputs that encoding/json accepts and we refuse.
func tolerated(text string, err error) bool {
	if err == nil {
		return false
	}
	return strings.Contains(err.Error(), "UTF-8") || strings.Contains(err.Error(), "out of range") || strings.Contains(err.Error(), "nested")
}

func BenchmarkCall(b *testing.B) {
	m := bind.Module{Module: script.Module{Name: "M", Funcs: []script.Func{{
		Name: "f", Params: []script.Param{{Name: "s", Type: script.TypeString, Required: true}, {Name: "n", Type: script.TypeInteger}},
		Call: func(_ context.Context, a script.Args) ([]any, error) { return []any{a.Int(1)}, nil },
	}}}}
	st, _ := bound(b, 50_000_000, m)
	chunk, err := lua.Compile("=b", `local f = M.f for i = 1, 1000 do f("x", i) end`, lua.CompileOptions{})
	if err != nil {
		b.Fatal(err)
	}
	fn := st.Load(chunk)
	for b.Loop() {
		out := st.Run(fn, nil, lua.RunOptions{})
		if out.Main().Err != nil {
			b.Fatal(out.Main().Err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/call")
}

func BenchmarkParseAndEncode(b *testing.B) {
	st, bd := bound(b, 0)
	text := `{"items":[` + strings.Repeat(`{"id":12345,"name":"some name","tags":["a","b"],"price":12.5},`, 99) + `{"id":1}]}`
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		v, err := bd.ParseJSON(st, text, bind.ParseOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := bd.AppendJSON(nil, nil, v, bind.EncodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
