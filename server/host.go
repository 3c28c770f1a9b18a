package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/fault"
)

// loopbackNames are the Host names that always reach this machine.
var loopbackNames = []string{"localhost", "localhost.localdomain", "ip6-localhost"}

// hostPolicy decides which Host headers are served: IP literals, loopback
// names, and the listed ones. DNS rebinding needs a name.
type hostPolicy struct{ names []string }

// newHostPolicy allows names and the hosts of origins.
func newHostPolicy(names, origins []string) hostPolicy {
	p := hostPolicy{}
	for _, n := range slices.Concat(loopbackNames, names) {
		p.names = append(p.names, strings.ToLower(n))
	}
	for _, o := range origins {
		if u, err := url.Parse(o); err == nil && u.Host != "" {
			o = u.Hostname()
		}
		p.names = append(p.names, strings.ToLower(o))
	}
	return p
}

func (p hostPolicy) check(host string) error {
	name := strings.ToLower(hostname(host))
	if _, err := netip.ParseAddr(name); err == nil || slices.Contains(p.names, name) {
		return nil
	}
	if name == "" {
		return fault.Errorf(hostNotAllowed, "the request names no Host")
	}
	return fault.Errorf(hostNotAllowed, "this server does not answer for host %q", name).
		WithHint("add %q to security.allowed_hosts", name)
}

// hostname strips port and brackets.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

// originPolicy decides which web pages may call: the same origin and the
// listed ones. A bare host allows any scheme and port.
type originPolicy struct{ allowed []string }

// allow reports whether the request's Origin, if any, may call. origin is the
// value to echo, "" for a request without or from the same origin.
func (p originPolicy) allow(r *http.Request) (origin string, err error) {
	origin = r.Header.Get("Origin")
	if origin == "" {
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
			return "", fault.Errorf(originNotAllowed, "cross-site requests are not allowed")
		}
		return "", nil
	}
	u, perr := url.Parse(origin)
	if perr == nil && u.Host != "" {
		if strings.EqualFold(u.Host, r.Host) && u.Scheme == scheme(r) {
			return "", nil
		}
		for _, a := range p.allowed {
			if strings.EqualFold(a, origin) || strings.EqualFold(a, u.Hostname()) {
				return origin, nil
			}
		}
	}
	return "", fault.Errorf(originNotAllowed, "origin %q is not allowed", origin).
		WithHint("add it to security.allowed_origins")
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// crossOrigin sets the response headers for an allowed foreign origin and
// answers a preflight; done tells that the request is answered.
func crossOrigin(w http.ResponseWriter, r *http.Request, origin string) (done bool) {
	h := w.Header()
	h.Add("Vary", "Origin")
	if origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, Location")
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if origin != "" {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID, If-Match, X-Request-Id")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}
