package canon

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/script"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, `null`},
		{int64(3), `3`},
		{3.0, `3.0`},
		{1e300, `1e+300`},
		{int64(math.MinInt64), `{"$int":"-9223372036854775808"}`},
		{math.Inf(-1), `{"$float":"-inf"}`},
		{"a\"\\\n\x01é", `"a\"\\\n\u0001é"`},
		{"\x00\xff", `{"$bytes":"AP8="}`},
		{[]any{}, `[]`},
		{map[string]any{}, `{}`},
		{[]any{script.Null{}, true}, `[null,true]`},
		{map[string]any{"b": int64(1), "a": []any{1.5}}, `{"a":[1.5],"b":1}`},
		{map[string]any{"$int": "5"}, `{"$map":[["$int","5"]]}`},
		{map[string]any{"\xff": int64(1)}, `{"$map":[[{"$bytes":"/w=="},1]]}`},
	} {
		got, err := Encode(c.v)
		if err != nil || string(got) != c.want {
			t.Errorf("Encode(%#v) = %s, %v; want %s", c.v, got, err, c.want)
		}
		if !json.Valid(got) {
			t.Errorf("Encode(%#v) is not JSON", c.v)
		}
		back, err := Decode(got)
		if err != nil || !reflect.DeepEqual(back, c.v) {
			t.Errorf("Decode(%s) = %#v, %v; want %#v", got, back, err, c.v)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	_, err := Encode(map[string]any{"a": []any{int64(1), func() {}}})
	if fault.CodeOf(err) != fault.NotSerializable || !strings.Contains(err.Error(), "$.a[2]") {
		t.Errorf("a function: %v", err)
	}
	deep := any("x")
	for range MaxDepth + 1 {
		deep = []any{deep}
	}
	if _, err := Encode(deep); fault.CodeOf(err) != fault.NotSerializable {
		t.Errorf("too deep: %v", err)
	}
	for _, s := range []string{"", "{", "1 2", `{"$int":"x"}`, `{"$bytes":"*"}`, `{"$map":1}`, `{"$map":[[1,2]]}`, `{"$float":"x"}`,
		strings.Repeat("[", 200) + strings.Repeat("]", 200)} {
		if _, err := Decode([]byte(s)); fault.CodeOf(err) != fault.ParseError {
			t.Errorf("Decode(%.20q) = %v, want parse_error", s, err)
		}
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	got, err := ParseJSON([]byte(`{"a":1,"b":1.0,"n":null,"l":[null,2],"big":12345678901234567890,"$int":"1"}`))
	want := map[string]any{"a": int64(1), "b": 1.0, "l": []any{script.Null{}, int64(2)}, "big": 12345678901234567890.0, "$int": "1"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got, err)
	}
}

// generate builds a value from arbitrary bytes.
func generate(p *[]byte, depth int) any {
	take := func(n int) []byte {
		n = min(n, len(*p))
		out := (*p)[:n]
		*p = (*p)[n:]
		return out
	}
	op := take(2)
	if len(op) < 2 {
		return script.Null{}
	}
	n := int(op[1]) % 9
	switch k := op[0] % 8; {
	case k == 0:
		return n%2 == 0
	case k == 1:
		var b [8]byte
		copy(b[:], take(8))
		return int64(binary.LittleEndian.Uint64(b[:]))
	case k == 2:
		var b [8]byte
		copy(b[:], take(8))
		f := math.Float64frombits(binary.LittleEndian.Uint64(b[:]))
		if math.IsNaN(f) {
			return 0.5
		}
		return f
	case k == 3 && depth < 20:
		l := []any{}
		for range n {
			l = append(l, generate(p, depth+1))
		}
		return l
	case k >= 4 && k <= 5 && depth < 20:
		m := map[string]any{}
		for range n {
			if v := generate(p, depth+1); v != (script.Null{}) {
				m[string(take(n))] = v
			}
		}
		return m
	}
	return string(take(n))
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("\x04\x03\x01\x01abcdefgh$int\x03\x02\x02\x02zzzzzzzz"))
	f.Fuzz(func(t *testing.T, p []byte) {
		v := generate(&p, 0)
		if m, ok := v.(map[string]any); ok && m == nil {
			return
		}
		raw, err := Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if v == (script.Null{}) {
			v = nil
		}
		if !reflect.DeepEqual(back, v) {
			t.Fatalf("%s: got %#v, want %#v", raw, back, v)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5,{"$bytes":"AP8="},{"$map":[["$x",null]]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := Decode(raw)
		if err != nil {
			return
		}
		once, err := Encode(v)
		if err != nil {
			if fault.CodeOf(err) != fault.NotSerializable {
				t.Fatal(err)
			}
			return
		}
		again, err := Decode(once)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Encode(again)
		if err != nil || string(once) != string(twice) {
			t.Fatalf("%s then %s (%v)", once, twice, err)
		}
	})
}
