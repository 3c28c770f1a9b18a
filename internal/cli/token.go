package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/client"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/server"
	"github.com/llmspell/llmspell/standard"
)

func (a *app) tokenCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "token", Short: "Issue, list and revoke credentials",
		Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.tokenCreate(), a.tokenList(), a.tokenRevoke(), a.tokenShow(), a.tokenRotate())
	return c
}

// tokens is where token commands act: a running kernel's API, or the store.
type tokens interface {
	Create(ctx context.Context, p llmspell.TokenParams) (secret string, info llmspell.TokenInfo, err error)
	List(ctx context.Context) ([]llmspell.TokenInfo, error)
	Revoke(ctx context.Context, id string) error
}

// withTokens runs fn over the addressed or only running kernel, else over the
// configured store opened in this process.
func (a *app) withTokens(ctx context.Context, fn func(t tokens, tenant string) error) error {
	cfg, err := a.loadConfig("kernel")
	if err != nil {
		return err
	}
	tenant := cfg.Storage.Postgres.DefaultTenantID
	c, remote, err := a.remote()
	if err != nil {
		return err
	}
	if !remote {
		if k, err := a.onlyKernel(""); err == nil && k.StateDir == cfg.Paths.StateDir {
			if c, err = a.dial(k.Endpoint); err != nil {
				return err
			}
			remote = true
		}
	}
	if remote {
		return fn(remoteTokens{c}, tenant)
	}
	return a.withStore(ctx, cfg, func(t *llmspell.TokenManager) error { return fn(t, tenant) })
}

func (a *app) withStore(ctx context.Context, cfg *config.Config, fn func(*llmspell.TokenManager) error) error {
	infra, err := standard.NewInfrastructure(ctx, cfg)
	if err != nil {
		return err
	}
	if err := infra.Start(ctx); err != nil {
		return errors.Join(err, infra.Close())
	}
	return errors.Join(fn(infra.TokenManager()), infra.Close())
}

// remoteTokens are the tokens of a running kernel.
type remoteTokens struct{ client *client.Client }

func (r remoteTokens) Create(ctx context.Context, p llmspell.TokenParams) (string, llmspell.TokenInfo, error) {
	var out struct {
		Token string `json:"token"`
		llmspell.TokenInfo
	}
	err := r.client.CreateToken(ctx, client.TokenRequest{
		Name: p.Name, Tenant: p.Tenant, Scopes: p.Scopes, TTLSeconds: int64(p.TTL / time.Second),
	}, &out)
	return out.Token, out.TokenInfo, err
}

func (r remoteTokens) List(ctx context.Context) ([]llmspell.TokenInfo, error) {
	return client.All[llmspell.TokenInfo](ctx, r.client, "/v1/tokens")
}

func (r remoteTokens) Revoke(ctx context.Context, id string) error {
	return r.client.RevokeToken(ctx, id)
}

func (a *app) tokenCreate() *cobra.Command {
	var p llmspell.TokenParams
	var ttl string
	c := &cobra.Command{
		Use: "create", Short: "Issue a token and print its secret once",
		Example: `  llmspell token create --scope read,execute --name ci --ttl 24h`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if p.TTL, err = parseDuration("--ttl", ttl); err != nil {
				return err
			}
			return a.withTokens(c.Context(), func(t tokens, tenant string) error {
				if p.Tenant == "" {
					p.Tenant = tenant
				}
				secret, info, err := t.Create(c.Context(), p)
				if err != nil {
					return err
				}
				if a.json() {
					return a.printJSON(struct {
						Token string `json:"token"`
						llmspell.TokenInfo
					}{secret, info})
				}
				a.note("token %s for tenant %s, scopes %s; it is shown only now", info.ID, info.Tenant, strings.Join(info.Scopes, ","))
				return a.printf("%s\n", secret)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&p.Tenant, "tenant", "", "tenant whose data it opens (default: the configured one)")
	f.StringSliceVar(&p.Scopes, "scope", nil, "read, execute, admin (default read,execute)")
	f.StringVar(&p.Name, "name", "", "a name to recognise it by")
	f.StringVar(&ttl, "ttl", "", "how long it is valid; empty = until revoked")
	return c
}

func (a *app) tokenList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List issued tokens, without their secrets", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withTokens(c.Context(), func(t tokens, _ string) error {
				all, err := t.List(c.Context())
				if err != nil {
					return err
				}
				if a.json() {
					return a.printJSON(append([]llmspell.TokenInfo{}, all...))
				}
				rows := [][]string{{"ID", "NAME", "TENANT", "SCOPES", "CREATED", "EXPIRES"}}
				for _, t := range all {
					expires := "never"
					if !t.ExpiresAt.IsZero() {
						expires = t.ExpiresAt.Local().Format(time.DateTime)
					}
					rows = append(rows, []string{t.ID, t.Name, t.Tenant, strings.Join(t.Scopes, ","), t.CreatedAt.Local().Format(time.DateTime), expires})
				}
				return a.table(rows)
			})
		},
	}
}

func (a *app) tokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "End a token at once", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withTokens(c.Context(), func(t tokens, _ string) error {
				if err := t.Revoke(c.Context(), args[0]); err != nil {
					return err
				}
				return a.printf("revoked %s\n", args[0])
			})
		},
	}
}

func (a *app) tokenShow() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Print the local admin token, made at first use", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.localToken(server.BootstrapToken) },
	}
}

func (a *app) tokenRotate() *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Short: "Replace the local admin token; a running kernel follows at once", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.localToken(server.RotateToken) },
	}
}

func (a *app) localToken(get func(*config.Config) (string, error)) error {
	cfg, err := a.loadConfig("kernel")
	if err != nil {
		return err
	}
	secret, err := get(cfg)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]string{"token": secret})
	}
	return a.printf("%s\n", secret)
}
