package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/standard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testToken = "test-token-of-enough-bytes"

// newKernel returns a started kernel whose files are in a temporary directory.
func newKernel(t *testing.T, toml string) *llmspell.Kernel {
	t.Helper()
	k, err := standard.OpenParams(t.Context(), standard.Params{Config: newConfig(t, toml), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func newConfig(t *testing.T, toml string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{
		"LLMSPELL_TOKEN": testToken, "STATE_DIRECTORY": dir + "/state", "RUNTIME_DIRECTORY": dir + "/run", "LOGS_DIRECTORY": dir + "/log",
		"LLMSPELL_STORAGE_BACKEND": "memory", "LLMSPELL_KERNEL_PORT": "0",
	}
	cfg, err := config.Parse([]byte(toml), config.Params{Env: env, Cwd: dir, Home: dir, UID: 1000, Command: "kernel"})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// service is a handler under test with its kernel.
type service struct {
	t      *testing.T
	kernel *llmspell.Kernel
	url    string
}

func serve(t *testing.T, toml string) *service {
	t.Helper()
	k := newKernel(t, toml)
	srv := httptest.NewServer(Handler(k))
	t.Cleanup(srv.Close)
	return &service{t, k, srv.URL}
}

// call sends a request; headers are name, value pairs. The token is sent unless
// a header Authorization is given.
func (s *service) call(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testToken)
	for i := 0; i < len(headers); i += 2 {
		switch {
		case headers[i] == "Host":
			req.Host = headers[i+1]
		case headers[i+1] == "":
			req.Header.Del(headers[i])
		default:
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(data)
}

// code is the problem code of a body.
func code(body string) string {
	var p struct{ Code string }
	json.Unmarshal([]byte(body), &p)
	return p.Code
}

func TestExecute(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for _, media := range []string{"", "application/json", "application/x-www-form-urlencoded"} {
		resp, body := s.call("POST", "/execute", `{"code":"return 42"}`, "Content-Type", media)
		var out ExecuteResponse
		if err := json.Unmarshal([]byte(body), &out); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%q: %s %s", media, resp.Status, body)
		}
		if out.Result != "42" || string(out.Value) != "42" || out.RunID == "" || out.SessionID != "" {
			t.Errorf("%q: %s", media, body)
		}
	}
	_, body := s.call("POST", "/execute", `{"code":"print(ARGS.who, ARGS[1]) return {a=1, b={1,2}}, nil","args":{"who":"me","1":7}}`)
	var out map[string]any
	json.Unmarshal([]byte(body), &out)
	if out["output"] != "me\t7\n" {
		t.Errorf("output %q in %s", out["output"], body)
	}
	if got := fmt.Sprint(out["value"]); got != "[map[a:1 b:[1 2]] <nil>]" {
		t.Errorf("value %s", got)
	}
	for _, member := range []string{"usage", "duration_ms", "result"} {
		if _, ok := out[member]; !ok {
			t.Errorf("no %q in %s", member, body)
		}
	}
}

func TestErrorsOfExecute(t *testing.T) {
	t.Parallel()
	s := serve(t, "[security]\nmax_message_size_mb = 1\n[runtime.security]\nmax_instructions = 1000000\n")
	big := `{"code":"return 1","args":["` + strings.Repeat("x", 2<<20) + `"]}`
	deep := `{"code":"return 1","args":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`
	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
		code       string
	}{
		{name: "not JSON", body: `{"code":`, status: 400, code: "bad_json"},
		{name: "empty", body: ``, status: 400, code: "bad_json"},
		{name: "trailing data", body: `{"code":"return 1"} {}`, status: 400, code: "bad_json"},
		{name: "duplicate key", body: `{"code":"return 1","code":"return 2"}`, status: 400, code: "bad_json"},
		{name: "depth", body: deep, status: 400, code: "bad_json"},
		{name: "invalid UTF-8", body: "{\"code\":\"\xff\"}", status: 400, code: "bad_json"},
		{name: "unknown member", body: `{"code":"return 1","cod":2}`, status: 400, code: "unknown_field"},
		{name: "wrong type", body: `{"code":7}`, status: 400, code: "invalid_argument"},
		{name: "no code", body: `{}`, status: 400, code: "invalid_argument"},
		{name: "args", body: `{"code":"return 1","args":3}`, status: 400, code: "invalid_argument"},
		{name: "timeout", body: `{"code":"return 1","timeout":-1}`, status: 400, code: "invalid_argument"},
		{name: "durable", body: `{"code":"return 1","durable":true}`, status: 404, code: "component_disabled"},
		{name: "media type", body: `<x/>`, headers: []string{"Content-Type", "text/xml"}, status: 415, code: "unsupported_media_type"},
		{name: "compressed", body: `x`, headers: []string{"Content-Encoding", "gzip"}, status: 415, code: "unsupported_media_type"},
		{name: "oversize", body: big, status: 413, code: "message_too_large"},
		{name: "unknown session", body: `{"code":"return 1","session_id":"nope"}`, status: 404, code: "not_found"},
		{name: "syntax error", body: `{"code":"x = = 1"}`, status: 422, code: "script_syntax"},
		{name: "script error", body: `{"code":"error('boom')"}`, status: 422, code: "script_error"},
		{name: "runaway", body: `{"code":"while true do end"}`, status: 422, code: "instruction_limit"},
		{name: "deadline", body: `{"code":"while true do local t = {} end","timeout":0.05}`, status: 0, code: ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resp, body := s.call("POST", "/execute", c.body, c.headers...)
			if c.status == 0 { // whichever limit comes first
				if resp.StatusCode != 504 && resp.StatusCode != 422 {
					t.Errorf("%s %s", resp.Status, body)
				}
				return
			}
			if resp.StatusCode != c.status || code(body) != c.code {
				t.Errorf("%s %s, want %d %s", resp.Status, body, c.status, c.code)
			}
			if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("Content-Type %q", ct)
			}
			if resp.Header.Get("X-Request-Id") == "" || !strings.Contains(body, `"request_id":"`+resp.Header.Get("X-Request-Id")) {
				t.Errorf("request id missing in %s", body)
			}
		})
	}
}

func TestScriptErrorsTellWhere(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	_, body := s.call("POST", "/execute", `{"code":"print('before')\nlocal t\nreturn t.x"}`)
	var p Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	if p.Line != 3 || p.Output != "before\n" || p.RunID == "" || len(p.Traceback) == 0 || !strings.Contains(p.Detail, "attempt to index a nil value (local 't')") {
		t.Errorf("%s", body)
	}
	_, body = s.call("POST", "/execute", `{"code":"local x = 1\nlocal y = = 2"}`)
	p = Problem{}
	json.Unmarshal([]byte(body), &p)
	if p.Line != 2 || p.Column != 11 || !strings.Contains(p.Detail, "near '='") {
		t.Errorf("%s", body)
	}
}

func TestHostAndOrigin(t *testing.T) {
	t.Parallel()
	s := serve(t, "[security]\nallowed_hosts = [\"kernel.example\"]\nallowed_origins = [\"https://app.example\", \"notebook.example\"]\n")
	self := strings.TrimPrefix(s.url, "http://")
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"address", nil, 200},
		{"localhost", []string{"Host", "localhost:1"}, 200},
		{"allowed name", []string{"Host", "Kernel.Example:80"}, 200},
		{"host of an allowed origin", []string{"Host", "app.example"}, 200},
		{"rebinding", []string{"Host", "evil.example"}, 421},
		{"same origin", []string{"Origin", s.url}, 200},
		{"other port", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"allowed origin", []string{"Origin", "https://app.example"}, 200},
		{"wrong scheme", []string{"Origin", "http://app.example"}, 403},
		{"bare host, any port", []string{"Origin", "http://notebook.example:8888"}, 200},
		{"foreign", []string{"Origin", "https://evil.example"}, 403},
		{"null", []string{"Origin", "null"}, 403},
		{"cross-site without origin", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"same-site", []string{"Sec-Fetch-Site", "same-origin"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := s.call("GET", "/v1/version", "", c.headers...)
			if resp.StatusCode != c.status {
				t.Errorf("%s %s, want %d (server at %s)", resp.Status, body, c.status, self)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") == "*" {
				t.Error("wildcard origin")
			}
		})
	}
	resp, _ := s.call("OPTIONS", "/execute", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Authorization", "")
	if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || resp.Header.Get("Vary") == "" {
		t.Errorf("preflight: %s %v", resp.Status, resp.Header)
	}
	_, body := s.call("GET", "/v1/version", "", "Host", "evil.example")
	if !strings.Contains(body, `add \"evil.example\" to security.allowed_hosts`) {
		t.Errorf("421 without advice: %s", body)
	}
}

