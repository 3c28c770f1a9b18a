package client

import (
	"context"
	"net/http"
	"net/url"
)

// TokenRequest describes a token to issue.
type TokenRequest struct {
	Name       string   `json:"name,omitempty"`
	Tenant     string   `json:"tenant,omitempty"`
	Scopes     []string `json:"scopes,omitempty"`
	TTLSeconds int64    `json:"ttl_seconds,omitempty"`
}

// CreateToken issues a token; out receives the answer with its secret in the
// member token.
func (c *Client) CreateToken(ctx context.Context, r TokenRequest, out any) error {
	return c.do(ctx, http.MethodPost, "/v1/tokens", r, out)
}

// RevokeToken ends a token.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/v1/tokens/"+url.PathEscape(id), nil, nil)
}

// All reads every page of a list such as /v1/tokens.
func All[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	var all []T
	cursor := ""
	for {
		var page struct {
			Items      []T    `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		if err := c.do(ctx, http.MethodGet, path+"?limit=1000&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all, nil
		}
		cursor = page.NextCursor
	}
}
