package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
)

// access is what a route asks of its caller.
type access string

const (
	accessOpen    access = "open"
	accessRead    access = llmspell.ScopeRead
	accessExecute access = llmspell.ScopeExecute
	accessAdmin   access = llmspell.ScopeAdmin
)

// authenticator turns a secret into an identity: the bootstrap token, else one
// of the store's.
type authenticator struct {
	bootstrap func() (string, error)
	tenant    string                        // of the bootstrap token
	tokens    func() *llmspell.TokenManager // after the storage is open
}

func (a *authenticator) identify(ctx context.Context, secret string) (llmspell.TokenInfo, error) {
	if secret == "" {
		return llmspell.TokenInfo{}, errUnauthorized()
	}
	local, err := a.bootstrap()
	if err != nil {
		return llmspell.TokenInfo{}, err
	}
	if sameSecret(secret, local) {
		return llmspell.TokenInfo{ID: "bootstrap", Tenant: a.tenant, Scopes: []string{llmspell.ScopeAdmin}}, nil
	}
	info, err := a.tokens().Verify(ctx, secret)
	if errors.Is(err, llmspell.ErrNotFound) {
		return llmspell.TokenInfo{}, errUnauthorized()
	}
	return info, err
}

// BootstrapToken returns the local admin token of a configuration: the given
// one (LLMSPELL_TOKEN, credential llmspell_token), else the content of
// <state>/token, made at the first call.
func BootstrapToken(cfg *config.Config) (string, error) {
	if cfg.Token.IsSet() {
		return cfg.Token.Reveal(), nil
	}
	path := TokenFile(cfg)
	secret, err := readToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	return newTokenFile(path)
}

// RotateToken replaces the local token file. A running kernel follows at once.
func RotateToken(cfg *config.Config) (string, error) {
	if cfg.Token.IsSet() {
		return "", fault.Errorf(fault.InvalidState, "the token is given by LLMSPELL_TOKEN or a credential; change it there")
	}
	path := TokenFile(cfg)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".token-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(temp.Name())
	secret := randomSecret()
	_, err = temp.WriteString(secret + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return "", err
	}
	return secret, os.Rename(temp.Name(), path)
}

// TokenFile is where the local token of a configuration is kept.
func TokenFile(cfg *config.Config) string { return filepath.Join(cfg.Paths.StateDir, "token") }

func randomSecret() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return llmspell.NewTokenSecret(raw)
}

// newTokenFile makes the file; a process that loses the race reads the winner's.
func newTokenFile(path string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".token-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(temp.Name())
	secret := randomSecret()
	_, err = temp.WriteString(secret + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return "", err
	}
	if err := os.Link(temp.Name(), path); errors.Is(err, fs.ErrExist) {
		return readToken(path)
	} else if err != nil {
		return "", err
	}
	return secret, nil
}

func readToken(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(data))
	if len(secret) < 16 || len(secret) > 1024 {
		return "", fmt.Errorf("token file %s: want one token of at least 16 bytes", path)
	}
	return secret, nil
}

// tokenSource keeps the local token and follows changes of its file.
type tokenSource struct {
	cfg *config.Config

	mu     sync.Mutex
	secret string
	mod    time.Time
}

func (t *tokenSource) get() (string, error) {
	if t.cfg.Token.IsSet() {
		return t.cfg.Token.Reveal(), nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	st, err := os.Stat(TokenFile(t.cfg))
	if err == nil && t.secret != "" && st.ModTime().Equal(t.mod) {
		return t.secret, nil
	}
	secret, err := BootstrapToken(t.cfg)
	if err != nil {
		return "", err
	}
	if st, err := os.Stat(TokenFile(t.cfg)); err == nil {
		t.secret, t.mod = secret, st.ModTime()
	}
	return secret, nil
}

type identityKey struct{}

// identity returns who sent the request.
func identity(r *http.Request) llmspell.TokenInfo {
	id, _ := r.Context().Value(identityKey{}).(llmspell.TokenInfo)
	return id
}
