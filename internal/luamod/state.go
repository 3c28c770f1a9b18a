package luamod

import (
	"context"
	"fmt"
	"time"

	"github.com/llmspell/llmspell/internal/state"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/store"
)

// State is the global State: scoped, versioned values that outlive the script.
func State(e *state.Engine) script.Module {
	m := stateModule{e}
	rows := append(m.valueRows(), m.shortRows()...)
	rows = append(rows, m.atomicRows()...)
	rows = append(rows, m.keyRows()...)
	return script.Module{
		Name: "State",
		Doc: "Values that outlive the script, in scopes: global, session, agent:ID, tool:ID, workflow:ID, custom:ID and so on; another word is a custom scope. " +
			"A write is durable when the call returns.",
		Funcs: append(rows, m.componentRows()...),
	}
}

type stateModule struct{ e *state.Engine }

func stateScope() script.Param {
	return script.Param{Name: "scope", Type: script.TypeString, Required: true, Doc: "global, or kind:id"}
}

func stateKey() script.Param {
	return script.Param{Name: "key", Type: script.TypeString, Required: true, Doc: "1 to 256 bytes of UTF-8"}
}

func stateOptions(more ...script.Param) script.Param {
	return script.Param{Name: "options", Type: script.TypeOptions, Fields: append(more,
		script.Param{Name: "ttl_seconds", Type: script.TypeNumber, Min: new(0.001), Max: new(maxTTL), Doc: "time until the value expires; without it, never"},
		script.Param{Name: "if_version", Type: script.TypeInteger, Min: new(0.0), Doc: "write only over this version; 0 = only if absent"},
	)}
}

const maxTTL = 3.2e9 // seconds; about a hundred years

// options reads ttl_seconds and if_version of argument i.
func (stateModule) options(a script.Args, i int) state.Options {
	f := fieldSet(a.Map(i))
	return state.Options{TTL: f.seconds("ttl_seconds"), IfVersion: f.integer("if_version")}
}

func versionReturn() []script.Return {
	return []script.Return{{Type: script.TypeInteger, Name: "version", Doc: "positive, strictly rising, never used again"}}
}

func (m stateModule) valueRows() []script.Func {
	return []script.Func{{
		Name: "save", Blocking: true, Doc: "Stores a value and returns its version. Raises conflict if if_version does not hold, too_large above [runtime.state_persistence] max_state_size_bytes.",
		Params:  []script.Param{stateScope(), stateKey(), {Name: "value", Doc: "anything but nil, functions and handles"}, stateOptions()},
		Returns: versionReturn(),
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return one(m.e.Save(ctx, a.String(0), a.String(1), a.At(2), m.options(a, 3)))
		},
		Example: `State.save("custom:prefs", "colour", {r = 1.0}) return State.load("custom:prefs", "colour").r`,
	}, {
		Name: "load", Blocking: true, Doc: "Returns the value, or default if the key is absent or has expired.",
		Params:  []script.Param{stateScope(), stateKey(), {Name: "default"}},
		Returns: []script.Return{{Name: "value", Optional: true}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			v, _, err := m.load(ctx, a.String(0), a.String(1), a.At(2))
			return one(v, err)
		},
		Example: `return State.load("global", "no such key", "none")`,
	}, {
		Name: "delete", Blocking: true, Doc: "Removes a key and tells whether it existed.",
		Params:  []script.Param{stateScope(), stateKey()},
		Returns: []script.Return{{Type: script.TypeBoolean, Name: "existed"}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return one(m.e.Delete(ctx, a.String(0), a.String(1)))
		},
		Example: `State.save("global", "old", 1) return State.delete("global", "old")`,
	}, {
		Name: "list_keys", Blocking: true, Doc: "Lists the keys of a scope, sorted.",
		Params:  []script.Param{stateScope(), {Name: "prefix", Type: script.TypeString, Default: ""}},
		Returns: []script.Return{{Type: script.TypeArray, Doc: "keys as given, without scope"}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return m.keys(ctx, a.String(0), a.String(1))
		},
		Example: `State.save("custom:l", "a", 1) return State.list_keys("custom:l")`,
	}}
}

// load returns the value and version, or def and 0.
func (m stateModule) load(ctx context.Context, scope, key string, def any) (any, int64, error) {
	v, version, err := m.e.Load(ctx, scope, key)
	if err == nil && version == 0 {
		v = def
	}
	return v, version, err
}

func (m stateModule) keys(ctx context.Context, scope, prefix string) ([]any, error) {
	keys, err := m.e.Keys(ctx, scope, prefix)
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k
	}
	return []any{out}, err
}

