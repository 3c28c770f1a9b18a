package config

import (
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
)

const (
	placeholderMessage = "is a placeholder"
	placeholderHint    = `TOML does not run commands; generate one with "openssl rand -base64 32"`
	notAvailable       = "not available in this version"
)

// Validate checks every value against the key table and the values against each
// other. The error is a *Error with every problem; nil means valid.
func (c *Config) Validate() error {
	var problems []Problem
	for _, e := range bound().entries {
		for _, segs := range c.instances(e) {
			problems = append(problems, c.checkValue(e, segs)...)
		}
	}
	for _, check := range []func() []Problem{
		c.checkKernel, c.checkHMACKey, c.checkSecurity, c.checkPostgres, c.checkProviders, c.checkRetrieval,
	} {
		problems = append(problems, check()...)
	}
	if len(problems) > 0 {
		return &Error{Problems: sortProblems(problems)}
	}
	return nil
}

// instances are the concrete keys of e in this configuration.
func (c *Config) instances(e *entry) [][]string {
	out := [][]string{nil}
	root := reflect.ValueOf(c).Elem()
	for _, seg := range e.segs {
		var next [][]string
		for _, prefix := range out {
			if seg != "*" {
				next = append(next, append(slices.Clone(prefix), seg))
				continue
			}
			m, ok := lookup(root, prefix)
			if !ok {
				continue
			}
			var names []string
			for _, k := range m.MapKeys() {
				names = append(names, k.String())
			}
			slices.Sort(names)
			for _, name := range names {
				next = append(next, append(slices.Clone(prefix), name))
			}
		}
		out = next
	}
	return out
}

// checkValue checks one value: has its feature landed, is it in range.
func (c *Config) checkValue(e *entry, segs []string) []Problem {
	v, ok := lookup(reflect.ValueOf(c).Elem(), segs)
	if !ok {
		return nil
	}
	key := joinKey(segs)
	if e.pending && !c.isDefault(e, v) {
		return []Problem{c.problem(key, notAvailable)}
	}
	if e.refused != nil && slices.Contains(e.refused, v.String()) {
		return []Problem{c.problem(key, "%q is %s", v.String(), notAvailable)}
	}
	if e.Default == "" || e.derived() {
		if _, set := c.origins[key]; !set && v.IsZero() {
			return nil
		}
	}
	if message := e.checkRule(v); message != "" {
		p := c.problem(key, "%s", message)
		if e.kind == kindEnum {
			p.DidYouMean = fault.Nearest(v.String(), e.enum())
		}
		return []Problem{p}
	}
	return nil
}

// isDefault reports whether v is what the key table gives.
func (c *Config) isDefault(e *entry, v reflect.Value) bool {
	if v.IsZero() && (e.Default == "" || e.derived()) || v.Kind() == reflect.Map && v.Len() == 0 {
		return true
	}
	text := e.Default
	if e.derived() {
		text = strings.Replace(text, "<state>", c.Paths.StateDir, 1)
	}
	if text == "" {
		return v.Kind() == reflect.Slice && v.Len() == 0
	}
	want, err := e.parseText(text)
	if err != nil {
		return false
	}
	field := reflect.New(v.Type()).Elem()
	assign(field, want)
	return reflect.DeepEqual(field.Interface(), v.Interface())
}

// checkRule returns what is wrong with v, or "".
func (e *entry) checkRule(v reflect.Value) string {
	switch {
	case e.Rule == "" || e.Rule == "path":
		return ""
	case e.kind == kindUmask:
		if v.Int() < 0 || v.Int() > 0o777 {
			return "must be 0 to 0o777"
		}
	case e.kind == kindEnum:
		if !slices.Contains(e.enum(), v.String()) {
			return "must be one of " + strings.Join(e.enum(), ", ") + ", not " + quote(v.String())
		}
	default:
		return e.checkRange(number(v, e.kind))
	}
	return ""
}

// number is v in the unit the user writes.
func number(v reflect.Value, k kind) float64 {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case k == kindDuration:
		return time.Duration(v.Int()).Seconds()
	case k == kindMillis:
		return float64(v.Int()) / float64(time.Millisecond)
	case v.CanFloat():
		return v.Float()
	}
	return float64(v.Int())
}

func (e *entry) checkRange(n float64) string {
	lo, hi, exclusive := e.limits()
	unit := ""
	if e.kind == kindDuration {
		unit = " seconds"
	}
	switch {
	case exclusive && n <= *lo:
		return "must be greater than 0"
	case lo != nil && hi != nil && (n < *lo || n > *hi):
		return "must be " + format(*lo) + " to " + format(*hi) + unit
	case lo != nil && n < *lo:
		return "must be at least " + format(*lo) + unit
	}
	return ""
}

