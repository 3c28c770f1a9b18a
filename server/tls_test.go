package server

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/registry"
)

// newPair writes a self-signed certificate for 127.0.0.1 and its key to dir.
func newPair(t *testing.T, dir string, notAfter time.Time) (certPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: notAfter, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, data := range map[string][]byte{
		"cert.pem": certPEM, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certPEM
}

func tlsTOML(dir string) string {
	return fmt.Sprintf("[security]\ntls_enabled = true\ntls_cert = %q\ntls_key = %q\n", dir+"/cert.pem", dir+"/key.pem")
}

// trusting is a client that trusts one certificate and may speak HTTP/2.
func trusting(t *testing.T, certPEM []byte, change func(*tls.Config)) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	c := &tls.Config{RootCAs: pool}
	if change != nil {
		change(c)
	}
	tr := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func registered(t *testing.T, srv *Server, cfg *config.Config) registry.Record {
	t.Helper()
	all, err := registry.List(registry.Dir{Runtime: cfg.Paths.RuntimeDir, Scope: "user"})
	if err != nil || len(all) != 1 || all[0].KernelID != srv.ID() {
		t.Fatalf("registry: %+v %v", all, err)
	}
	return all[0].Record
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert := newPair(t, dir, time.Now().Add(time.Hour))
	srv, cfg := start(t, tlsTOML(dir))
	endpoint := srv.Addrs().Endpoint
	record := registered(t, srv, cfg)
	if !strings.HasPrefix(endpoint, "https://127.0.0.1:") || record.Endpoint != endpoint || len(record.TLSFingerprint) != 64 {
		t.Errorf("endpoint %s, record %+v", endpoint, record)
	}

	req, _ := http.NewRequest("POST", endpoint+"/execute", strings.NewReader(`{"code":"print('a') return 6*7"}`))
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := trusting(t, cert, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.ProtoMajor != 2 || !strings.Contains(string(stream), "42") {
		t.Errorf("%s %s %v: %s", resp.Proto, resp.Status, err, stream)
	}

	old := trusting(t, cert, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 })
	if resp, err := old.Get(endpoint + "/livez"); err == nil {
		resp.Body.Close()
		t.Error("TLS 1.1 was accepted")
	}
	if resp, err := trusting(t, cert, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }).Get(endpoint + "/livez"); err != nil {
		t.Error(err)
	} else {
		resp.Body.Close()
	}
}

func TestPlainHTTPOnTheTLSPort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newPair(t, dir, time.Now().Add(time.Hour))
	srv, _ := start(t, tlsTOML(dir))
	conn, err := net.Dial("tcp", srv.Addrs().HTTP)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 400 || !strings.Contains(string(body), "HTTPS server") {
		t.Errorf("%s: %s", resp.Status, body)
	}
}

func TestTLSReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newPair(t, dir, time.Now().Add(time.Hour))
	srv, cfg := start(t, tlsTOML(dir))
	before := registered(t, srv, cfg)
	get := func(cert []byte) error {
		resp, err := trusting(t, cert, nil).Get(srv.Addrs().Endpoint + "/livez")
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	held := trusting(t, first, nil) // a connection that lives through the reloads
	if resp, err := held.Get(srv.Addrs().Endpoint + "/livez"); err != nil {
		t.Fatal(err)
	} else {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}

	other := t.TempDir()
	newPair(t, other, time.Now().Add(time.Hour))
	key, _ := os.ReadFile(other + "/key.pem")
	good, _ := os.ReadFile(dir + "/key.pem")
	os.WriteFile(dir+"/key.pem", key, 0o600)
	if _, err := srv.Reload(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "not a pair") {
		t.Errorf("a wrong pair: %v", err)
	}
	if srv.kernel.ReloadStatus().OK {
		t.Error("the refused reload counts as good")
	}
	if err := get(first); err != nil {
		t.Errorf("after a refused reload: %v", err)
	}
	os.WriteFile(dir+"/key.pem", good, 0o600)

	second := newPair(t, dir, time.Now().Add(time.Hour))
	if _, err := srv.Reload(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := get(second); err != nil {
		t.Errorf("the new certificate: %v", err)
	}
	if err := get(first); err == nil {
		t.Error("the old certificate is still served")
	}
	if resp, err := held.Get(srv.Addrs().Endpoint + "/livez"); err != nil {
		t.Errorf("the old connection: %v", err)
	} else {
		resp.Body.Close()
	}
	after := registered(t, srv, cfg)
	if after.TLSFingerprint == before.TLSFingerprint || !after.StartedAt.Equal(before.StartedAt) {
		t.Errorf("record %+v, before %+v", after, before)
	}
	if left, _ := filepath.Glob(filepath.Join(cfg.Paths.RuntimeDir, "kernels", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCertificateRules(t *testing.T) {
	t.Parallel()
	load := func(change func(dir string)) error {
		dir := t.TempDir()
		newPair(t, dir, time.Now().Add(time.Hour))
		change(dir)
		cfg := config.Default()
		cfg.Security.TLSCert, cfg.Security.TLSKey = dir+"/cert.pem", dir+"/key.pem"
		_, err := LoadCertificate(cfg)
		return err
	}
	for name, c := range map[string]struct {
		change func(dir string)
		want   string
	}{
		"good":           {func(string) {}, ""},
		"group-readable": {func(dir string) { os.Chmod(dir+"/key.pem", 0o640) }, ""},
		"world-readable": {func(dir string) { os.Chmod(dir+"/key.pem", 0o644) }, "open to everyone (mode 0644)"},
		"no key":         {func(dir string) { os.Remove(dir + "/key.pem") }, "security.tls_key: "},
		"a directory":    {func(dir string) { os.Remove(dir + "/cert.pem"); os.Mkdir(dir+"/cert.pem", 0o700) }, "is not a PEM file"},
		"not PEM":        {func(dir string) { os.WriteFile(dir+"/cert.pem", []byte("hello"), 0o600) }, "are not a pair"},
	} {
		switch err := load(c.change); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestExposedBindWithTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert := newPair(t, dir, time.Now().Add(time.Hour))
	srv, _ := start(t, "[kernel]\nhost = \"0.0.0.0\"\n"+tlsTOML(dir))
	_, port, _ := net.SplitHostPort(srv.Addrs().HTTP)
	resp, err := trusting(t, cert, nil).Get("https://127.0.0.1:" + port + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var p struct{ Code string }
	if json.NewDecoder(resp.Body).Decode(&p); resp.StatusCode != 401 || p.Code != "unauthorized" {
		t.Errorf("metrics on an exposed port without a token: %s %+v", resp.Status, p)
	}
}
