package journal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
)

// fakeClock advances 7 ms a read.
func fakeClock() func() time.Time {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return func() time.Time { now = now.Add(7 * time.Millisecond); return now }
}

func on(t Tape) context.Context {
	return gate.With(context.Background(), &gate.Run{Gate: gate.New(t.Intercept)})
}

func do(ctx context.Context, kind gate.Kind, op string, args any, fn func(context.Context) (any, error)) (any, error) {
	return gate.Do(ctx, gate.Call{Kind: kind, Op: op, Args: args, Effect: gate.Read}, fn)
}

// session is a little run whose results depend on the world.
func session(t *testing.T, tape Tape, world func(name string) (any, error)) []any {
	t.Helper()
	ctx := gate.WithPath(on(tape), "1")
	var log []any
	call := func(ctx context.Context, name string) {
		v, err := do(ctx, gate.Tool, "execute", map[string]any{"name": name, "n": 1.0}, func(context.Context) (any, error) {
			tape.Rand(make([]byte, 5)) // draws and reads inside an effect are not repeated
			return world(name)
		})
		log = append(log, v)
		if err != nil {
			e, _ := errors.AsType[*fault.Error](err)
			log = append(log, *e)
		}
	}
	call(ctx, "a")
	log = append(log, tape.ScriptNow(), tape.ScriptNow())
	call(ctx, "fails")
	id := make([]byte, 16)
	tape.Rand(id)
	log = append(log, id, tape.Now())
	_, err := gate.Do(ctx, gate.Call{Kind: gate.Tool, Op: "script", Local: true}, func(ctx context.Context) (int, error) {
		call(gate.WithPath(ctx, "2"), "inner")
		return 0, nil
	})
	if err != nil {
		t.Error(err)
	}
	return append(log, tape.Now(), tape.ScriptNow())
}

func TestRecordAndReplay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	rec, err := Create(path, Header{RunID: "r1", ScriptHash: HashScript("x"), Seed: 7}, Params{Clock: fakeClock()})
	if err != nil {
		t.Fatal(err)
	}
	recorded := session(t, rec, func(name string) (any, error) {
		if name == "fails" {
			e := fault.Errorf(fault.ToolFailed, "it broke: %w", &fault.Error{Code: fault.Timeout, Message: "slow"})
			return nil, e.WithHint("try again").WithDetail("n", int64(3)).WithDetail("f", 3.0)
		}
		return map[string]any{"text": name, "bytes": "\xff\x00", "int": int64(3), "float": 3.0, "list": []any{nil}}, nil
	})
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	rep, err := Open(path, Params{})
	if err != nil {
		t.Fatal(err)
	}
	if h := rep.Header(); h.RunID != "r1" || h.Seed != 7 || h.ScriptHash != HashScript("x") {
		t.Errorf("header %+v", h)
	}
	replayed := session(t, rep, func(string) (any, error) { t.Error("the world was touched"); return nil, nil })
	if diff := cmp.Diff(recorded, replayed); diff != "" {
		t.Error(diff)
	}
	if err := rep.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// record writes a journal of read effects with the given operations.