// limits are the bounds of a numeric rule; nil is none.
func (e *entry) limits() (lo, hi *float64, exclusive bool) {
	if e.Rule == ">0" {
		return new(0.0), nil, true
	}
	low, high, ok := strings.Cut(e.Rule, "..")
	if !ok {
		return nil, nil, false
	}
	if f, err := strconv.ParseFloat(low, 64); err == nil {
		lo = &f
	}
	if f, err := strconv.ParseFloat(high, 64); err == nil {
		hi = &f
	}
	return lo, hi, false
}

func format(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	tenantPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	sqlName       = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)
)

func (c *Config) checkKernel() (out []Problem) {
	k := c.Kernel
	if !k.EnableHTTP && !k.EnableJupyter {
		out = append(out, c.problem("kernel.enable_http", "not both kernel.enable_http and kernel.enable_jupyter may be false"))
	}
	if k.ID != "" && !idPattern.MatchString(k.ID) {
		out = append(out, c.problem("kernel.id", "must match %s", idPattern))
	}
	switch addr, err := netip.ParseAddr(k.Host); {
	case strings.HasPrefix(k.Host, "unix:"):
		out = append(out, c.problem("kernel.host", "a unix socket is %s", notAvailable))
	case err != nil && k.Host != "localhost":
		out = append(out, c.problem("kernel.host", "must be an IP address or localhost"))
	case err == nil && !addr.IsLoopback() && k.EnableHTTP && !c.Security.TLSEnabled && !c.Security.AllowInsecureBind:
		p := c.problem("kernel.host", "refusing to listen on %s without TLS", k.Host)
		p.Hint = "set security.tls_enabled, or security.allow_insecure_bind behind a proxy"
		out = append(out, p)
	}
	return out
}

// placeholders are parts of sample keys.
var placeholders = []string{
	"your-", "your_", "changeme", "change-me", "change_me", "change-this", "replace", "placeholder", "secret-key",
	"secret_key", "example", "$(", "<",
}

func (c *Config) checkHMACKey() []Problem {
	key := c.Security.HMACKey.Reveal()
	if key == "" {
		return nil
	}
	lower := strings.ToLower(key)
	sample := slices.ContainsFunc(placeholders, func(s string) bool { return strings.Contains(lower, s) })
	if sample || strings.Trim(key, key[:1]) == "" {
		p := c.problem("security.hmac_key", placeholderMessage)
		p.Hint = placeholderHint
		return []Problem{p}
	}
	if len(key) < 16 {
		return []Problem{c.problem("security.hmac_key", "must be at least 16 bytes")}
	}
	return nil
}

func (c *Config) checkSecurity() (out []Problem) {
	s := c.Security
	for _, origin := range s.AllowedOrigins {
		if message := checkOrigin(origin); message != "" {
			out = append(out, c.problem("security.allowed_origins", "%s", message))
		}
	}
	for _, host := range s.AllowedHosts {
		if host == "" || strings.ContainsAny(host, "/*@ ") {
			out = append(out, c.problem("security.allowed_hosts", "%s is not a host name", quote(host)))
		}
	}
	for _, network := range s.TrustedProxies {
		if _, err := netip.ParsePrefix(network); err != nil {
			out = append(out, c.problem("security.trusted_proxies", "%s is not a network such as 10.0.0.0/8", quote(network)))
		}
	}
	if s.TLSEnabled && (s.TLSCert == "" || s.TLSKey == "") {
		out = append(out, c.problem("security.tls_enabled", "needs security.tls_cert and security.tls_key"))
	}
	return out
}

func checkOrigin(origin string) string {
	if strings.Contains(origin, "*") {
		return "* is refused; list the hosts"
	}
	if !strings.Contains(origin, "://") {
		if origin == "" || strings.ContainsAny(origin, "/@ ") {
			return quote(origin) + " is not a host or an origin"
		}
		return ""
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return quote(origin) + " is not an origin such as https://app.example.org"
	}
	return ""
}

