// Package storetest is the conformance suite of stores. Every implementation
// runs it:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
//			return memstore.New(memstore.Params{Now: now})
//		})
//	}
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

// Open makes an empty store that reads its clock from now. The suite closes it.
type Open func(t *testing.T, now func() time.Time) store.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"values":      testValues,
		"versions":    testVersions,
		"isolation":   testIsolation,
		"listing":     testListing,
		"expiry":      testExpiry,
		"update":      testUpdate,
		"concurrency": testConcurrency,
		"refusals":    testRefusals,
		"tokens":      testTokens,
		"closed":      testClosed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{}
			f.clock.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMicro())
			f.st = open(t, f.now)
			t.Cleanup(func() { f.st.Close() })
			f.kv = f.st.KV()
			test(t, f)
		})
	}
}

type fixture struct {
	st    store.Store
	kv    store.KV
	clock atomic.Int64 // µs
}

func (f *fixture) now() time.Time          { return time.UnixMicro(f.clock.Load()).UTC() }
func (f *fixture) advance(d time.Duration) { f.clock.Add(d.Microseconds()) }

const tenant = store.Tenant("t1")

var global = store.Scope{Kind: "global"}

func (f *fixture) put(t *testing.T, key, value string, o store.PutOptions) int64 {
	t.Helper()
	v, err := f.kv.Put(t.Context(), tenant, global, key, []byte(value), o)
	if err != nil {
		t.Fatalf("Put %q: %v", key, err)
	}
	return v
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func testValues(t *testing.T, f *fixture) {
	ctx := t.Context()
	for _, value := range []string{"", "x", "\x00\xff\n", strings.Repeat("a", 1<<20)} {
		for _, key := range []string{"k", ":d:x", "ключ", "a'b\"c", "%", "_"} {
			f.put(t, key, value, store.PutOptions{})
			it, err := f.kv.Get(ctx, tenant, global, key)
			if err != nil || string(it.Value) != value || it.Key != key || it.Size != int64(len(value)) {
				t.Fatalf("Get %q: %d bytes (Size %d) of key %q, %v", key, len(it.Value), it.Size, it.Key, err)
			}
			if !it.UpdatedAt.Equal(f.now()) || !it.ExpiresAt.IsZero() {
				t.Errorf("times %v %v", it.UpdatedAt, it.ExpiresAt)
			}
		}
	}
	_, err := f.kv.Get(ctx, tenant, global, "absent")
	wantCode(t, err, fault.NotFound)
	for _, want := range []bool{true, false} {
		if existed, err := f.kv.Delete(ctx, tenant, global, "k"); err != nil || existed != want {
			t.Errorf("Delete = %v, %v; want %v", existed, err, want)
		}
	}
	_, err = f.kv.Get(ctx, tenant, global, "k")
	wantCode(t, err, fault.NotFound)
	if err := f.st.Ping(ctx); err != nil {
		t.Error(err)
	}
	if info, err := f.st.Info(ctx); err != nil || info.Backend == "" || info.Bytes == 0 || info.SchemaVersion < 1 {
		t.Errorf("Info = %+v, %v", info, err)
	}
}

func testVersions(t *testing.T, f *fixture) {
	ctx := t.Context()
	v1 := f.put(t, "a", "1", store.PutOptions{IfVersion: new(int64(0))})
	v2 := f.put(t, "b", "1", store.PutOptions{})
	v3 := f.put(t, "a", "2", store.PutOptions{IfVersion: &v1})
	if v1 < 1 || v2 <= v1 || v3 <= v2 {
		t.Errorf("versions %d %d %d do not rise", v1, v2, v3)
	}
	for _, stale := range []int64{0, v1, v3 + 1} {
		_, err := f.kv.Put(ctx, tenant, global, "a", []byte("x"), store.PutOptions{IfVersion: &stale})
		wantCode(t, err, fault.Conflict)
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.Details["version"] != v3 {
			t.Errorf("conflict details %v, want version %d", e.Details, v3)
		}
	}
	if _, err := f.kv.Delete(ctx, tenant, global, "a"); err != nil {
		t.Fatal(err)
	}
	if v := f.put(t, "a", "3", store.PutOptions{IfVersion: new(int64(0))}); v <= v3 {
		t.Errorf("version %d after delete, had %d", v, v3)
	}
	if n, err := f.kv.Clear(ctx, tenant, global, ""); err != nil || n != 2 {
		t.Errorf("Clear = %d, %v", n, err)
	}
	if v := f.put(t, "a", "4", store.PutOptions{}); v <= v3+1 {
		t.Errorf("version %d after clear", v)
	}
}

func testIsolation(t *testing.T, f *fixture) {
	ctx := t.Context()
	scopes := []store.Scope{{Kind: "global"}, {Kind: "custom"}, {Kind: "custom", ID: "a"}, {Kind: "custom", ID: "a:b"}, {Kind: "agent", ID: "a"}}
	put := func(ten store.Tenant, sc store.Scope) {
		if _, err := f.kv.Put(ctx, ten, sc, "k", []byte(string(ten)+sc.Kind+"/"+sc.ID), store.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, ten := range []store.Tenant{"t1", "t2"} {
		for _, sc := range scopes {
			put(ten, sc)
		}
	}
	if n, err := f.kv.Clear(ctx, "t2", scopes[2], ""); err != nil || n != 1 {
		t.Errorf("Clear = %d, %v", n, err)
	}
	for _, ten := range []store.Tenant{"t1", "t2"} {
		for i, sc := range scopes {
			it, err := f.kv.Get(ctx, ten, sc, "k")
			if ten == "t2" && i == 2 {
				wantCode(t, err, fault.NotFound)
				continue
			}
			if err != nil || string(it.Value) != string(ten)+sc.Kind+"/"+sc.ID {
				t.Errorf("%s %v: %q, %v", ten, sc, it.Value, err)
			}
		}
	}
	items, err := f.kv.List(ctx, "t3", global, "", "", 10)
	if err != nil || len(items) != 0 {
		t.Errorf("a fresh tenant sees %v, %v", items, err)
	}
}

func testListing(t *testing.T, f *fixture) {
	ctx := t.Context()
	keys := []string{"a", "a/1", "a/2", "a0", "b", "ÿ", "z%", "z_"}
	for _, k := range slices.Backward(keys) {
		f.put(t, k, "value of "+k, store.PutOptions{})
	}
	slices.Sort(keys)
	list := func(prefix, after string, limit int) (out []string) {
		t.Helper()
		items, err := f.kv.List(ctx, tenant, global, prefix, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			if it.Value != nil || it.Size != int64(len("value of ")+len(it.Key)) || it.Version < 1 || it.UpdatedAt.IsZero() {
				t.Errorf("item %+v", it)
			}
			out = append(out, it.Key)
		}
		return out
	}
	for _, c := range []struct {
		prefix, after string
		limit         int
		want          []string
	}{
		{"", "", 1000, keys},
		{"a/", "", 1000, []string{"a/1", "a/2"}},
		{"a/", "a/1", 1000, []string{"a/2"}},
		{"z%", "", 10, []string{"z%"}},
		{"ÿ", "", 10, []string{"ÿ"}},
		{"", "a", 2, []string{"a/1", "a/2"}},
		{"q", "", 10, nil},
	} {
		if got := list(c.prefix, c.after, c.limit); !slices.Equal(got, c.want) {
			t.Errorf("List(%q, %q, %d) = %q, want %q", c.prefix, c.after, c.limit, got, c.want)
		}
	}
	var paged []string
	for after := ""; ; after = paged[len(paged)-1] {
		page := list("", after, 3)
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
	}
	if !slices.Equal(paged, keys) {
		t.Errorf("paged %q", paged)
	}
	if n, err := f.kv.Clear(ctx, tenant, global, "a"); err != nil || n != 4 {
		t.Errorf("Clear = %d, %v", n, err)
	}
}

func testExpiry(t *testing.T, f *fixture) {
	ctx := t.Context()
	v := f.put(t, "k", "1", store.PutOptions{TTL: 10 * time.Second})
	f.put(t, "keep", "1", store.PutOptions{})
	it, err := f.kv.Get(ctx, tenant, global, "k")
	if err != nil || !it.ExpiresAt.Equal(f.now().Add(10*time.Second)) {
		t.Errorf("ExpiresAt %v, %v", it.ExpiresAt, err)
	}
	f.put(t, "k", "2", store.PutOptions{KeepTTL: true})
	f.put(t, "keep", "2", store.PutOptions{KeepTTL: true})
	f.advance(9 * time.Second)
	if err := f.kv.Touch(ctx, tenant, global, "k", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	f.advance(4 * time.Second)
	if _, err := f.kv.Get(ctx, tenant, global, "k"); err != nil {
		t.Errorf("touched key: %v", err)
	}
	f.advance(time.Second)
	_, err = f.kv.Get(ctx, tenant, global, "k")
	wantCode(t, err, fault.NotFound)
	wantCode(t, f.kv.Touch(ctx, tenant, global, "k", time.Hour), fault.NotFound)
	if items, _ := f.kv.List(ctx, tenant, global, "", "", 10); len(items) != 1 || items[0].Key != "keep" {
		t.Errorf("List shows %v", items)
	}
	if existed, err := f.kv.Delete(ctx, tenant, global, "k"); existed || err != nil {
		t.Errorf("Delete of an expired key = %v, %v", existed, err)
	}
	for _, k := range []string{"x", "y", "z"} {
		f.put(t, k, "1", store.PutOptions{TTL: time.Second})
	}
	f.advance(time.Second)
	if again := f.put(t, "x", "2", store.PutOptions{IfVersion: new(int64(0))}); again <= v {
		t.Errorf("version %d over an expired key", again)
	}
	if c, ok := f.st.(store.Collector); ok {
		for _, want := range []int64{1, 1, 0} {
			if n, err := c.Collect(ctx, 1); err != nil || n != want {
				t.Errorf("Collect = %d, %v; want %d", n, err, want)
			}
		}
	}
	if err := f.kv.Touch(ctx, tenant, global, "keep", 0); err != nil {
		t.Error(err)
	}
	if n, err := f.kv.Clear(ctx, tenant, global, ""); err != nil || n != 2 {
		t.Errorf("Clear = %d, %v; want x and keep", n, err)
	}
}

func testUpdate(t *testing.T, f *fixture) {
	ctx := t.Context()
	add := func(s string) func(*store.Item) ([]byte, error) {
		return func(it *store.Item) ([]byte, error) {
			if it == nil {
				return []byte(s), nil
			}
			return append(it.Value, s...), nil
		}
	}
	for i, want := range []string{"a", "ab"} {
		it, err := f.kv.Update(ctx, tenant, global, "k", store.PutOptions{}, add(string(rune('a'+i))))
		if err != nil || string(it.Value) != want || it.Version < 1 || it.Size != int64(len(want)) {
			t.Errorf("Update = %+v, %v", it, err)
		}
	}
	boom := errors.New("boom")
	_, err := f.kv.Update(ctx, tenant, global, "k", store.PutOptions{}, func(*store.Item) ([]byte, error) { return nil, boom })
	if err != boom {
		t.Errorf("error of fn: %v", err)
	}
	if it, err := f.kv.Get(ctx, tenant, global, "k"); err != nil || string(it.Value) != "ab" {
		t.Errorf("after a failed update: %q, %v", it.Value, err)
	}
	it, err := f.kv.Update(ctx, tenant, global, "k", store.PutOptions{}, func(*store.Item) ([]byte, error) { return nil, nil })
	if err != nil || it.Version != 0 {
		t.Errorf("delete by update: %+v, %v", it, err)
	}
	_, err = f.kv.Get(ctx, tenant, global, "k")
	wantCode(t, err, fault.NotFound)
}

func testConcurrency(t *testing.T, f *fixture) {
	ctx := t.Context()
	const workers, rounds = 16, 25
	var wg sync.WaitGroup
	versions := make([][]int64, workers)
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				_, err := f.kv.Update(ctx, tenant, global, "n", store.PutOptions{}, func(it *store.Item) ([]byte, error) {
					if it == nil {
						return []byte{1}, nil
					}
					return append(it.Value, 1), nil
				})
				if err != nil {
					t.Error(err)
				}
				key := fmt.Sprintf("w%d-%d", w, i)
				v, err := f.kv.Put(ctx, tenant, global, key, []byte(key), store.PutOptions{})
				if err != nil {
					t.Error(err)
				}
				versions[w] = append(versions[w], v)
				if it, err := f.kv.Get(ctx, tenant, global, key); err != nil || string(it.Value) != key || it.Version != v {
					t.Errorf("read of an own write: %+v, %v", it, err)
				}
			}
		})
	}
	wg.Wait()
	if it, err := f.kv.Get(ctx, tenant, global, "n"); err != nil || len(it.Value) != workers*rounds {
		t.Errorf("%d updates, want %d (%v)", len(it.Value), workers*rounds, err)
	}
	seen := map[int64]bool{}
	for _, vs := range versions {
		if !slices.IsSorted(vs) {
			t.Error("the versions of one writer do not rise")
		}
		for _, v := range vs {
			if seen[v] {
				t.Errorf("version %d twice", v)
			}
			seen[v] = true
		}
	}
}

