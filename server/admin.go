package server

import (
	"net/http"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
)

// TokenRequest is the body of POST /v1/tokens.
type TokenRequest struct {
	Name       string   `json:"name,omitempty"`
	Tenant     string   `json:"tenant,omitempty"` // default: the caller's
	Scopes     []string `json:"scopes,omitempty"` // default: read, execute
	TTLSeconds int64    `json:"ttl_seconds,omitempty"`
}

// TokenResponse is a new token with its secret.
type TokenResponse struct {
	Token string `json:"token"`
	llmspell.TokenInfo
}

func getConfig(a *api, w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, object{"items": a.kernel.Config().Describe("")})
}

func getConfigSchema(_ *api, w http.ResponseWriter, _ *http.Request) error {
	writeBody(w, http.StatusOK, "application/schema+json", config.Schema())
	return nil
}

func listTokens(a *api, w http.ResponseWriter, r *http.Request) error {
	all, err := a.auth.tokens().List(r.Context())
	if err != nil {
		return err
	}
	return replyPage(w, r, all, func(t llmspell.TokenInfo) string { return t.ID })
}

func postToken(a *api, w http.ResponseWriter, r *http.Request) error {
	var body TokenRequest
	if err := decode(w, r, a.maxBody(), &body); err != nil {
		return err
	}
	if body.Tenant == "" {
		body.Tenant = identity(r).Tenant
	}
	secret, info, err := a.auth.tokens().Create(r.Context(), llmspell.TokenParams{
		Name: body.Name, Tenant: body.Tenant, Scopes: body.Scopes, TTL: time.Duration(body.TTLSeconds) * time.Second,
	})
	if err != nil {
		return err
	}
	return reply(w, http.StatusCreated, TokenResponse{secret, info})
}

func deleteToken(a *api, w http.ResponseWriter, r *http.Request) error {
	if err := a.auth.tokens().Revoke(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
