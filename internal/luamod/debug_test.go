package luamod_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/internal/luamod"
)

// fakeConfig is a small configuration.
type fakeConfig map[string]any

func (c fakeConfig) Get(path string) (any, bool) {
	var v any = map[string]any(c)
	if path == "" {
		return v, true
	}
	for _, name := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

func (c fakeConfig) JSON(string) ([]byte, error) { return json.Marshal(c) }

func sampleConfig(files bool) fakeConfig {
	return fakeConfig{
		"providers": map[string]any{"openai": map[string]any{"api_key": "[redacted]"}, "local": map[string]any{"enabled": true}, "default_provider": "openai"},
		"runtime":   map[string]any{"security": map[string]any{"allow_file_access": files, "allow_network_access": true, "allow_process_spawn": false}},
		"tools": map[string]any{
			"file_operations": map[string]any{"allowed_paths": []string{"/srv/data"}, "blocked_extensions": []any{"exe"}},
			"http_request":    map[string]any{"blocked_hosts": []string{"*.bad.org"}, "allowed_hosts": []string{}},
		},
	}
}

// session is an interpreter whose log is kept.
type session struct {
	in     *interp.Interp
	run    *gate.Run
	log    bytes.Buffer
	events []string
}

func newSession(t *testing.T, cfg luamod.ConfigSource) *session {
	t.Helper()
	lib, err := bind.NewLibrary(luamod.JSON(), luamod.Run(), luamod.Debug(), luamod.Logger(), luamod.Config(func() luamod.ConfigSource { return cfg }))
	if err != nil {
		t.Fatal(err)
	}
	in, err := interp.New(interp.Params{Library: lib, Seed: 1, MemoryLimit: 10 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	s := &session{in: in}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var mu sync.Mutex
	s.run = &gate.Run{
		ID: "run_1", SessionID: "s_1", Tenant: "t", Script: "x.lua", StartedAt: now, Local: gate.NewLocal(), Gate: gate.New(),
		Now:    func() time.Time { mu.Lock(); defer mu.Unlock(); now = now.Add(250 * time.Millisecond); return now },
		Logger: slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug - 4})),
		Emit: func(event string, data any) {
			raw, _ := json.Marshal(data)
			s.events = append(s.events, event+string(raw))
		},
	}
	return s
}

func (s *session) eval(t *testing.T, code string) string {
	t.Helper()
	res, err := s.in.Execute(t.Context(), interp.Request{Code: conformancePrelude + code, Run: s.run})
	if err != nil {
		return "! " + err.Error()
	}
	return string(res.Value)
}

func TestDebugMessages(t *testing.T) {
	t.Parallel()
	s := newSession(t, sampleConfig(false))
	if got := s.eval(t, `
		Debug.log("warn", "one", "mod") Debug.debug("hidden") Debug.info("two")
		Debug.logWithData("error", "three", {f = print, n = 1}, "m") Debug.log_with_data("info", "four", nil)
		Logger.with{user = "u"}:with{k = 1}:info("five", {k = 2}) Logger.warn("six")
		return #Debug.getCapturedEntries(), Debug.get_captured_entries(2)[1].message, Debug.getLevel()`); got != `[6,"five","info"]` {
		t.Errorf("got %s", got)
	}
	log := s.log.String()
	for _, want := range []string{`"level":"WARN","msg":"one"`, `"module":"mod"`, `"session_id":"s_1"`, `"script":"x.lua"`, `"data":{"f":"<function>","n":1}`, `"data":{"k":2,"user":"u"}`} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "hidden") || len(s.events) != 6 || s.events[0] != `log{"level":"warn","message":"one"}` {
		t.Errorf("%s\n%v", log, s.events)
	}
	// Settings hold for the session.
	if got := s.eval(t, `Debug.setLevel("trace") Debug.clearCaptured() Debug.trace("t") Debug.setEnabled(false) Debug.error("no") Debug.setEnabled(true)
		Debug.addModuleFilter("noisy.*", false) Debug.addAdvancedFilter("^keep", "regex", true) Debug.setDefaultFilterEnabled(false)
		Debug.info("a", "noisy.x") Debug.info("b", "keep.y") Debug.info("c", "other")
		local out = {} for i, e in ipairs(Debug.getCapturedEntries()) do out[i] = e.message end
		local sum = Debug.getFilterSummary()
		return out, sum.total_rules, sum.default_enabled, Debug.removeModuleFilter("^keep"), Debug.removeModuleFilter("zzz"), E(Debug.addAdvancedFilter, "(", "regex", true), E(Debug.log, "loud", "x")`,
	); got != `[["t","b"],2,false,true,false,"invalid_argument","invalid_argument"]` {
		t.Errorf("got %s", got)
	}
	if got := s.eval(t, `Debug.clearModuleFilters() Debug.setDefaultFilterEnabled(true) for i = 1, 1500 do Debug.trace("m" .. i) end local c = Debug.getCapturedEntries(5000) return #c, c[1].message, c[1000].message`); got != `[1000,"m501","m1500"]` {
		t.Errorf("ring: %s", got)
	}
}

