// Command http-service is a web service of its own around a kernel: POST
// /execute runs a script and answers {"result": "..."}.
//
//	go run ./examples/http-service
//	curl http://localhost:3000/execute -d '{"code":"return 42"}'
//
// Environment: LLMSPELL_CONFIG (default config.toml), LISTEN_ADDR (default
// 127.0.0.1:3000), LLMSPELL_TOKEN (bearer token that clients must send; without
// one the service listens on loopback only). With -healthcheck it asks the
// running service for "return 42" and exits 0 or 1.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/server"
	"github.com/llmspell/llmspell/standard"
)

// settings are what the environment says.
type settings struct{ config, addr, token string }

func main() {
	s := settings{
		config: cmp.Or(os.Getenv("LLMSPELL_CONFIG"), "config.toml"),
		addr:   cmp.Or(os.Getenv("LISTEN_ADDR"), "127.0.0.1:3000"),
		token:  os.Getenv("LLMSPELL_TOKEN"),
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := error(nil)
	if len(os.Args) > 1 && os.Args[1] == "-healthcheck" {
		err = healthcheck(ctx, s)
	} else {
		err = run(ctx, s, func(addr net.Addr) { fmt.Fprintln(os.Stderr, "listening on", addr) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends; ready is called when requests are taken.
func run(ctx context.Context, s settings, ready func(net.Addr)) error {
	cfg, err := config.Load(s.config)
	if err != nil {
		return err
	}
	kernel, err := standard.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer kernel.Close()

	guard := server.Guard{Token: s.token, AllowInsecureBind: cfg.Security.AllowInsecureBind}
	ln, err := guard.Listen(s.addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /execute", execute(kernel))
	srv := &http.Server{Handler: guard.Wrap(mux), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	ready(ln.Addr())

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Kernel.ShutdownTimeout)
	defer cancel()
	return errors.Join(srv.Shutdown(shutdown), kernel.Shutdown(shutdown))
}

func execute(kernel *llmspell.Kernel) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Code string `json:"code"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 10<<20)).Decode(&req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result, err := kernel.Execute(r.Context(), req.Code)
		if err != nil {
			server.WriteProblem(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"result": result.String()})
	}
}

// healthcheck runs a script in the service at the configured address.
func healthcheck(ctx context.Context, s settings) error {
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return fmt.Errorf("LISTEN_ADDR: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:"+port+"/execute", strings.NewReader(`{"code":"return 42"}`))
	if err != nil {
		return err
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Result string `json:"result"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("status %s: %w", resp.Status, err)
	}
	if resp.StatusCode != http.StatusOK || answer.Result != "42" {
		return fmt.Errorf("status %s, result %q, want 200 and 42", resp.Status, answer.Result)
	}
	return nil
}