// TestEveryRouteDeclaresItsPolicy walks the table: no route answers before its
// policy, and no open route does more than probe.
func TestEveryRouteDeclaresItsPolicy(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for i, rt := range routes {
		name := rt.Method + " " + rt.Path
		if rt.Access == "" || rt.Summary == "" || rt.Status == 0 || rt.Handle == nil {
			t.Errorf("%s: incomplete row %+v", name, rt)
		}
		if rt.Access != accessOpen && !rt.OpenOnLoopback && !rt.Limited {
			t.Errorf("%s: needs a token but is not rate limited", name)
		}
		if rt.Access == accessOpen && rt.Method != "GET" {
			t.Errorf("%s: an open route that is not a GET", name)
		}
		path := pathParam.ReplaceAllString(rt.Path, "x")
		// A forwarded address a route keeps failed authentications from adding up.
		resp, body := s.call(rt.Method, path, "", "Authorization", "")
		want := 401
		if rt.Access == accessOpen || rt.OpenOnLoopback {
			want = 200
		}
		if i >= maxFailedAuths && want == 401 && resp.StatusCode == 429 {
			want = 429 // the limit on failed authentications
		}
		if resp.StatusCode != want {
			t.Errorf("%s without a token: %s %s, want %d", name, resp.Status, body, want)
		}
	}
	fresh := serve(t, "")
	secret, _, err := fresh.kernel.Infrastructure().TokenManager().Create(t.Context(), llmspell.TokenParams{Tenant: "default", Scopes: []string{"read"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range routes {
		if rt.Access != accessExecute && rt.Access != accessAdmin {
			continue
		}
		path := pathParam.ReplaceAllString(rt.Path, "x")
		if resp, body := fresh.call(rt.Method, path, "{}", "Authorization", "Bearer "+secret); resp.StatusCode != 403 {
			t.Errorf("%s %s with scope read: %s %s", rt.Method, rt.Path, resp.Status, body)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for _, h := range [][]string{
		{"Authorization", "Bearer " + testToken}, {"Authorization", "token " + testToken},
	} {
		if resp, body := s.call("GET", "/v1/version", "", h...); resp.StatusCode != 200 {
			t.Errorf("%v: %s %s", h, resp.Status, body)
		}
	}
	if resp, _ := s.call("GET", "/v1/version?token="+testToken, "", "Authorization", ""); resp.StatusCode != 200 {
		t.Errorf("query token: %s", resp.Status)
	}
	for _, h := range [][]string{{"Authorization", ""}, {"Authorization", "Bearer wrong"}, {"Authorization", "Basic " + testToken}} {
		resp, body := s.call("GET", "/v1/version", "", h...)
		if resp.StatusCode != 401 || code(body) != "unauthorized" || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%v: %s %s", h, resp.Status, body)
		}
	}
	_, body := s.call("POST", "/v1/tokens", `{"name":"ci","tenant":"acme","scopes":["execute"],"ttl_seconds":60}`)
	var made TokenResponse
	if err := json.Unmarshal([]byte(body), &made); err != nil || made.Token == "" || made.Tenant != "acme" {
		t.Fatalf("created %s", body)
	}
	auth := []string{"Authorization", "Bearer " + made.Token}
	if _, body := s.call("POST", "/execute", `{"code":"return 1"}`, auth...); !strings.Contains(body, `"result":"1"`) {
		t.Errorf("execute with the token: %s", body)
	}
	if resp, _ := s.call("GET", "/v1/tokens", "", auth...); resp.StatusCode != 403 {
		t.Errorf("tokens with scope execute: %s", resp.Status)
	}
	if _, body := s.call("GET", "/v1/tokens", ""); strings.Contains(body, made.Token) || !strings.Contains(body, made.ID) {
		t.Errorf("list %s", body)
	}
	if resp, _ := s.call("DELETE", "/v1/tokens/"+made.ID, ""); resp.StatusCode != 204 {
		t.Errorf("revoke: %s", resp.Status)
	}
	if resp, _ := s.call("GET", "/v1/version", "", auth...); resp.StatusCode != 401 {
		t.Errorf("revoked token: %s", resp.Status)
	}
}

func TestTenantsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	other, _, err := s.kernel.Infrastructure().TokenManager().Create(t.Context(), llmspell.TokenParams{Tenant: "other"})
	if err != nil {
		t.Fatal(err)
	}
	auth := []string{"Authorization", "Bearer " + other}
	_, body := s.call("POST", "/v1/sessions", `{"name":"mine"}`)
	var session llmspell.SessionInfo
	json.Unmarshal([]byte(body), &session)
	_, body = s.call("POST", "/execute", `{"code":"State.save('global','secret','canary') return 1"}`)
	var run ExecuteResponse
	json.Unmarshal([]byte(body), &run)
	for _, path := range []string{"/v1/sessions/" + session.ID, "/v1/runs/" + run.RunID, "/v1/runs/" + run.RunID + "/events", "/v1/state/global/secret"} {
		if resp, body := s.call("GET", path, "", auth...); resp.StatusCode != 404 || strings.Contains(body, "canary") {
			t.Errorf("GET %s as another tenant: %s %s", path, resp.Status, body)
		}
		if resp, body := s.call("GET", path, ""); resp.StatusCode != 200 {
			t.Errorf("GET %s: %s %s", path, resp.Status, body)
		}
	}
	if _, body := s.call("POST", "/execute", `{"code":"return State.load('global','secret','none')"}`, auth...); !strings.Contains(body, `"result":"none"`) {
		t.Errorf("state of another tenant: %s", body)
	}
	if resp, _ := s.call("POST", "/execute", `{"code":"return 1","session_id":"`+session.ID+`"}`, auth...); resp.StatusCode != 404 {
		t.Errorf("session of another tenant: %s", resp.Status)
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	resp, body := s.call("POST", "/v1/sessions", `{"name":"work"}`)
	var info llmspell.SessionInfo
	if err := json.Unmarshal([]byte(body), &info); err != nil || resp.StatusCode != 201 || resp.Header.Get("Location") != "/v1/sessions/"+info.ID {
		t.Fatalf("%s %s", resp.Status, body)
	}
	in := func(code string) string {
		_, body := s.call("POST", "/execute", fmt.Sprintf(`{"code":%q,"session_id":%q}`, code, info.ID))
		return body
	}
	in("x = 41")
	if body := in("return x + 1"); !strings.Contains(body, `"result":"42"`) {
		t.Errorf("globals are not kept: %s", body)
	}
	if _, body := s.call("POST", "/v1/sessions/"+info.ID+"/complete", `{"code":"return string.fo","cursor":16}`); !strings.Contains(body, "format") {
		t.Errorf("complete: %s", body)
	}
	if _, body := s.call("GET", "/v1/sessions", ""); !strings.Contains(body, info.ID) {
		t.Errorf("list: %s", body)
	}
	if resp, _ := s.call("POST", "/v1/sessions/"+info.ID+"/interrupt", ""); resp.StatusCode != 202 {
		t.Errorf("interrupt when idle: %s", resp.Status)
	}
	if resp, body := s.call("POST", "/v1/sessions", `{"durable":true}`); resp.StatusCode == 201 {
		t.Errorf("durable session pretended: %s", body)
	}
	if resp, _ := s.call("DELETE", "/v1/sessions/"+info.ID, ""); resp.StatusCode != 204 {
		t.Errorf("delete: %s", resp.Status)
	}
	if resp, _ := s.call("GET", "/v1/sessions/"+info.ID, ""); resp.StatusCode != 404 {
		t.Errorf("after delete: %s", resp.Status)
	}
}

func TestStreamAndResume(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	resp, whole := s.call("POST", "/execute", `{"code":"print('one') print('two') return 3"}`, "Accept", "text/event-stream")
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") || !strings.HasPrefix(whole, "retry: 2000\n\n") {
		t.Fatalf("%s %s", resp.Status, whole)
	}
	for _, want := range []string{"event: run.started\n", "event: output\n", `"text":"one\ntwo\n"`, "event: run.succeeded\n", `"result":"3"`} {
		if !strings.Contains(whole, want) {
			t.Errorf("no %q in\n%s", want, whole)
		}
	}
	location := resp.Header.Get("Location")
	frames := strings.SplitAfter(strings.TrimPrefix(whole, "retry: 2000\n\n"), "\n\n")
	for after := range len(frames) - 1 {
		want := strings.Join(frames[after:], "")
		if _, body := s.call("GET", location+fmt.Sprintf("/events?after=%d", after), ""); strings.TrimPrefix(body, "retry: 2000\n\n") != want {
			t.Errorf("after=%d:\n%s\nwant\n%s", after, body, want)
		}
		if _, body := s.call("GET", location+"/events", "", "Last-Event-ID", fmt.Sprint(after)); strings.TrimPrefix(body, "retry: 2000\n\n") != want {
			t.Errorf("Last-Event-ID %d differs", after)
		}
	}
	if resp, _ := s.call("GET", location+"/events?after=x", ""); resp.StatusCode != 400 {
		t.Errorf("after=x: %s", resp.Status)
	}
	_, failed := s.call("POST", "/execute", `{"code":"error({code='my_code', message='mine'})"}`, "Accept", "text/event-stream")
	if !strings.Contains(failed, "event: run.failed\n") || !strings.Contains(failed, `"code":"my_code"`) {
		t.Errorf("failure: %s", failed)
	}
}

func TestClientThatLeavesEndsAPlainExecution(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", s.url+"/execute", strings.NewReader(`{"code":"while true do end"}`))
	req.Header.Set("Authorization", "Bearer "+testToken)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("an endless execution answered")
	}
	eventually(t, func() bool { return s.kernel.Stats().ExecutionsRunning == 0 })
}

// eventually polls a condition for at most 5 s.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not happen within 5 s")
		}
	}
}