func TestDebugTimers(t *testing.T) {
	t.Parallel()
	s := newSession(t, sampleConfig(false))
	got := s.eval(t, `local t = Debug.timer("load")
		local lap, one, two = t:lap("half"), t:stop(), t:stop()
		return lap, one == two, one == t:elapsed(), t.id, t.name, tostring(t), Debug.recordEvent(t.id, "e", {a = 1}), Debug.recordEvent("nope", "e"),
			JSON.parse(Debug.jsonReport()).timers[1].events[1].name, Debug.performanceReport():find("load") ~= nil, Debug.flameGraph()`)
	if got != `[250.0,true,true,"timer_1","load","Timer: load",true,false,"e",true,"x.lua;load;half 250000\nx.lua;load 250000\n"]` {
		t.Errorf("got %s", got)
	}
}

func TestDebugDumps(t *testing.T) {
	t.Parallel()
	s := newSession(t, sampleConfig(false))
	cases := []struct{ code, want string }{
		{`Debug.dumpCompact({1, "x", a = {b = true}, f = 1.5}, "v")`, `v: {1, "x", a = {b = true}, f = 1.5}`},
		{`(function() local t = {1} t.me = t return (Debug.dumpCompact(t):gsub("0x%x+", "ADDR")) end)()`, `{1, me = <cycle table: ADDR>}`},
		{`Debug.dumpWithOptions({1, 2, 3, s = ("x"):rep(10)}, {max_array_elements = 2, max_string_length = 4, compact_mode = true, show_types = false})`, `{1, 2, ... (1 more), s = "xxxx"... (10 bytes)}`},
		{`Debug.dumpWithOptions({a = {b = {}}}, {max_depth = 1, compact_mode = true, show_types = false})`, `{a = {...}}`},
		{`Debug.dumpWithOptions({a = 1}, {show_types = false, indent_size = 4})`, "{\n    a = 1\n}"},
		{`(Debug.dump({a = 1}):gsub("0x%x+", "ADDR"))`, "table: ADDR {\n  a = 1 (integer)\n}"},
	}
	for _, c := range cases {
		want, _ := json.Marshal(c.want)
		if got := s.eval(t, "return "+c.code); got != strings.ReplaceAll(strings.ReplaceAll(string(want), `\u003c`, "<"), `\u003e`, ">") {
			t.Errorf("%s:\n got %s\nwant %s", c.code, got, want)
		}
	}
	if got := s.eval(t, `return E(Debug.dumpWithOptions, 1, {depth = 1}), Debug.dump(nil), Debug.dump(print):sub(1, 9)`); got != `["invalid_argument","nil","function:"]` && !strings.HasPrefix(got, `["invalid_argument","nil","function`) {
		t.Errorf("got %s", got)
	}
}

