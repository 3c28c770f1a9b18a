package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/llmspell/llmspell/fault"
)

// Guard is the kernel's own checks, for services with their own routes: Host,
// Origin and token, in that order. Without Token no token is asked; Host and
// Origin are still checked.
type Guard struct {
	Token                        string
	AllowedHosts, AllowedOrigins []string
	AllowInsecureBind            bool
}

// Listen binds addr ("host:port"). An address beyond loopback needs Token, or
// AllowInsecureBind.
func (g Guard) Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "listen address %q: %w", addr, err)
	}
	if !isLoopback(host) && g.Token == "" && !g.AllowInsecureBind {
		return nil, fault.Errorf(fault.PolicyDenied, "refusing to listen on %s without a token", host).
			WithHint("set a token, or security.allow_insecure_bind where a proxy protects it")
	}
	return net.Listen("tcp", addr)
}

// Wrap returns h behind the checks.
func (g Guard) Wrap(h http.Handler) http.Handler {
	hosts := newHostPolicy(g.AllowedHosts, g.AllowedOrigins)
	origins := originPolicy{g.AllowedOrigins}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := hosts.check(r.Host); err != nil {
			WriteProblem(w, err)
			return
		}
		origin, err := origins.allow(r)
		if err != nil {
			WriteProblem(w, err)
			return
		}
		if crossOrigin(w, r, origin) {
			return
		}
		if g.Token != "" && !sameSecret(presented(r), g.Token) {
			WriteProblem(w, errUnauthorized())
			return
		}
		h.ServeHTTP(w, r)
	})
}

func errUnauthorized() *fault.Error {
	return fault.Errorf(unauthorized, "a valid token is needed").
		WithHint("send the header Authorization: Bearer TOKEN; %q prints the local one", "llmspell token show")
}

// presented returns the token a request carries, "" for none.
func presented(r *http.Request) string {
	if h := r.Header.Get("Authorization"); h != "" {
		kind, token, _ := strings.Cut(h, " ")
		if strings.EqualFold(kind, "Bearer") || strings.EqualFold(kind, "token") {
			return strings.TrimSpace(token)
		}
		return ""
	}
	if strings.Contains(r.URL.RawQuery, "token=") {
		return r.URL.Query().Get("token")
	}
	return ""
}

// sameSecret compares in constant time, whatever the lengths.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// isLoopback reports whether host (name, address or "") binds loopback only.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// insecureBind is the refusal of an exposed address without TLS.
func insecureBind(host string) error {
	if host == "" {
		host = "all addresses"
	}
	return fault.Errorf(fault.PolicyDenied, "refusing to listen on %s without TLS", host).
		WithHint("bind to loopback, set security.tls_enabled, or security.allow_insecure_bind = true behind a proxy that encrypts")
}
