package cli

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// reachable replaces the unspecified address, which a listener on all
// interfaces reports, by one that can be connected to.
func reachable(u *url.URL) {
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	}
}

// errPin is the refusal of a certificate that no local kernel recorded.
var errPin = errors.New("the certificate is not the one that the kernel recorded")

// httpClient returns the client for an https address, nil (the default one)
// for another. --ca-file adds a CA to the system's. Without it a kernel of this
// machine is trusted by the fingerprint in its record, and only by that.
func (a *app) httpClient(u *url.URL) (*http.Client, error) {
	if u.Scheme != "https" {
		return nil, nil
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.caFile != "" {
		pem, err := a.readAll(a.caFile, 1<<20)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, usagef("--ca-file %s: no PEM certificate in it", a.caFile)
		}
		trust.RootCAs = pool
	} else if k, ok := a.localKernel(u); ok && k.TLSFingerprint != "" {
		trust.InsecureSkipVerify = true // VerifyConnection compares with the record instead
		trust.VerifyConnection = a.pinned(u, k.TLSFingerprint)
	}
	return &http.Client{Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, TLSClientConfig: trust,
		ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16,
	}}, nil
}

// pinned accepts the certificate with this fingerprint, or with the one that
// the record holds by now: a reload may have replaced it.
func (a *app) pinned(u *url.URL, fingerprint string) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		sum := sha256.Sum256(state.PeerCertificates[0].Raw)
		got := hex.EncodeToString(sum[:])
		if got == fingerprint {
			return nil
		}
		if k, ok := a.localKernel(u); ok && k.TLSFingerprint == got {
			return nil
		}
		return errPin
	}
}