func TestRuns(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	resp, body := s.call("POST", "/v1/runs", `{"code":"while true do end"}`)
	var run RunResponse
	if err := json.Unmarshal([]byte(body), &run); err != nil || resp.StatusCode != 202 || resp.Header.Get("Location") != "/v1/runs/"+run.RunID {
		t.Fatalf("%s %s", resp.Status, body)
	}
	if resp, _ := s.call("POST", "/v1/runs/"+run.RunID+"/cancel", ""); resp.StatusCode != 202 {
		t.Errorf("cancel: %s", resp.Status)
	}
	eventually(t, func() bool {
		_, body := s.call("GET", "/v1/runs/"+run.RunID, "")
		return strings.Contains(body, `"status":"cancelled"`)
	})
	if _, body := s.call("GET", "/v1/runs", ""); !strings.Contains(body, run.RunID) {
		t.Errorf("list %s", body)
	}
	if resp, _ := s.call("POST", "/v1/runs/"+run.RunID+"/input", `{"text":"x"}`); resp.StatusCode != 404 && resp.StatusCode != 409 {
		t.Errorf("input to a run that asks for none: %s", resp.Status)
	}
}

func TestTools(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	if _, body := s.call("GET", "/v1/tools", ""); !strings.Contains(body, `"calculator"`) {
		t.Errorf("list %s", body)
	}
	if _, body := s.call("GET", "/v1/tools/calculator", ""); !strings.Contains(body, `"schema"`) {
		t.Errorf("info %s", body)
	}
	if resp, body := s.call("POST", "/v1/tools/calculator/invoke", `{"params":{"input":"6*7"}}`); resp.StatusCode != 200 || !strings.Contains(body, `"text":"42"`) {
		t.Errorf("invoke %s %s", resp.Status, body)
	}
	for path, want := range map[string]int{"/v1/tools/nope/invoke": 404, "/v1/tools/calculator/invoke": 400} {
		if resp, body := s.call("POST", path, `{"params":{"inptu":"1"}}`); resp.StatusCode != want {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
}

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	if _, body := s.call("GET", "/livez", "", "Authorization", ""); body != "ok\n" {
		t.Errorf("livez %q", body)
	}
	if resp, body := s.call("GET", "/readyz", "", "Authorization", ""); resp.StatusCode != 200 {
		t.Errorf("readyz %s %s", resp.Status, body)
	}
	_, open := s.call("GET", "/health", "", "Authorization", "")
	var m map[string]any
	json.Unmarshal([]byte(open), &m)
	if len(m) != 3 || m["version"] == nil || m["uptime_seconds"] == nil {
		t.Errorf("open health %s", open)
	}
	_, full := s.call("GET", "/health", "")
	for _, want := range []string{`"checks"`, `"storage"`, `"scheduler"`, `"rss_bytes"`, `"config"`, `"hash"`} {
		if !strings.Contains(full, want) {
			t.Errorf("no %s in %s", want, full)
		}
	}
	s.call("POST", "/execute", `{"code":"return 1"}`)
	_, metrics := s.call("GET", "/metrics", "", "Authorization", "")
	for _, want := range []string{
		`llmspell_executions_total{outcome="ok",source="http"} 1`, `llmspell_build_info{`, `llmspell_http_requests_total{code="2xx",method="POST",route="/execute"} 1`,
		`llmspell_sessions{durable="false"} 0`, `go_goroutines`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in metrics", want)
		}
	}
}

