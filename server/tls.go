package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"os"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
)

// maxPEM bounds what is read of a certificate or key file.
const maxPEM = 1 << 20

// Certificate is a TLS pair as a kernel serves it.
type Certificate struct {
	Fingerprint string // SHA-256 of the leaf certificate, hex
	NotBefore   time.Time
	NotAfter    time.Time
	pair        tls.Certificate
}

// LoadCertificate reads security.tls_cert and security.tls_key. The pair must
// match and the key must not be open to everyone. Whether it is still valid is
// the caller's question: an expired one is served with a warning, since local
// commands trust it by fingerprint and can put things right.
func LoadCertificate(c *config.Config) (*Certificate, error) {
	cert, _, err := readPEM("security.tls_cert", c.Security.TLSCert)
	if err != nil {
		return nil, err
	}
	key, mode, err := readPEM("security.tls_key", c.Security.TLSKey)
	if err != nil {
		return nil, err
	}
	if mode&0o007 != 0 {
		return nil, fault.Errorf(fault.PolicyDenied, "security.tls_key: %s is open to everyone (mode %04o)", c.Security.TLSKey, mode).
			WithHint("chmod 640 %s", c.Security.TLSKey)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "security.tls_cert and security.tls_key are not a pair: %w", err).
			WithHint("tls_cert is a PEM chain, the server's certificate first; tls_key is its private key without a passphrase")
	}
	sum := sha256.Sum256(pair.Leaf.Raw)
	return &Certificate{Fingerprint: hex.EncodeToString(sum[:]), NotBefore: pair.Leaf.NotBefore, NotAfter: pair.Leaf.NotAfter, pair: pair}, nil
}

func readPEM(key, path string) ([]byte, os.FileMode, error) {
	st, err := os.Stat(path)
	if err == nil && (!st.Mode().IsRegular() || st.Size() > maxPEM) {
		return nil, 0, fault.Errorf(fault.InvalidArgument, "%s: %s is not a PEM file", key, path)
	}
	if err != nil {
		return nil, 0, fault.Errorf(fault.InvalidArgument, "%s: %w", key, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fault.Errorf(fault.InvalidArgument, "%s: %w", key, err).WithHint("the kernel's account must be able to read it")
	}
	defer f.Close()
	if st, err = f.Stat(); err != nil {
		return nil, 0, fault.Errorf(fault.InvalidArgument, "%s: %w", key, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPEM))
	if err != nil {
		return nil, 0, fault.Errorf(fault.InvalidArgument, "%s: %w", key, err)
	}
	return data, st.Mode().Perm(), nil
}

// useCertificate makes c the certificate of new connections.
func (s *Server) useCertificate(c *Certificate) {
	s.certificate.Store(c)
	s.log.Info("certificate in use", "fingerprint", c.Fingerprint, "not_after", c.NotAfter.Format(time.RFC3339))
	if left := time.Until(c.NotAfter); left <= 0 {
		s.log.Warn("the certificate has expired", "not_after", c.NotAfter.Format(time.RFC3339))
	}
}

// tlsConfig serves the certificate in use, from TLS 1.2 on. net/http adds
// HTTP/2 to it and answers plain HTTP with 400.
func (s *Server) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &s.certificate.Load().pair, nil
		},
	}
}

// Reload puts a new configuration in force as [llmspell.Kernel.Reload] does and
// reads the certificate files anew, changed paths or not. Whatever cannot be
// built refuses the whole reload and leaves all as it was.
func (s *Server) Reload(ctx context.Context, cfg *config.Config) (llmspell.ReloadReport, error) {
	var next *Certificate
	if cfg != nil && cfg.Security.TLSEnabled {
		var err error
		if next, err = LoadCertificate(cfg); err != nil {
			s.kernel.MarkReloadFailed()
			return llmspell.ReloadReport{}, err
		}
	}
	now := s.certificate.Load()
	swap := now != nil && next != nil && now.Fingerprint != next.Fingerprint
	if swap {
		// The record goes first: who reads it meanwhile asks again on a mismatch.
		if err := s.entry.Update(s.record(s.kernel.Config(), next)); err != nil {
			s.kernel.MarkReloadFailed()
			return llmspell.ReloadReport{}, fault.Errorf(fault.InvalidState, "cannot record the new certificate: %w", err)
		}
	}
	report, err := s.kernel.Reload(ctx, cfg)
	switch {
	case err != nil && swap:
		if uerr := s.entry.Update(s.record(s.kernel.Config(), now)); uerr != nil {
			s.log.Error("the registry names a certificate that is not in use", "error", uerr)
		}
	case err == nil && now != nil && next != nil:
		s.useCertificate(next)
	}
	return report, err
}