func testRefusals(t *testing.T, f *fixture) {
	ctx := t.Context()
	_, err := f.kv.Put(ctx, "", global, "k", nil, store.PutOptions{})
	if err == nil {
		t.Error("a write without a tenant was taken")
	}
	_, err = f.kv.Put(ctx, tenant, store.Scope{}, "k", nil, store.PutOptions{})
	wantCode(t, err, fault.InvalidArgument)
	_, err = f.kv.Put(ctx, tenant, global, "", nil, store.PutOptions{})
	wantCode(t, err, fault.InvalidArgument)
	for _, limit := range []int{0, store.MaxPage + 1} {
		_, err = f.kv.List(ctx, tenant, global, "", "", limit)
		wantCode(t, err, fault.InvalidArgument)
	}
	dead, cancel := context.WithCancel(ctx)
	cancel()
	_, err = f.kv.Put(dead, tenant, global, "k", []byte("x"), store.PutOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled Put: %v", err)
	}
	_, err = f.kv.Get(ctx, tenant, global, "k")
	wantCode(t, err, fault.NotFound)
}

func testTokens(t *testing.T, f *fixture) {
	ctx, tokens := t.Context(), f.st.Tokens()
	a := store.Token{ID: "a", Hash: [32]byte{1}, Name: "ci", Tenant: "t1", Scopes: []string{"run", "admin"}, CreatedAt: f.now()}
	b := store.Token{ID: "b", Hash: [32]byte{2}, Tenant: "t2", CreatedAt: f.now(), ExpiresAt: f.now().Add(time.Minute)}
	for _, tok := range []store.Token{b, a} {
		if err := tokens.Create(ctx, tok); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, tokens.Create(ctx, store.Token{ID: "a", Hash: [32]byte{9}, Tenant: "t1"}), fault.AlreadyExists)
	wantCode(t, tokens.Create(ctx, store.Token{ID: "c", Hash: [32]byte{1}, Tenant: "t1"}), fault.AlreadyExists)
	wantCode(t, tokens.Create(ctx, store.Token{ID: "c", Hash: [32]byte{3}}), fault.InvalidArgument)
	got, err := tokens.Lookup(ctx, a.Hash)
	if err != nil || got.ID != "a" || got.Name != "ci" || got.Tenant != "t1" || !slices.Equal(got.Scopes, a.Scopes) || !got.CreatedAt.Equal(a.CreatedAt) || got.Hash != a.Hash {
		t.Errorf("Lookup = %+v, %v", got, err)
	}
	if got, err := tokens.Lookup(ctx, b.Hash); err != nil || !got.ExpiresAt.Equal(b.ExpiresAt) {
		t.Errorf("Lookup = %+v, %v", got, err)
	}
	f.advance(time.Minute)
	_, err = tokens.Lookup(ctx, b.Hash)
	wantCode(t, err, fault.NotFound)
	if all, err := tokens.List(ctx); err != nil || len(all) != 2 || all[0].ID != "a" {
		t.Errorf("List = %+v, %v", all, err)
	}
	if err := tokens.Revoke(ctx, "a"); err != nil {
		t.Error(err)
	}
	wantCode(t, tokens.Revoke(ctx, "a"), fault.NotFound)
	_, err = tokens.Lookup(ctx, a.Hash)
	wantCode(t, err, fault.NotFound)
}

func testClosed(t *testing.T, f *fixture) {
	for range 2 {
		if err := f.st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	_, err := f.kv.Put(t.Context(), tenant, global, "k", []byte("x"), store.PutOptions{})
	wantCode(t, err, fault.StorageUnavailable)
	_, err = f.kv.Get(t.Context(), tenant, global, "k")
	wantCode(t, err, fault.StorageUnavailable)
	wantCode(t, f.st.Ping(t.Context()), fault.StorageUnavailable)
}
