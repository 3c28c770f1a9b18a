package gate

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/llmspell/llmspell/fault"
)

func in(g *Gate) context.Context { return With(context.Background(), &Run{Gate: g}) }

func TestChainOrder(t *testing.T) {
	t.Parallel()
	var order []string
	mark := func(name string) Interceptor {
		return func(ctx context.Context, c *Call, next Handler) (any, error) {
			order = append(order, name+" in")
			v, err := next(ctx, c)
			order = append(order, name+" out")
			return v, err
		}
	}
	got, err := Do(in(New(mark("policy"), mark("journal"), mark("metrics"))), Call{Kind: Tool, Op: "execute"},
		func(context.Context) (int, error) { order = append(order, "work"); return 7, nil })
	if got != 7 || err != nil {
		t.Fatalf("Do = %v, %v", got, err)
	}
	want := []string{"policy in", "journal in", "metrics in", "work", "metrics out", "journal out", "policy out"}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestDoWithoutRun(t *testing.T) {
	t.Parallel()
	got, err := Do(context.Background(), Call{}, func(context.Context) (string, error) { return "bare", nil })
	if got != "bare" || err != nil {
		t.Errorf("Do = %q, %v", got, err)
	}
}

func TestDoReplacedResult(t *testing.T) {
	t.Parallel()
	replace := func(v any) Interceptor {
		return func(context.Context, *Call, Handler) (any, error) { return v, nil }
	}
	work := func(context.Context) (*int, error) { t.Error("work ran"); return nil, nil }
	if got, err := Do(in(New(replace(nil))), Call{}, work); got != nil || err != nil {
		t.Errorf("nil result: %v, %v", got, err)
	}
	if _, err := Do(in(New(replace("text"))), Call{}, work); fault.CodeOf(err) != fault.Internal {
		t.Errorf("wrong type: %v", err)
	}
}

func TestPanicBecomesFault(t *testing.T) {
	t.Parallel()
	boom := func(context.Context) (int, error) { panic("secret") }
	for name, ctx := range map[string]context.Context{"bare": context.Background(), "run": in(New())} {
		_, err := Do(ctx, Call{Kind: Tool, Op: "execute"}, boom)
		if fault.CodeOf(err) != fault.Internal || err.Error() != "tool execute failed unexpectedly" {
			t.Errorf("%s: %v", name, err)
		}
	}
	var seen error
	observer := Observe(func(_ context.Context, _ *Call, _ time.Duration, err error) { seen = err })
	if _, err := Do(in(New(observer)), Call{}, boom); err == nil || seen == nil {
		t.Errorf("observer saw %v, caller %v", seen, err)
	}
}

func TestPolicyStopsCall(t *testing.T) {
	t.Parallel()
	denied := &fault.Error{Code: fault.PolicyDenied, Message: "no"}
	policy := Policy(func(_ context.Context, c *Call) error {
		if c.Kind == File {
			return denied
		}
		return nil
	})
	ran := false
	work := func(context.Context) (int, error) { ran = true; return 1, nil }
	if _, err := Do(in(New(policy)), Call{Kind: File}, work); err != denied || ran {
		t.Errorf("err %v, ran %v", err, ran)
	}
	if _, err := Do(in(New(policy)), Call{Kind: Tool}, work); err != nil || !ran {
		t.Errorf("err %v, ran %v", err, ran)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wait := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
		_, err := Do(in(New(Timeout(time.Hour))), Call{Kind: LLM, Op: "chat", Target: "a/b", Timeout: time.Second, Effect: Read}, wait)
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.Code != fault.Timeout || !e.Retryable {
			t.Errorf("own timeout: %v", err)
		}
		ctx, cancel := context.WithTimeout(in(New(Timeout(time.Hour))), time.Minute)
		defer cancel()
		if _, err := Do(ctx, Call{}, wait); !errors.Is(err, context.DeadlineExceeded) || fault.CodeOf(err) == fault.Timeout {
			t.Errorf("end of the run: %v", err)
		}
	})
}

func TestCodecKeepsTypes(t *testing.T) {
	t.Parallel()
	type record struct {
		Name  string         `json:"name"`
		Data  any            `json:"data"`
		Extra map[string]any `json:"extra,omitempty"`
		When  time.Time      `json:"when"`
	}
	in := record{
		Name: "x",
		Data: []any{int64(3), 3.0, 0.5, "a", "\xff\x00", nil, true, math.Inf(1), map[string]any{}, []any{}, 1e300, int64(math.MinInt64)},
		Extra: map[string]any{"$base64": "not bytes", "$$x": 1.0, "deep": map[string]any{"$float": "NaN"},
			"list": []any{map[string]any{"$base64": "\xfe"}}},
		When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	raw, err := Encode(&in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Decode[*record](raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&in, out); diff != "" {
		t.Errorf("%s\n%s", raw, diff)
	}
	if v, err := Decode[any]([]byte(`{"$float":"NaN"}`)); err != nil || !math.IsNaN(v.(float64)) {
		t.Errorf("NaN: %v, %v", v, err)
	}
	if _, err := Encode(map[string]any{"\xff": 1}); fault.CodeOf(err) != fault.InvalidUTF8 {
		t.Errorf("key: %v", err)
	}
	loop := map[string]any{}
	loop["me"] = loop
	if _, err := Encode(loop); fault.CodeOf(err) != fault.NotSerializable {
		t.Errorf("cycle: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.0,{"$base64":"AA=="}]}`))
	f.Add([]byte(`{"$float":"+Inf"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := Decode[any](raw)
		if err != nil {
			return
		}
		again, err := Encode(v)
		if err != nil {
			return // a key that is not UTF-8
		}
		w, err := Decode[any](again)
		if err != nil {
			t.Fatalf("%q -> %q: %v", raw, again, err)
		}
		if third, _ := Encode(w); !reflect.DeepEqual(again, third) {
			t.Fatalf("%q -> %q -> %q", raw, again, third)
		}
	})
}

func TestLocal(t *testing.T) {
	t.Parallel()
	type key struct{}
	var closed []int
	l := NewLocal()
	for i := range 2 {
		got := LocalValue(l, key{}, func() (int, func()) { return i, func() { closed = append(closed, i) } })
		if got != 0 {
			t.Errorf("value %d", got)
		}
	}
	LocalValue(l, "second", func() (int, func()) { return 9, func() { closed = append(closed, 9) } })
	l.Close()
	l.Close()
	if !slices.Equal(closed, []int{9, 0}) {
		t.Errorf("closed %v", closed)
	}
}