func TestDebugFigures(t *testing.T) {
	t.Parallel()
	s := newSession(t, sampleConfig(false))
	got := s.eval(t, `local m, n = Debug.memoryStats(), Debug.memorySnapshot()
		local function inner() return Debug.stackTrace(), JSON.parse(Debug.stackTraceJson{max_depth = 1}) end
		local text, frames = inner()
		return m.used_bytes > 1000, m.limit_bytes, math.type(m.collections), type(n.timestamp), text:find("inner") ~= nil, #frames.frames, frames.frames[1].source,
			E(Debug.stackTrace, {capture_locals = true})`)
	if got != `[true,10485760,"integer","string",true,1,"execute","invalid_argument"]` {
		t.Errorf("got %s", got)
	}
}

func TestConfigRows(t *testing.T) {
	t.Parallel()
	cases := []struct{ code, want string }{
		{`return Config.get("runtime.security.allow_network_access"), Config.get("no.such", 5), Config.get("no.such")`, `[true,5,null]`},
		{`return Config.get().providers.openai.api_key`, `"[redacted]"`},
		{`return Config.getProvider("openai").api_key, Config.getProvider("nope"), Config.listProviders(), Config.list_providers()`, `["[redacted]",null,["local","openai"],["local","openai"]]`},
		{`return E(Config.getSection, "nope"), Config.getSection("tools").file_operations.allowed_paths, Config.getDefaultEngine()`, `["not_found",["/srv/data"],"lua"]`},
		{`return JSON.parse(Config.toJson()).providers.default_provider, Config.getSecurity().allow_process_spawn`, `["openai",false]`},
		{`return Config.isFileAccessAllowed(), Config.isFileAccessAllowed("/srv/data/x"), Config.isFileAccessAllowed("/srv/data/../x"), Config.isFileAccessAllowed("/srv/data/a.EXE"), Config.isFileAccessAllowed("/srv/database")`, `[true,true,false,false,false]`},
		{`return Config.isNetworkAccessAllowed(), Config.isNetworkAccessAllowed("go.dev"), Config.isNetworkAccessAllowed("x.bad.org"), Config.isNetworkAccessAllowed("127.0.0.1"), Config.isNetworkAccessAllowed("[::1]"), Config.isNetworkAccessAllowed("localhost")`, `[true,true,false,false,false,false]`},
		{`return Config.getPermissions()`, `{"database":false,"email":false,"env":false,"file_read":true,"file_write":true,"network":true,"process":false,"state_backup":false}`},
		{`local c = Config.get() c.runtime = nil return Config.get("runtime.security.allow_network_access")`, `true`},
	}
	s := newSession(t, sampleConfig(true))
	for _, c := range cases {
		if got := s.eval(t, c.code); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.code, got, c.want)
		}
	}
	if got := newSession(t, sampleConfig(false)).eval(t, `return Config.isFileAccessAllowed(), Config.getPermissions().file_read`); got != `[false,false]` {
		t.Errorf("without file access: %s", got)
	}
}

