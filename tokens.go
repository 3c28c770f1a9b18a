package llmspell

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

// Scopes of a token, weakest first: each includes those before it.
const (
	ScopeRead    = "read"
	ScopeExecute = "execute"
	ScopeAdmin   = "admin"
)

var scopes = []string{ScopeRead, ScopeExecute, ScopeAdmin}

var tenantPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// TokenManager issues and checks the credentials of the service. Only hashes
// are stored; a check reads the store, so revocation is immediate.
type TokenManager struct{ tokens store.Tokens }

// NewTokenManager returns a manager over a store's tokens.
func NewTokenManager(tokens store.Tokens) *TokenManager { return &TokenManager{tokens} }

// TokenParams describe a new token.
type TokenParams struct {
	Name   string
	Tenant string
	Scopes []string      // empty: read and execute
	TTL    time.Duration // 0 = does not expire
}

// TokenInfo is a token without its secret.
type TokenInfo struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	Tenant    string    `json:"tenant"`
	Scopes    []string  `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Create issues a token of 256 random bits and returns its secret, which is
// shown only here.
func (m *TokenManager) Create(ctx context.Context, p TokenParams) (secret string, info TokenInfo, err error) {
	if !tenantPattern.MatchString(p.Tenant) {
		return "", info, fault.Errorf(fault.InvalidArgument, "tenant %q: want %s", p.Tenant, tenantPattern)
	}
	if len(p.Scopes) == 0 {
		p.Scopes = []string{ScopeRead, ScopeExecute}
	}
	for _, s := range p.Scopes {
		if !slices.Contains(scopes, s) {
			return "", info, fault.Errorf(fault.InvalidArgument, "scope %q: want read, execute or admin", s)
		}
	}
	if len(p.Name) > 128 || p.TTL < 0 {
		return "", info, fault.Errorf(fault.InvalidArgument, "name is at most 128 bytes and ttl not negative")
	}
	raw := make([]byte, 32)
	rand.Read(raw)
	secret = NewTokenSecret(raw)
	hash := sha256.Sum256([]byte(secret))
	t := store.Token{
		ID: hex.EncodeToString(hash[:6]), Hash: hash, Name: p.Name, Tenant: store.Tenant(p.Tenant),
		Scopes: p.Scopes, CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	if p.TTL > 0 {
		t.ExpiresAt = t.CreatedAt.Add(p.TTL)
	}
	if err := m.tokens.Create(ctx, t); err != nil {
		return "", info, err
	}
	return secret, tokenInfo(t), nil
}

// NewTokenSecret formats 32 random bytes as a token.
func NewTokenSecret(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// Verify returns what a secret allows, ErrNotFound when it is unknown or expired.
func (m *TokenManager) Verify(ctx context.Context, secret string) (TokenInfo, error) {
	t, err := m.tokens.Lookup(ctx, sha256.Sum256([]byte(secret)))
	if err != nil {
		return TokenInfo{}, err
	}
	return tokenInfo(t), nil
}

// List returns all tokens, oldest first.
func (m *TokenManager) List(ctx context.Context) ([]TokenInfo, error) {
	all, err := m.tokens.List(ctx)
	if err != nil {
		return nil, err
	}
	infos := make([]TokenInfo, len(all))
	for i, t := range all {
		infos[i] = tokenInfo(t)
	}
	slices.SortFunc(infos, func(a, b TokenInfo) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return infos, nil
}

// Revoke ends a token at once.
func (m *TokenManager) Revoke(ctx context.Context, id string) error { return m.tokens.Revoke(ctx, id) }

// Allows reports whether the token has a scope, directly or by a stronger one.
func (t TokenInfo) Allows(scope string) bool {
	need := slices.Index(scopes, scope)
	for _, s := range t.Scopes {
		if slices.Index(scopes, s) >= need {
			return true
		}
	}
	return false
}

func tokenInfo(t store.Token) TokenInfo {
	return TokenInfo{ID: t.ID, Name: t.Name, Tenant: string(t.Tenant), Scopes: t.Scopes, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
}