func (m stateModule) shortRows() []script.Func {
	scope := script.Param{Name: "scope", Type: script.TypeString, Default: "global"}
	scoped := func(a script.Args, i int) string {
		if s := fieldSet(a.Map(i)).text("scope"); s != "" || a.Map(i)["scope"] != nil {
			return s
		}
		return "global"
	}
	return []script.Func{{
		Name: "get", Blocking: true, Doc: "Returns a value of the global or another scope, and its version (0 = absent).",
		Params: []script.Param{stateKey(), {Name: "options", Type: script.TypeOptions, Fields: []script.Param{scope, {Name: "default"}}}},
		Returns: []script.Return{
			{Name: "value", Optional: true}, {Type: script.TypeInteger, Name: "version"},
		},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			v, version, err := m.load(ctx, scoped(a, 1), a.String(0), a.Map(1)["default"])
			return []any{v, version}, err
		},
		Example: `State.set("k", 5) return (State.get("k"))`,
	}, {
		Name: "set", Blocking: true, Doc: "Stores a value in the global or another scope; nil deletes the key and returns 0.",
		Params:  []script.Param{stateKey(), {Name: "value"}, stateOptions(scope)},
		Returns: versionReturn(),
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			if a.At(1) != nil {
				return one(m.e.Save(ctx, scoped(a, 2), a.String(0), a.At(1), m.options(a, 2)))
			}
			o := m.options(a, 2)
			if o.IfVersion == nil {
				_, err := m.e.Delete(ctx, scoped(a, 2), a.String(0))
				return one(int64(0), err)
			}
			_, err := m.e.Update(ctx, scoped(a, 2), a.String(0), o, func(context.Context, any) (any, error) { return nil, nil })
			return one(int64(0), err)
		},
		Example: `return State.set("k", {1, 2}) > 0`,
	}, {
		Name: "list", Blocking: true, Doc: "Lists keys with what is known about them.",
		Params: []script.Param{
			{Name: "scope", Type: script.TypeString, Default: "global"},
			{Name: "options", Type: script.TypeOptions, Fields: []script.Param{
				{Name: "prefix", Type: script.TypeString, Default: ""},
				{Name: "limit", Type: script.TypeInteger, Default: int64(store.MaxPage), Min: new(1.0), Max: new(float64(store.MaxPage))},
				{Name: "after", Type: script.TypeString, Default: "", Doc: "the last key of the page before"},
			}},
		},
		Returns: []script.Return{{Type: script.TypeArray, Doc: "{key, version, size, updated_at, expires_at?}"}},
		Call:    m.list,
		Example: `State.set("k", "v") return State.list("global", {prefix = "k"})[1].key`,
	}}
}

func (m stateModule) list(ctx context.Context, a script.Args) ([]any, error) {
	f := fieldSet(a.Map(1))
	limit := f.whole("limit")
	if limit == 0 { // no options
		limit = store.MaxPage
	}
	items, err := m.e.List(ctx, a.String(0), f.text("prefix"), f.text("after"), limit)
	out := make([]any, len(items))
	for i, it := range items {
		entry := map[string]any{"key": it.Key, "version": it.Version, "size": it.Size, "updated_at": stateTime(it.UpdatedAt)}
		if !it.ExpiresAt.IsZero() {
			entry["expires_at"] = stateTime(it.ExpiresAt)
		}
		out[i] = entry
	}
	return []any{out}, err
}

func stateTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (m stateModule) atomicRows() []script.Func {
	return []script.Func{{
		Name: "cas", Blocking: true, Doc: "Compare and swap: writes only over the expected version and never raises on a mismatch.",
		Params: []script.Param{stateScope(), stateKey(),
			{Name: "expected_version", Type: script.TypeInteger, Required: true, Min: new(0.0), Doc: "0 = absent"},
			{Name: "value"}, casOptions()},
		Returns: []script.Return{{Type: script.TypeBoolean, Name: "ok"}, {Type: script.TypeInteger, Name: "version", Doc: "the current one"}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			ok, version, err := m.e.CAS(ctx, a.String(0), a.String(1), a.Int(2), a.At(3), m.options(a, 4))
			return []any{ok, version}, err
		},
		Example: `local v = State.set("k", 1) return (State.cas("global", "k", v, 2))`,
	}, {
		Name: "update", Blocking: true,
		Doc: "Replaces a value by what fn(old) returns; nil deletes the key. fn runs again when another writer was first, at most 16 times; then raises conflict.",
		Params: []script.Param{stateScope(), stateKey(),
			{Name: "fn", Type: script.TypeFunction, Required: true, Doc: "fn(old) returns the new value; old is nil if absent"}, stateOptions()},
		Returns: []script.Return{{Name: "value", Optional: true, Doc: "the new value"}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			fn := a.Func(2)
			defer fn.Release()
			return one(m.e.Update(ctx, a.String(0), a.String(1), m.options(a, 3), func(ctx context.Context, old any) (any, error) {
				got, err := fn.Call(ctx, old)
				if err != nil || len(got) == 0 {
					return nil, err
				}
				return got[0], nil
			}))
		},
		Example: `State.set("n", 5) return State.update("global", "n", function(old) return old * 2 end)`,
	}, {
		Name: "incr", Blocking: true, Doc: "Adds to a number, 0 if absent, in one atomic step. Raises invalid_state if the value is no number.",
		Params:  []script.Param{stateScope(), stateKey(), {Name: "by", Type: script.TypeNumber, Default: int64(1)}, stateOptions()},
		Returns: []script.Return{{Type: script.TypeNumber, Name: "sum"}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			by := a.At(2)
			if by == nil {
				by = int64(1)
			}
			return one(m.e.Increment(ctx, a.String(0), a.String(1), by, m.options(a, 3)))
		},
		Example: `return State.incr("custom:count", "hits") >= 1`,
	}}
}

