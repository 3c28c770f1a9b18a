package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStateValuesAreExact(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	script := `State.save('global','v',{f=3.0, i=9007199254740993, s='\xff', l={1,2.5,true}, t='ä<'}) return 1`
	if resp, body := s.call("POST", "/execute", fmt.Sprintf(`{"code":%q}`, strings.ReplaceAll(script, `\xff`, `\255`))); resp.StatusCode != 200 {
		t.Fatal(body)
	}
	want := `{"f":3.0,"i":9007199254740993,"l":[1,2.5,true],"s":{"$base64":"/w=="},"t":"ä\u003c"}`
	if _, body := s.call("GET", "/v1/state/global/v", ""); body != want {
		t.Errorf("got %s\nwant %s", body, want)
	}
	for _, v := range []string{`3.0`, `-9223372036854775808`, `"x"`, `[null,1]`, `false`} {
		if resp, body := s.call("PUT", "/v1/state/global/p", v); resp.StatusCode != 200 {
			t.Errorf("PUT %s: %s", v, body)
		}
		if _, body := s.call("GET", "/v1/state/global/p", ""); body != v {
			t.Errorf("PUT %s gives %s", v, body)
		}
	}
	if resp, body := s.call("PUT", "/v1/state/global/p", `[1e999]`); resp.StatusCode != 400 {
		t.Errorf("a number beyond the floats: %s %s", resp.Status, body)
	}
}

func TestMembersAreCaseSensitive(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for body, want := range map[string]string{
		`{"Code":"return 1"}`:                   `unknown field \"Code\"`,
		`{"code":"return 1","CODE":"return 2"}`: `unknown field \"CODE\"`,
		`[1]`:                                   `the body: expected object, got array`,
	} {
		if resp, got := s.call("POST", "/execute", body); resp.StatusCode != 400 || !strings.Contains(got, want) {
			t.Errorf("%s: %s %s", body, resp.Status, got)
		}
	}
}

func TestMissingTokensLockNobodyOut(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for range maxFailedAuths + 5 {
		s.call("GET", "/v1/version", "", "Authorization", "")
	}
	if resp, body := s.call("GET", "/v1/version", ""); resp.StatusCode != 200 {
		t.Errorf("%s %s", resp.Status, body)
	}
}

func TestRefusedStreamRunsNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, "[kernel]\nmax_clients = 1\n")
	req, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/execute", strings.NewReader(`{"code":"while true do end"}`))
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp, body := s.call("POST", "/execute", `{"code":"while true do end"}`, "Accept", "text/event-stream"); resp.StatusCode != 503 || code(body) != "overloaded" {
		t.Errorf("%s %s", resp.Status, body)
	}
	if stats := s.kernel.Stats(); stats.ExecutionsRunning+stats.ExecutionsQueued != 1 {
		t.Errorf("executions after the refusal: %+v", stats)
	}
}

func TestShutdownTellsStreamsTheEnd(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, "")
	req, _ := http.NewRequest("POST", srv.Addrs().Endpoint+"/execute", strings.NewReader(`{"code":"while true do end"}`))
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	eventually(t, func() bool { return srv.kernel.Stats().ExecutionsRunning == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- srv.Shutdown(ctx) }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "event: run.") || !strings.Contains(string(body), "kernel is shutting down") || !strings.Contains(string(body), "urn:llmspell:error:interrupted") {
		t.Errorf("stream: %s, %v", body, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("an end at the shutdown time is an error: %v", err)
	}
}
