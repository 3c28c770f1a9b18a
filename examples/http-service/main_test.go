package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// serve starts the service and returns its settings; it is stopped with the test.
func serve(t *testing.T, token string) settings {
	t.Helper()
	s := settings{config: "config.toml", addr: "127.0.0.1:0", token: token}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	ready := make(chan net.Addr, 1)
	go func() { ended <- run(ctx, s, func(a net.Addr) { ready <- a }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
	select {
	case a := <-ready:
		s.addr = a.String()
	case err := <-ended:
		t.Fatal(err)
	}
	return s
}

func post(t *testing.T, s settings, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.addr+"/execute", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(data))
}

func TestExecute(t *testing.T) {
	s := serve(t, "")
	if status, body := post(t, s, `{"code":"return 42"}`); status != http.StatusOK || body != `{"result":"42"}` {
		t.Errorf("status %d, body %s", status, body)
	}
	status, body := post(t, s, `{"code":"return +"}`)
	var problem struct {
		Code string `json:"code"`
		Line int    `json:"line"`
	}
	if err := json.Unmarshal([]byte(body), &problem); err != nil || status != http.StatusUnprocessableEntity || problem.Code != "script_syntax" || problem.Line != 1 {
		t.Errorf("status %d, body %s", status, body)
	}
	if status, _ := post(t, s, "not json"); status != http.StatusBadRequest {
		t.Errorf("bad body: status %d", status)
	}
	if err := healthcheck(t.Context(), s); err != nil {
		t.Errorf("healthcheck: %v", err)
	}
}

func TestToken(t *testing.T) {
	s := serve(t, "0123456789abcdef")
	if status, _ := post(t, s, `{"code":"return 42"}`); status != http.StatusOK {
		t.Errorf("with the token: %d", status)
	}
	if err := healthcheck(t.Context(), s); err != nil {
		t.Errorf("healthcheck: %v", err)
	}
	s.token = ""
	if status, _ := post(t, s, `{"code":"return 42"}`); status != http.StatusUnauthorized {
		t.Errorf("without the token: %d", status)
	}
}

func TestRefusesToListenToTheWorldWithoutToken(t *testing.T) {
	err := run(t.Context(), settings{config: "config.toml", addr: "0.0.0.0:0"}, func(net.Addr) { t.Error("listens") })
	if err == nil {
		t.Error("no error")
	}
}