// casOptions has no if_version: the expected version is an argument.
func casOptions() script.Param {
	p := stateOptions()
	p.Fields = without(p.Fields, "if_version")
	return p
}

func (m stateModule) keyRows() []script.Func {
	return []script.Func{{
		Name: "exists", Blocking: true, Doc: "Tells whether there is a value under a key.",
		Params:  []script.Param{stateScope(), stateKey()},
		Returns: []script.Return{{Type: script.TypeBoolean}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return one(m.e.Exists(ctx, a.String(0), a.String(1)))
		},
		Example: `return State.exists("global", "no such key")`,
	}, {
		Name: "ttl", Blocking: true, Doc: "Returns the seconds until a key expires, nil if it does not. With seconds sets them, 0 removes the expiry; raises not_found if there is no value.",
		Params: []script.Param{stateScope(), stateKey(),
			{Name: "seconds", Type: script.TypeNumber, Min: new(0.0), Max: new(maxTTL)}},
		Returns: []script.Return{{Type: script.TypeNumber, Name: "seconds", Optional: true}},
		Call:    m.ttl,
		Example: `State.set("k", 1, {ttl_seconds = 60}) return State.ttl("global", "k") > 50`,
	}, {
		Name: "clear", Blocking: true, Doc: "Deletes the keys of a scope and returns how many there were.",
		Params:  []script.Param{stateScope(), {Name: "prefix", Type: script.TypeString, Default: ""}},
		Returns: []script.Return{{Type: script.TypeInteger, Name: "count"}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return one(m.e.Clear(ctx, a.String(0), a.String(1)))
		},
		Example: `State.save("custom:tmp", "a", 1) return State.clear("custom:tmp") >= 1`,
	}}
}

func (m stateModule) ttl(ctx context.Context, a script.Args) ([]any, error) {
	if a.At(2) != nil {
		ttl := time.Duration(a.Float(2) * float64(time.Second))
		if err := m.e.SetTTL(ctx, a.String(0), a.String(1), ttl); err != nil {
			return nil, err
		}
	}
	left, ok, err := m.e.TTL(ctx, a.String(0), a.String(1))
	if !ok {
		return []any{nil}, err
	}
	return []any{left.Seconds()}, err
}

// componentRows are the forms with a scope of one kind: agent, tool, workflow.
func (m stateModule) componentRows() []script.Func {
	id := script.Param{Name: "id", Type: script.TypeString, Required: true, Doc: "name of the component"}
	get := func(kind, keyName string) script.Func {
		key := stateKey()
		key.Name = keyName
		return script.Func{
			Name: kind + "_get", Blocking: true, Doc: fmt.Sprintf("Returns a value of scope %s:<id>, nil if absent.", kind),
			Params: []script.Param{id, key}, Returns: []script.Return{{Name: "value", Optional: true}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				v, _, err := m.e.Load(ctx, kind+":"+a.String(0), a.String(1))
				return one(v, err)
			},
			Example: fmt.Sprintf(`return State.%s_get("x", "no such key")`, kind),
		}
	}
	set := func(kind string) script.Func {
		return script.Func{
			Name: kind + "_set", Blocking: true, Doc: fmt.Sprintf("Stores a value in scope %s:<id>.", kind),
			Params: []script.Param{id, stateKey(), {Name: "value"}}, Returns: versionReturn(),
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return one(m.e.Save(ctx, kind+":"+a.String(0), a.String(1), a.At(2), state.Options{}))
			},
			Example: fmt.Sprintf(`State.%[1]s_set("x", "k", 1) return State.%[1]s_get("x", "k")`, kind),
		}
	}
	return []script.Func{get("agent", "key"), set("agent"), get("tool", "key"), set("tool"), get("workflow", "step"), {
		Name: "workflow_list", Blocking: true, Doc: "Lists the keys of scope workflow:<id>, sorted.",
		Params: []script.Param{id}, Returns: []script.Return{{Type: script.TypeArray}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return m.keys(ctx, "workflow:"+a.String(0), "")
		},
		Example: `return #State.workflow_list("w")`,
	}}
}
