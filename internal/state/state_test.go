package state

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/store"
	"github.com/llmspell/llmspell/store/memstore"
)

type fixture struct {
	*Engine
	now   time.Time
	mu    sync.Mutex
	calls []string
}

func newFixture(t *testing.T) (*fixture, context.Context, *gate.Run) {
	t.Helper()
	f := &fixture{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	st := memstore.New(memstore.Params{Now: func() time.Time { return f.now }})
	t.Cleanup(func() { st.Close() })
	f.Engine = New(Params{KV: st.KV(), Now: func() time.Time { return f.now }, Emit: true})
	run := &gate.Run{Tenant: "t1", SessionID: "s1", Gate: gate.New(func(ctx context.Context, c *gate.Call, next gate.Handler) (any, error) {
		raw, err := json.Marshal(c.Args)
		if err != nil {
			t.Errorf("%s: arguments do not marshal: %v", c.Op, err)
		}
		f.mu.Lock()
		f.calls = append(f.calls, string(c.Kind)+"/"+c.Op+"/"+c.Target+" "+string(raw))
		f.mu.Unlock()
		v, err := next(ctx, c)
		if err != nil {
			return nil, err
		}
		// As a replay would: through the record.
		if raw, err = gate.Encode(v); err != nil {
			t.Errorf("%s: result does not encode: %v", c.Op, err)
			return v, nil
		}
		return c.Decode(raw)
	})}
	return f, gate.With(t.Context(), run), run
}

func TestScopes(t *testing.T) {
	t.Parallel()
	run := &gate.Run{Tenant: "t1", SessionID: "s1"}
	for in, want := range map[string]store.Scope{
		"global": {Kind: "global"}, "custom": {Kind: "custom"}, "custom:a:b": {Kind: "custom", ID: "a:b"}, "agent": {Kind: "agent"},
		"agent:x": {Kind: "agent", ID: "x"}, "tool": {Kind: "tool"}, "workflow:w": {Kind: "workflow", ID: "w"}, "hook:h": {Kind: "hook", ID: "h"},
		"session": {Kind: "session", ID: "s1"}, "session:s1": {Kind: "session", ID: "s1"}, "user:t1": {Kind: "user", ID: "t1"},
		"hook": {Kind: "custom", ID: "hook"}, "user": {Kind: "custom", ID: "user"}, "prefs": {Kind: "custom", ID: "prefs"}, "my:x": {Kind: "custom", ID: "my:x"},
	} {
		if got, err := ParseScope(in, run); err != nil || got != want {
			t.Errorf("ParseScope(%q) = %+v, %v; want %+v", in, got, err, want)
		}
	}
	for in, code := range map[string]fault.Code{
		"": fault.InvalidArgument, "agent:": fault.InvalidArgument, "session:": fault.InvalidArgument, "custom:a\n": fault.InvalidArgument,
		"session:s2": fault.Forbidden, "user:bob": fault.Forbidden, "x\xff": fault.InvalidArgument, strings.Repeat("x", 257): fault.InvalidArgument,
	} {
		if got, err := ParseScope(in, run); fault.CodeOf(err) != code || err == nil {
			t.Errorf("ParseScope(%.20q) = %+v, %v; want %s", in, got, err, code)
		}
	}
	if _, err := ParseScope("session", &gate.Run{Tenant: "t"}); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("session without one: %v", err)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	f, ctx, _ := newFixture(t)
	for _, v := range []any{
		int64(1), 1.0, math.Inf(1), int64(math.MinInt64), "", "\x00\xff", true, false, []any{}, map[string]any{},
		[]any{script.Null{}, int64(1)}, map[string]any{"a": 1.0, "$x": []any{"\xff"}, "b": map[string]any{}},
	} {
		version, err := f.Save(ctx, "custom", ":d:x", v, Options{})
		if err != nil || version < 1 {
			t.Fatalf("Save(%#v) = %d, %v", v, version, err)
		}
		got, have, err := f.Load(ctx, "custom", ":d:x")
		if err != nil || have != version || !reflect.DeepEqual(got, v) {
			t.Errorf("Load = %#v (version %d), %v; want %#v", got, have, err, v)
		}
	}
	if v, version, err := f.Load(ctx, "global", ":d:x"); v != nil || version != 0 || err != nil {
		t.Errorf("absent: %v, %d, %v", v, version, err)
	}
	deep := any("x")
	for range 200 {
		deep = []any{deep}
	}
	for _, c := range []struct {
		key  string
		v    any
		code fault.Code
	}{
		{"k", nil, fault.InvalidArgument}, {"", int64(1), fault.InvalidArgument}, {"a\x01", int64(1), fault.InvalidArgument}, {"a\xff", int64(1), fault.InvalidArgument},
		{strings.Repeat("k", 257), int64(1), fault.InvalidArgument}, {"k", strings.Repeat("x", MaxValueBytes), fault.TooLarge}, {"k", deep, fault.NotSerializable},
	} {
		if _, err := f.Save(ctx, "global", c.key, c.v, Options{}); fault.CodeOf(err) != c.code {
			t.Errorf("Save(%.10q, %.20v) = %v, want %s", c.key, c.v, err, c.code)
		}
	}
	if _, err := f.Save(t.Context(), "global", "k", int64(1), Options{}); err == nil {
		t.Error("a write without a run was taken")
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	f, ctx, _ := newFixture(t)
	v1, err := f.Save(ctx, "global", "k", int64(1), Options{IfVersion: new(int64(0))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Save(ctx, "global", "k", int64(2), Options{IfVersion: new(v1 + 99)}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("if_version: %v", err)
	}
	if ok, have, err := f.CAS(ctx, "global", "k", v1+99, int64(2), Options{}); ok || have != v1 || err != nil {
		t.Errorf("CAS = %v, %d, %v", ok, have, err)
	}
	if ok, have, err := f.CAS(ctx, "global", "k", v1, int64(2), Options{}); !ok || have <= v1 || err != nil {
		t.Errorf("CAS = %v, %d, %v", ok, have, err)
	}
	for _, want := range []bool{true, false} {
		if existed, err := f.Delete(ctx, "global", "k"); existed != want || err != nil {
			t.Errorf("Delete = %v, %v", existed, err)
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	f, ctx, _ := newFixture(t)
	tries := 0
	v, err := f.Update(ctx, "global", "n", Options{}, func(ctx context.Context, old any) (any, error) {
		if tries++; tries < 4 { // another writer in between
			if _, err := f.Save(ctx, "global", "n", int64(tries), Options{TTL: time.Minute}); err != nil {
				return nil, err
			}
		}
		n, _ := old.(int64)
		return n * 10, nil
	})
	if v != int64(30) || err != nil || tries != 4 {
		t.Errorf("Update = %v, %v after %d tries", v, err, tries)
	}
	if left, ok, err := f.TTL(ctx, "global", "n"); left != time.Minute || !ok || err != nil {
		t.Errorf("the update lost the expiry: %v, %v, %v", left, ok, err)
	}
	tries = 0
	_, err = f.Update(ctx, "global", "n", Options{}, func(ctx context.Context, old any) (any, error) {
		tries++
		_, err := f.Save(ctx, "global", "n", int64(tries), Options{})
		return int64(0), err
	})
	if fault.CodeOf(err) != fault.Conflict || tries != 16 {
		t.Errorf("endless conflict: %v after %d tries", err, tries)
	}
	boom := errors.New("boom")
	if _, err := f.Update(ctx, "global", "n", Options{}, func(context.Context, any) (any, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Errorf("error of fn: %v", err)
	}
	for range 2 {
		if v, err := f.Update(ctx, "global", "n", Options{}, func(context.Context, any) (any, error) { return nil, nil }); v != nil || err != nil {
			t.Errorf("delete by update: %v, %v", v, err)
		}
		if ok, err := f.Exists(ctx, "global", "n"); ok || err != nil {
			t.Errorf("Exists = %v, %v", ok, err)
		}
	}
	if _, err := f.Update(ctx, "global", "n", Options{IfVersion: new(int64(5))}, func(context.Context, any) (any, error) { return int64(1), nil }); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("if_version: %v", err)
	}
}

func TestIncrement(t *testing.T) {
	t.Parallel()
	f, ctx, _ := newFixture(t)
	for _, c := range []struct{ by, want any }{{int64(1), int64(1)}, {int64(4), int64(5)}, {int64(-7), int64(-2)}, {0.5, -1.5}, {int64(1), -0.5}} {
		if got, err := f.Increment(ctx, "global", "n", c.by, Options{}); got != c.want || err != nil {
			t.Errorf("Increment(%v) = %v, %v; want %v", c.by, got, err, c.want)
		}
	}
	for _, old := range []any{"1", true, int64(math.MaxInt64), []any{}} {
		if _, err := f.Save(ctx, "global", "n", old, Options{}); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Increment(ctx, "global", "n", int64(1), Options{}); fault.CodeOf(err) != fault.InvalidState {
			t.Errorf("Increment over %v = %v, %v", old, got, err)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, err := f.Increment(ctx, "custom:c", "n", int64(1), Options{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if v, _, err := f.Load(ctx, "custom:c", "n"); v != int64(400) || err != nil {
		t.Errorf("400 increments give %v, %v", v, err)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	f, ctx, _ := newFixture(t)
	if _, err := f.Save(ctx, "global", "k", int64(1), Options{TTL: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(4 * time.Second)
	if left, ok, err := f.TTL(ctx, "global", "k"); left != 6*time.Second || !ok || err != nil {
		t.Errorf("TTL = %v, %v, %v", left, ok, err)
	}
	if err := f.SetTTL(ctx, "global", "k", 0); err != nil {
		t.Error(err)
	}
	if _, ok, err := f.TTL(ctx, "global", "k"); ok || err != nil {
		t.Errorf("TTL = %v, %v", ok, err)
	}
	if err := f.SetTTL(ctx, "global", "k", time.Second); err != nil {
		t.Error(err)
	}
	f.now = f.now.Add(time.Second)
	if v, _, _ := f.Load(ctx, "global", "k"); v != nil {
		t.Errorf("expired value %v", v)
	}
	if err := f.SetTTL(ctx, "global", "k", time.Second); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("SetTTL of an absent key: %v", err)
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	f, ctx, run := newFixture(t)
	var events []any
	run.Emit = func(event string, data any) { events = append(events, event, data) }
	for _, k := range []string{"b", "a/2", "a/1"} {
		if _, err := f.Save(ctx, "agent:x", k, "v", Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := f.Keys(ctx, "agent:x", ""); err != nil || !reflect.DeepEqual(keys, []string{"a/1", "a/2", "b"}) {
		t.Errorf("Keys = %v, %v", keys, err)
	}
	if keys, err := f.Keys(ctx, "agent", ""); err != nil || len(keys) != 0 {
		t.Errorf("Keys of another scope = %v, %v", keys, err)
	}
	list, err := f.List(ctx, "agent:x", "a/", "a/1", 10)
	if err != nil || len(list) != 1 || list[0].Key != "a/2" || list[0].Size != 3 || !list[0].UpdatedAt.Equal(f.now) {
		t.Errorf("List = %+v, %v", list, err)
	}
	if n, err := f.Clear(ctx, "agent:x", "a/"); n != 2 || err != nil {
		t.Errorf("Clear = %d, %v", n, err)
	}
	if len(events) != 8 || events[0] != "state.changed" || events[1].(map[string]any)["key"] != "b" {
		t.Errorf("events %v", events)
	}
	if !strings.HasPrefix(f.calls[0], `state/save/agent {"scope":"agent:x","key":"b","value":"v"`) {
		t.Errorf("recorded %q", f.calls[0])
	}
}

func TestManyKeys(t *testing.T) {
	t.Parallel()
	f, ctx, _ := newFixture(t)
	const n = store.MaxPage + 5
	for i := range n {
		if _, err := f.Save(ctx, "global", string(rune('a'+i%26))+strings.Repeat("x", i/26), int64(i), Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := f.Keys(ctx, "global", ""); err != nil || len(keys) != n {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}
