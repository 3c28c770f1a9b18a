package server

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `[{"a":{"a":[]}}]`, `{"a":1,"a":2}`, `"x"`, `{"a":1}}`, `[1,`, `{"k":"v","k2":["k2"]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v any
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/", strings.NewReader(s))
		_ = decode(w, r, 1<<16, &v)
	})
}

func TestCheckJSONKeysAndValues(t *testing.T) {
	t.Parallel()
	for s, ok := range map[string]bool{
		`{"a":"a","b":"a"}`:         true,
		`{"a":{"a":1},"b":{"a":1}}`: true,
		`[{"a":1},{"a":1}]`:         true,
		`{"a":["x","x"]}`:           true,
		`{"a":1,"a":1}`:             false,
		`{"a":{"b":1,"b":2}}`:       false,
		`{"a":[],"b":{},"a":0}`:     false,
		`1 2`:                       false,
	} {
		if err := checkJSON([]byte(s)); (err == nil) != ok {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestLimiterRefillsAndForgets(t *testing.T) {
	t.Parallel()
	l := newLimiter()
	now := time.Now()
	for range 3 {
		if _, _, ok := l.take("a", 3, now); !ok {
			t.Fatal("refused within the burst")
		}
	}
	_, wait, ok := l.take("a", 3, now)
	if ok || wait < 19*time.Second || wait > 21*time.Second {
		t.Errorf("over the rate: ok=%t wait=%v", ok, wait)
	}
	if _, _, ok := l.take("a", 3, now.Add(21*time.Second)); !ok {
		t.Error("not refilled")
	}
	for i := range maxBuckets + 10 {
		l.take(string(rune(i))+"x", 3, now.Add(time.Hour))
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(l.buckets))
	}
}

func TestRemoteAddrBehindProxies(t *testing.T) {
	t.Parallel()
	trusted := parsePrefixes([]string{"10.0.0.0/8", "192.0.2.1"})
	for _, c := range []struct{ peer, forwarded, want string }{
		{"198.51.100.7:1", "", "198.51.100.7"},
		{"198.51.100.7:1", "203.0.113.1", "198.51.100.7"},
		{"10.0.0.1:1", "203.0.113.1", "203.0.113.1"},
		{"10.0.0.1:1", "1.2.3.4, 203.0.113.1, 192.0.2.1", "203.0.113.1"},
		{"10.0.0.1:1", "junk", "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1", "203.0.113.1", "203.0.113.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := remoteAddr(r, trusted); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if !contains(trusted, netip.MustParseAddr("10.9.9.9")) {
		t.Error("prefix")
	}
}