func TestJSONRows(t *testing.T) {
	t.Parallel()
	s := newSession(t, sampleConfig(false))
	cases := []struct{ code, want string }{
		{`return JSON.decode("[1,2]")[2], JSON.encode({})`, `[2,"{}"]`},
		{`return JSON.parse('{"a":null}').a, JSON.parse('{"a":null}', {null = "keep"}).a == JSON.null, JSON.parse("null")`, `[null,true,null]`},
		{`return E(JSON.parse, "[[[]]]", {max_depth = 1}), E(JSON.parse, "1", {depth = 1}), E(JSON.parse, 5)`, `["parse_error","invalid_argument","invalid_argument"]`},
		{`local _, e = pcall(JSON.parse, '{\n "a": x}') return e.details, e.message`, `[{"column":7,"line":2},"JSON line 2, column 7: expected a value, found 'x'"]`},
		{`return JSON.stringify({1}, true), JSON.stringify({a = 1}, {indent = 1}), JSON.stringify({f = print}, {lenient = true})`, `["[\n  1\n]","{\n \"a\": 1\n}","{\"f\":\"<function>\"}"]`},
		{`local t = {} return JSON.array(t) == t, JSON.is_array(t), JSON.is_array(JSON.object(t)), JSON.is_array{1}, JSON.is_array("x"), JSON.stringify{JSON.array(), {}}`, `[true,true,false,true,false,"[[],{}]"]`},
		{`return JSON.query({items = {{n = 1}, {n = 2.5}}}, ".items | map(.n) | add"), E(JSON.query, {}, "("), #JSON.query({}, "range(3)")`, `[[3.5],"parse_error",3]`},
		{`return E(JSON.query, {}, "[range(1e12)]"), E(JSON.query, 1, "env.HOME | error")`, ``},
		{`local ok, p = JSON.validate({n = "x"}, {type = "object", properties = {n = {type = "integer"}}}) return ok, #p, type(p[1].path), type(p[1].message)`, `[false,1,"string","string"]`},
		{`return JSON.validate({n = 1}, {type = "object", required = {"n"}}), E(JSON.validate, 1, {type = 5})`, `[true,"invalid_argument"]`},
		{`return JSON.merge({a = 1, b = {c = 1, d = 2}}, {a = JSON.null, b = {c = 5}, e = {1}})`, `{"b":{"c":5,"d":2},"e":[1]}`},
		{`return JSON.merge({a = 1}, "x"), JSON.merge("x", {a = {b = JSON.null}})`, `["x",{"a":{}}]`},
		{`return tostring(JSON.null), JSON.null == JSON.parse("[null]")[1], JSON.null and true`, `["null",true,true]`},
	}
	for _, c := range cases {
		if got := s.eval(t, c.code); got != c.want && c.want != "" {
			t.Errorf("%s:\n got %s\nwant %s", c.code, got, c.want)
		} else if c.want == "" && !strings.HasPrefix(got, `["`) {
			t.Errorf("%s: %s", c.code, got)
		}
	}
}

func TestRunRows(t *testing.T) {
	t.Parallel()
	s := newSession(t, sampleConfig(false))
	if got := s.eval(t, `return Run.id, Run.session_id, Run.tenant, Run.script, Run.started_at, Run.nope, Run.deadline(), Run.remaining_ms(), math.type(Run.now())`); got != `["run_1","s_1","t","x.lua","2026-01-02T03:04:05.000Z",null,null,null,"float"]` {
		t.Errorf("got %s", got)
	}
	start := time.Now()
	res, err := s.in.Execute(t.Context(), interp.Request{Run: s.run, Deadline: time.Now().Add(time.Minute), Code: conformancePrelude + `Run.sleep(30) local _, e = pcall(Run.fail, "c", "m", {k = 1})
		return #Run.deadline(), Run.remaining_ms() > 50000, E(Run.sleep, -1), E(Run.sleep, "x"), e.code, e.details`})
	if err != nil || string(res.Value) != `[24,true,"invalid_argument","invalid_argument","c",{"k":1}]` || time.Since(start) < 30*time.Millisecond {
		t.Errorf("%s, %v, %s", res.Value, err, time.Since(start))
	}
}

// TestRowExamples runs the examples of all rows.
func TestRowExamples(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	w := newWorld(t, refusing(t), tmp)
	ran := 0
	for _, m := range w.lib.Modules() {
		rows := slices.Clone(m.Funcs)
		for _, c := range m.Classes {
			rows = append(rows, c.Methods...)
		}
		for _, f := range rows {
			if f.Example == "" || m.Name == "Agent" || m.Name == "Provider" { // those ask models
				continue
			}
			ran++
			if got, _ := w.run(t, f.Example, tmp, nil); strings.HasPrefix(got, "! ") {
				t.Errorf("%s.%s: %s\n%s", m.Name, f.Name, got, f.Example)
			}
		}
	}
	if ran == 0 {
		t.Error("no examples")
	}
}