func recordOps(t *testing.T, p Params, ops ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	rec, err := Create(path, Header{}, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		if _, err := do(on(rec), gate.State, op, map[string]any{"key": "k"}, func(context.Context) (any, error) { return op, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplayDifferences(t *testing.T) {
	t.Parallel()
	path := recordOps(t, Params{}, "get", "set")
	cases := map[string]struct {
		ops  []string
		want string // "" = no difference
	}{
		"same":   {[]string{"get", "set"}, ""},
		"order":  {[]string{"set", "get"}, `record 1: expected state get {"key":"k"}, got state set {"key":"k"}`},
		"other":  {[]string{"get", "delete"}, `record 2: expected state set {"key":"k"}, got state delete {"key":"k"}`},
		"longer": {[]string{"get", "set", "get"}, `the run asks for state get {"key":"k"}, but the journal ends here`},
		"short":  {[]string{"get"}, `the run ended, but record 2 (state set {"key":"k"}) was expected`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rep, err := Open(path, Params{})
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range c.ops {
				_, err = do(on(rep), gate.State, op, map[string]any{"key": "k"}, func(context.Context) (any, error) {
					t.Error("the world was touched")
					return nil, nil
				})
			}
			if err == nil {
				err = rep.Close()
			}
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (fault.CodeOf(err) != fault.Nondeterminism || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestOverlappingCalls(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	rec, err := Create(path, Header{}, Params{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := gate.WithPath(on(rec), "1.1")
	var all, started sync.WaitGroup
	started.Add(2)
	for _, op := range []string{"a", "b"} {
		all.Go(func() {
			_, _ = do(ctx, gate.LLM, op, nil, func(context.Context) (any, error) {
				started.Done()
				started.Wait()
				return op, nil
			})
		})
	}
	all.Wait()
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		rep, err := Open(path, Params{})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range order {
			v, err := do(gate.WithPath(on(rep), "1.1"), gate.LLM, op, nil, nil)
			if v != op || err != nil {
				t.Errorf("%v: %s = %v, %v", order, op, v, err)
			}
		}
	}
}

func TestNestedEffectsAreCovered(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	rec, err := Create(path, Header{}, Params{})
	if err != nil {
		t.Fatal(err)
	}
	outer := func(ctx context.Context) (any, error) {
		return do(ctx, gate.LLM, "chat", nil, func(context.Context) (any, error) { return "inner", nil })
	}
	if v, err := do(on(rec), gate.Tool, "execute", nil, outer); v != "inner" || err != nil {
		t.Fatal(v, err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := Open(path, Params{})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := do(on(rep), gate.Tool, "execute", nil, nil); v != "inner" || err != nil {
		t.Error(v, err)
	}
	if err := rep.Close(); err != nil {
		t.Error(err)
	}
}

func TestOnceEffectIsDurableBeforeItLeaves(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	rec, err := Create(path, Header{}, Params{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = gate.Do(on(rec), gate.Call{Kind: gate.Tool, Op: "execute", Target: "mail", Effect: gate.Once}, func(context.Context) (int, error) {
		raw, err := os.ReadFile(path)
		if !bytes.Contains(raw, []byte(`"intent":true`)) {
			t.Errorf("no intent in %s (%v)", raw, err)
		}
		return 1, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A crash right after the intent: the replay says where the run ended.
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	cut := raw[:bytes.LastIndexByte(raw, '\n')+1]
	rep, err := Read(bytes.NewReader(append(cut, `{"torn`...)), Params{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = gate.Do(on(rep), gate.Call{Kind: gate.Tool, Op: "execute", Target: "mail"}, func(context.Context) (int, error) { return 0, nil })
	if fault.CodeOf(err) != fault.Nondeterminism || !strings.Contains(err.Error(), "ended inside tool execute mail") {
		t.Error(err)
	}
}

func TestInterruptedEffectHasNoOutcome(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	rec, err := Create(path, Header{}, Params{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ctx = gate.With(ctx, &gate.Run{Gate: gate.New(rec.Intercept)})
	_, err = do(ctx, gate.LLM, "chat", nil, func(ctx context.Context) (any, error) { cancel(); return nil, ctx.Err() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := Open(path, Params{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.effects) != 0 {
		t.Errorf("%d effects", len(rep.effects))
	}
}

func TestRedaction(t *testing.T) {
	t.Parallel()
	const secret = "sk-123456"
	p := Params{Redact: func(s string) string { return strings.ReplaceAll(s, secret, "[redacted]") }}
	path := filepath.Join(t.TempDir(), "run.jsonl")
	rec, err := Create(path, Header{}, p)
	if err != nil {
		t.Fatal(err)
	}
	args := map[string]any{"key": secret}
	_, _ = do(on(rec), gate.Tool, "a", args, func(context.Context) (any, error) { return "got " + secret, nil })
	_, _ = do(on(rec), gate.Tool, "b", args, func(context.Context) (any, error) {
		return nil, fault.Errorf(fault.ToolFailed, "bad key %s", secret).WithDetail("key", secret)
	})
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil || bytes.Contains(raw, []byte(secret)) {
		t.Errorf("%s (%v)", raw, err)
	}
	rep, err := Open(path, p)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := do(on(rep), gate.Tool, "a", args, nil); v != "got [redacted]" || err != nil {
		t.Error(v, err)
	}
}

func TestChangedFileIsRefused(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(recordOps(t, Params{}, "get", "set", "get"))
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"changed": strings.Replace(string(raw), `"result":"set"`, `"result":"SET"`, 1),
		"removed": strings.Join(append(strings.SplitAfter(string(raw), "\n")[:2], strings.SplitAfter(string(raw), "\n")[3]), ""),
		"version": strings.Replace(string(raw), `"journal":1`, `"journal":9`, 1),
		"empty":   "",
		"no json": "nonsense\n",
	} {
		if _, err := Read(strings.NewReader(bad), Params{}); fault.CodeOf(err) != fault.ParseError {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecondEffectAfterDifferenceFails(t *testing.T) {
	t.Parallel()
	rep, err := Open(recordOps(t, Params{}, "get"), Params{})
	if err != nil {
		t.Fatal(err)
	}
	_, first := do(on(rep), gate.State, "other", nil, nil)
	_, second := do(on(rep), gate.State, "get", map[string]any{"key": "k"}, nil)
	if first == nil || second != first && second.Error() != first.Error() {
		t.Errorf("%v, then %v", first, second)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"journal":1,"run_id":"r","entropy":"00","started":"2026-01-02T03:04:05Z"}` + "\n"))
	f.Add([]byte(`{"journal":1}` + "\n" + `{"seq":1,"kind":"tool","op":"x","result":1,"prev_hash":"` + lineHash([]byte(`{"journal":1}`)) + `"}` + "\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rep, err := Read(bytes.NewReader(raw), Params{})
		if err != nil {
			return
		}
		rep.ScriptNow()
		_, _ = do(on(rep), gate.Tool, "x", nil, nil)
		_ = rep.Close()
	})
}

// TestTimeoutOfACallerIsAnOutcome: a caller inside the run gives up, the run goes on.
func TestTimeoutOfACallerIsAnOutcome(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	rec, err := Create(path, Header{}, Params{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(on(rec), time.Millisecond)
	defer cancel()
	_, err = do(ctx, gate.LLM, "chat", nil, func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := Open(path, Params{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := do(on(rep), gate.LLM, "chat", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("replayed: %v", err)
	}
}
