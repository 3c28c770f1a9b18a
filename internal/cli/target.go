package cli

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/llmspell/llmspell/client"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/registry"
)

// registries are where running kernels are looked for: the caller's user scope
// and the system scope.
func (a *app) registries() []registry.Dir {
	var dirs []registry.Dir
	for _, p := range a.configParams("").Scopes() {
		dirs = append(dirs, registry.Dir{Runtime: p.RuntimeDir, Scope: string(p.Scope)})
	}
	return dirs
}

// kernels are the running kernels of both registries, and of the configured
// runtime directory.
func (a *app) kernels() ([]registry.Listed, error) {
	dirs := a.registries()
	if cfg, err := a.loadConfig("kernel"); err == nil {
		dirs = append(dirs, registry.Dir{Runtime: cfg.Paths.RuntimeDir, Scope: string(cfg.Paths.Scope)})
	}
	return registry.List(dirs...)
}

// onlyKernel finds the kernel a command is about: by id (or a unique prefix of
// 4 characters), else the only one running.
func (a *app) onlyKernel(id string) (registry.Listed, error) {
	all, err := a.kernels()
	if err != nil {
		return registry.Listed{}, err
	}
	if id != "" {
		return registry.Match(id, all)
	}
	switch len(all) {
	case 0:
		return registry.Listed{}, &exitError{code: exitNotFound, err: fmt.Errorf("no kernel is running"),
			hint: `start one with "llmspell kernel start --daemon"`}
	case 1:
		return all[0], nil
	}
	return registry.Listed{}, usagef("several kernels are running, name one of: %s", strings.Join(registry.IDs(all), ", "))
}

// remote returns a client of the addressed kernel; ok is false when none is
// addressed (no --connect, LLMSPELL_URL or --kernel).
func (a *app) remote() (c *client.Client, ok bool, err error) {
	addr := a.connect
	if addr == "" {
		addr = a.env.getenv("LLMSPELL_URL")
	}
	switch {
	case a.kernelID != "":
		k, err := a.onlyKernel(a.kernelID)
		if err != nil {
			return nil, false, err
		}
		c, err = a.dial(k.Endpoint)
		return c, true, err
	case addr != "":
		c, err = a.dial(addr)
		return c, true, err
	}
	return nil, false, nil
}

// dial returns a client for URL or HOST:PORT with the right token.
func (a *app) dial(addr string) (*client.Client, error) {
	u, err := a.address(addr)
	if err != nil {
		return nil, err
	}
	token, err := a.tokenFor(u)
	if err != nil {
		return nil, err
	}
	return a.newClient(u, token)
}

// dialOpen returns a client without a token, for what is open to everyone.
func (a *app) dialOpen(addr string) (*client.Client, error) {
	u, err := a.address(addr)
	if err != nil {
		return nil, err
	}
	return a.newClient(u, "")
}

func (a *app) address(addr string) (*url.URL, error) {
	if !strings.Contains(addr, "://") {
		addr = a.schemeOf(addr) + "://" + addr
	}
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" {
		return nil, usagef("--connect %q: want URL or HOST:PORT", addr)
	}
	reachable(u)
	return u, nil
}

func (a *app) newClient(u *url.URL, token string) (*client.Client, error) {
	hc, err := a.httpClient(u)
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Params{URL: u.String(), Token: token, HTTPClient: hc})
	if err != nil {
		return nil, usage(err)
	}
	return c, nil
}

// tokenFor finds the token: --token-file, LLMSPELL_TOKEN, else the state
// directory's of the live local kernel at exactly this address.
func (a *app) tokenFor(u *url.URL) (string, error) {
	if a.tokenFile != "" {
		data, err := a.readAll(a.tokenFile, 4096)
		return strings.TrimSpace(string(data)), err
	}
	if t := a.env.getenv("LLMSPELL_TOKEN"); t != "" {
		return t, nil
	}
	k, ok := a.localKernel(u)
	if !ok {
		return "", nil
	}
	data, err := a.readAll(k.StateDir+"/token", 4096)
	if os.IsPermission(err) {
		return "", fault.Errorf(fault.PolicyDenied, "Permission denied: %s/token", k.StateDir).
			WithHint("run as the kernel's account, or give a token with --token-file")
	}
	return strings.TrimSpace(string(data)), err
}

// localKernel returns the registered kernel that listens at u.
func (a *app) localKernel(u *url.URL) (registry.Listed, bool) {
	all, err := a.kernels()
	if err != nil {
		return registry.Listed{}, false
	}
	for _, k := range all {
		e, err := url.Parse(k.Endpoint)
		if err == nil && e.Port() == u.Port() && sameHost(e.Hostname(), u.Hostname()) {
			return k, true
		}
	}
	return registry.Listed{}, false
}

// sameHost compares a listener's address with a name a person typed.
func sameHost(listener, typed string) bool {
	l, t := net.ParseIP(listener), net.ParseIP(typed)
	switch {
	case listener == typed:
		return true
	case l == nil:
		return false
	case typed == "localhost":
		return l.IsLoopback() || l.IsUnspecified()
	case t == nil:
		return false
	}
	return l.Equal(t) || l.IsUnspecified() && t.IsLoopback()
}

// schemeOf is the scheme of the registered kernel at HOST:PORT, else http.
func (a *app) schemeOf(addr string) string {
	if k, ok := a.localKernel(&url.URL{Host: addr}); ok {
		if e, err := url.Parse(k.Endpoint); err == nil {
			return e.Scheme
		}
	}
	return "http"
}

func (a *app) completeKernels() []string {
	all, _ := a.kernels()
	return registry.IDs(all)
}
