package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadEvents(t *testing.T) {
	t.Parallel()
	const stream = "retry: 2000\n\n: ping\n\nid: 1\nevent: output\ndata: {\"a\":\ndata: 1}\n\nid: 2\r\nevent: run.succeeded\r\ndata: {}\r\n\r\nid: 3\revent: x\rdata: {}\r\r"
	for _, r := range []string{"whole", "bytewise"} {
		t.Run(r, func(t *testing.T) {
			t.Parallel()
			var got []string
			in := strings.NewReader(stream)
			seq := ReadEvents(in)
			if r == "bytewise" {
				seq = ReadEvents(iotest.OneByteReader(in))
			}
			for e, err := range seq {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Type+" "+string(e.Data))
			}
			want := "output {\"a\":\n1}|run.succeeded {}|x {}"
			if s := strings.Join(got, "|"); s != want {
				t.Errorf("got %q, want %q", s, want)
			}
		})
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add("id: 1\nevent: a\ndata: {}\n\n")
	f.Add("data\n\n:\nid:x\n")
	f.Fuzz(func(t *testing.T, s string) {
		for _, err := range ReadEvents(strings.NewReader(s)) {
			if err != nil {
				return
			}
		}
	})
}

func TestProblemsBecomeErrors(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("Authorization = %q", r.Header.Get("Authorization"))
		}
		w.WriteHeader(422)
		json.NewEncoder(w).Encode(Problem{Status: 422, Code: "script_error", Detail: "boom", Line: 3})
	}))
	defer srv.Close()
	c, err := New(Params{URL: srv.URL, Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Execute(t.Context(), ExecuteRequest{Code: "x"})
	p, ok := errors.AsType[*Problem](err)
	if !ok || p.Code != "script_error" || p.Line != 3 || err.Error() != "boom" {
		t.Fatalf("err = %#v", err)
	}
	for _, err := range c.Stream(t.Context(), ExecuteRequest{Code: "x"}) {
		if _, ok := errors.AsType[*Problem](err); !ok {
			t.Errorf("stream error %v", err)
		}
	}
}

func TestTokenNeedsTLSBeyondLoopback(t *testing.T) {
	t.Parallel()
	if _, err := New(Params{URL: "http://kernel.example:9555", Token: "t"}); err == nil {
		t.Error("a token would be sent in the clear")
	}
	for _, u := range []string{"http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://kernel.example"} {
		if _, err := New(Params{URL: u, Token: "t"}); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	for _, u := range []string{"", "kernel:1", "ftp://x", "http://"} {
		if _, err := New(Params{URL: u}); err == nil {
			t.Errorf("%q accepted", u)
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(nil)
	srv.Close()
	c, _ := New(Params{URL: srv.URL})
	_, err := c.Execute(t.Context(), ExecuteRequest{Code: "x"})
	if e, ok := errors.AsType[*ConnectError](err); !ok || "http://"+e.Addr != srv.URL {
		t.Errorf("err = %v", err)
	}
}