func (c *Config) checkPostgres() (out []Problem) {
	pg := c.Storage.Postgres
	if c.Storage.Backend == "postgres" {
		u, err := url.Parse(pg.URL.Reveal())
		switch {
		case !pg.URL.IsSet():
			// The unset variable of url is already reported at url itself.
			out = append(out, c.problem("storage.postgres.url", "required for storage.backend = \"postgres\""))
		case err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "":
			out = append(out, c.problem("storage.postgres.url", "must be a postgres:// or postgresql:// URL"))
		}
	}
	if !tenantPattern.MatchString(pg.DefaultTenantID) {
		out = append(out, c.problem("storage.postgres.default_tenant_id", "must match %s", tenantPattern))
	}
	if !sqlName.MatchString(pg.AppRole) {
		out = append(out, c.problem("storage.postgres.app_role", "must match %s", sqlName))
	}
	if !sqlName.MatchString(pg.Schema) {
		out = append(out, c.problem("storage.postgres.schema", "must match %s", sqlName))
	}
	return out
}

func (c *Config) checkProviders() (out []Problem) {
	for name, p := range c.Providers {
		key := func(last string) string { return joinKey([]string{"providers", name, last}) }
		if p.ProviderType == "" && !slices.Contains(providerTypes, name) {
			problem := c.problem(joinKey([]string{"providers", name}), "needs provider_type, for its name is not one")
			if problem.File == "" && problem.Source == "" {
				problem = c.firstOf("providers", name).problem(joinKey([]string{"providers", name}), "%s", problem.Message)
			}
			problem.DidYouMean = fault.Nearest(name, providerTypes)
			problem.Hint = "one of " + strings.Join(providerTypes, ", ")
			out = append(out, problem)
		}
		if p.ProviderType == "openai-compatible" && p.BaseURL == "" {
			out = append(out, c.problem(key("provider_type"), "openai-compatible needs base_url"))
		}
		if message := checkBaseURL(p.BaseURL); message != "" {
			out = append(out, c.problem(key("base_url"), "%s", message))
		}
		if p.APIKeyEnv != "" && !isVariable(p.APIKeyEnv) {
			problem := c.problem(key("api_key_env"), "must be the name of an environment variable")
			problem.Hint = "the key itself does not belong here"
			out = append(out, problem)
		}
		if p.Retry.MaxDelay < p.Retry.InitialDelay {
			out = append(out, c.problem(key("retry"), "max_delay_ms must be at least initial_delay_ms"))
		}
	}
	if name := c.DefaultProvider; name != "" {
		if p, ok := c.Providers[name]; !ok || !p.Enabled {
			problem := c.problem("providers.default_provider", "%s is not configured and enabled", quote(name))
			out = append(out, problem)
		}
	}
	return out
}

// firstOf is the origin of the first value set below a table.
func (c *Config) firstOf(segs ...string) (first Origin) {
	prefix := joinKey(segs)
	for key, o := range c.origins {
		if key != prefix && !strings.HasPrefix(key, prefix+".") {
			continue
		}
		if first.Layer == "" || o.Line < first.Line {
			first = o
		}
	}
	return first
}

// checkBaseURL allows https anywhere, plain http only where nobody listens in.
func checkBaseURL(raw string) string {
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "must be an http or https URL"
	}
	if u.User != nil {
		return "must not contain credentials; use api_key_env"
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "must not have a query or fragment"
	}
	if u.Scheme == "http" && !isPrivateHost(u.Hostname()) {
		return "plain http only to loopback or private addresses; use https"
	}
	return ""
}

// isPrivateHost accepts loopback and private addresses, localhost, and names
// without a dot or below .local and .internal, which only a local resolver knows.
func isPrivateHost(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") ||
		strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")
}

func (c *Config) checkRetrieval() (out []Problem) {
	for _, index := range []struct {
		key     string
		m, efCo int
	}{
		{"memory.episodic.hnsw.ef_construction", c.Memory.Episodic.HNSW.M, c.Memory.Episodic.HNSW.EFConstruction},
		{"rag.vector_storage.hnsw.ef_construction", c.RAG.VectorStorage.HNSW.M, c.RAG.VectorStorage.HNSW.EFConstruction},
	} {
		if index.efCo < index.m {
			out = append(out, c.problem(index.key, "must be at least m (%d)", index.m))
		}
	}
	if c.RAG.Chunking.Overlap >= c.RAG.Chunking.ChunkSize {
		out = append(out, c.problem("rag.chunking.overlap", "must be less than chunk_size"))
	}
	return out
}

// passwordOf is the password inside a database URL.
func passwordOf(s Secret) Secret {
	u, err := url.Parse(s.Reveal())
	if err != nil || u.User == nil {
		return Secret{}
	}
	password, _ := u.User.Password()
	return NewSecret(password)
}