func TestOpenAPICoversTheRoutes(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	_, body := s.call("GET", "/openapi.json", "")
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%v %s", err, body)
	}
	n := 0
	for _, ops := range doc.Paths {
		n += len(ops)
	}
	if n != len(routes) {
		t.Errorf("%d operations for %d routes", n, len(routes))
	}
	for _, rt := range routes {
		if _, ok := doc.Paths[pathParam.ReplaceAllString(rt.Path, "{$1}")][strings.ToLower(rt.Method)]; !ok {
			t.Errorf("%s %s is not in the document", rt.Method, rt.Path)
		}
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := serve(t, "[security]\nrate_limit_per_minute = 5\n")
	for i := range 5 {
		if resp, body := s.call("GET", "/v1/version", ""); resp.StatusCode != 200 || resp.Header.Get("RateLimit-Limit") != "5" {
			t.Fatalf("request %d: %s %s", i, resp.Status, body)
		}
	}
	resp, body := s.call("GET", "/v1/version", "")
	if resp.StatusCode != 429 || code(body) != "rate_limited" || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s %s %v", resp.Status, body, resp.Header)
	}
	if resp, _ := s.call("GET", "/readyz", ""); resp.StatusCode != 200 {
		t.Errorf("a probe was limited: %s", resp.Status)
	}
}

func TestFailedAuthenticationsAreLimited(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	last := 0
	for range maxFailedAuths + 1 {
		resp, _ := s.call("GET", "/v1/version", "", "Authorization", "Bearer wrong")
		last = resp.StatusCode
	}
	if last != 429 {
		t.Errorf("after %d failures: %d", maxFailedAuths, last)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for path, want := range map[string]string{"/nope": "not_found", "/v1/agents": "component_disabled", "/api/kernels": "component_disabled"} {
		if _, body := s.call("GET", path, ""); code(body) != want {
			t.Errorf("GET %s: %s", path, body)
		}
	}
	resp, body := s.call("PUT", "/execute", "{}")
	if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
		t.Errorf("PUT /execute: %s %s %v", resp.Status, body, resp.Header)
	}
	if resp, _ := s.call("HEAD", "/health", ""); resp.StatusCode != 200 {
		t.Errorf("HEAD /health: %s", resp.Status)
	}
}

func start(t *testing.T, toml string) (*Server, *config.Config) {
	t.Helper()
	cfg := newConfig(t, toml)
	k, err := standard.New(t.Context(), standard.Params{Config: cfg, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := Start(t.Context(), k)
	if err != nil {
		k.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Shutdown(context.Background()) })
	return srv, cfg
}

func TestServerLifecycle(t *testing.T) {
	t.Parallel()
	pid := filepath.Join(t.TempDir(), "k.pid")
	srv, cfg := start(t, fmt.Sprintf("[daemon]\npid_file = %q\n", pid))
	record := filepath.Join(cfg.Paths.RuntimeDir, "kernels", srv.ID()+".json")
	for _, f := range []string{pid, record} {
		if _, err := os.Stat(f); err != nil {
			t.Error(err)
		}
	}
	resp, err := http.Get(srv.Addrs().Endpoint + "/readyz")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("readyz: %v %v", resp, err)
	}
	resp.Body.Close()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := srv.Wait(); err != nil {
		t.Error(err)
	}
	for _, f := range []string{pid, record} {
		if _, err := os.Stat(f); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", f, err)
		}
	}
	if _, err := net.Dial("tcp", srv.Addrs().HTTP); err == nil {
		t.Error("the port is still open")
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	cfg := newConfig(t, "")
	cfg.Kernel.Port = ln.Addr().(*net.TCPAddr).Port
	k, err := standard.New(t.Context(), standard.Params{Config: cfg, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	_, err = Start(t.Context(), k)
	if want := "Address already in use: " + ln.Addr().String(); err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
	if left, _ := filepath.Glob(filepath.Join(cfg.Paths.RuntimeDir, "kernels", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestExposedBindIsRefused(t *testing.T) {
	t.Parallel()
	cfg := newConfig(t, "")
	cfg.Kernel.Host = "0.0.0.0"
	if _, err := listen(cfg); err == nil || err.Error() != "refusing to listen on 0.0.0.0 without TLS" {
		t.Errorf("err = %v", err)
	}
}

func TestShutdownDrains(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, "")
	endpoint := srv.Addrs().Endpoint
	status := make(chan string, 1)
	go func() {
		req, _ := http.NewRequest("POST", endpoint+"/execute", strings.NewReader(`{"code":"while true do end"}`))
		req.Header.Set("Authorization", "Bearer "+testToken)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			status <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		status <- resp.Status + " " + string(body)
	}()
	eventually(t, func() bool { return srv.kernel.Stats().ExecutionsRunning == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- srv.Shutdown(ctx) }()
	eventually(t, func() bool { return srv.api.phase.Load().name == "draining" })
	if resp, err := http.Get(endpoint + "/readyz"); err == nil { // the listener stays open for probes
		if resp.StatusCode != 503 {
			t.Errorf("readyz while draining: %s", resp.Status)
		}
		resp.Body.Close()
	}
	<-done
	if got := <-status; !strings.HasPrefix(got, "409 ") || !strings.Contains(got, "shutting down") {
		t.Errorf("the interrupted execution got %s", got)
	}
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, "[kernel]\nidle_timeout = 1\n")
	done := make(chan error, 1)
	go func() { done <- srv.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("an idle kernel is still running")
	}
}

func TestConnectionCap(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, "[kernel]\nmax_connections = 2\n")
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", srv.Addrs().HTTP)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	eventually(t, func() bool { return srv.open.Load() == 2 })
	c, err := net.Dial("tcp", srv.Addrs().HTTP)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes from a connection over the limit", n)
	}
	if srv.refused.Load() != 1 {
		t.Errorf("refused = %d", srv.refused.Load())
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "in") })
	g := Guard{Token: "secret", AllowedHosts: []string{"svc.example"}}
	srv := httptest.NewServer(g.Wrap(h))
	defer srv.Close()
	s := &service{t: t, url: srv.URL}
	for _, c := range []struct {
		headers []string
		status  int
	}{
		{[]string{"Authorization", "Bearer secret"}, 200},
		{[]string{"Authorization", ""}, 401},
		{[]string{"Authorization", "Bearer secret", "Host", "evil.example"}, 421},
		{[]string{"Authorization", "Bearer secret", "Host", "svc.example"}, 200},
		{[]string{"Authorization", "Bearer secret", "Origin", "http://evil.example"}, 403},
	} {
		if resp, body := s.call("GET", "/", "", c.headers...); resp.StatusCode != c.status {
			t.Errorf("%v: %s %s", c.headers, resp.Status, body)
		}
	}
	if _, err := (Guard{}).Listen("0.0.0.0:0"); err == nil {
		t.Error("an exposed address without a token was bound")
	}
	ln, err := Guard{Token: "x"}.Listen("0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}
