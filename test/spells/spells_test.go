// Package spells runs the scripts of examples/spells as a user would, offline
// and with an empty home, and compares what they print with their .golden files.
//
//	go test ./test/spells -update
//
// rewrites those files, and records the model conversations of the spells below
// with llmspell run --record against a server that gives the answers written
// here. tour.replay.jsonl is from a real model (test/model) and stays.
package spells

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/cli"
	"github.com/llmspell/llmspell/standard"
)

var update = flag.Bool("update", false, "rewrite the golden files and the recorded conversations")

const folder = "../../examples/spells"

// call is an answer that asks for a tool; any other answer is text.
type call struct{ id, name, arguments string }

// answers are what the model says in each spell, request by request.
var answers = map[string][]any{
	"scripted_tools": {
		call{"call_1", "departures", `{"city":"Paris"}`},
		call{"call_2", "departures", `{"city":"Oslo"}`},
		call{"call_3", "booking", `{"city":"Oslo","seats":2}`},
		"There is no train to Paris. I booked two seats to Oslo at 11:40; your reference is R1.",
	},
	"streaming": {
		"Rain taps the glass; the street hums back.", "Snow: the city forgets its name.",
		"The sea, the sea, and once again the sea, until the page is wet.", "The sea again, and longer.", "Enough",
	},
	"builders": {
		"Lua is a small, fast, embeddable language.", "The sun is a hot, distant star.",
		"It does not say how hot.", "2 + 2 is 4, not 5.", "Whales are mammals.",
	},
	"conversation": {
		"A table maps keys to values.", "It is what the # operator counts.", "#{1, 2, 3} is 3.",
		"A metatable changes what operators do to a value.", `{"types":["table","string"]}`,
	},
}

// spells are the names of the scripts.
func spells(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(folder + "/*.lua")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d spells, %v", len(paths), err)
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ".lua")
	}
	return paths
}

// command is the line in a spell's first comment that says how to run it.
func command(t *testing.T, name, dir string) []string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(folder, name+".lua"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(source)) {
		if args, ok := strings.CutPrefix(line, "--   llmspell "); ok {
			return strings.Fields(strings.ReplaceAll(args, "$DIR", dir))
		}
	}
	t.Fatalf("%s: the first comment does not say how to run it", name)
	return nil
}

// llmspellRun runs the program in a home of its own.
func llmspellRun(t *testing.T, args []string, environ ...string) (stdout, stderr string) {
	t.Helper()
	home, root := t.TempDir(), filepath.Join("..", "..")
	cwd, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		if strings.HasPrefix(a, "examples/") {
			args[i] = filepath.Join(root, a)
		}
	}
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), &cli.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Cwd: cwd, Home: home, UID: 1000, PID: os.Getpid(), Now: time.Now,
		Environ: append([]string{
			"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_RUNTIME_DIR=" + home,
			"STATE_DIRECTORY=" + home, "RUNTIME_DIRECTORY=" + home, "LOGS_DIRECTORY=" + home,
		}, environ...),
		Exit: func(code int) { t.Errorf("exit %d", code) },
	})
	if code != 0 {
		t.Errorf("llmspell %s: exit %d\n%s%s", strings.Join(args, " "), code, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// TestSpells runs each spell with the command it names.
func TestSpells(t *testing.T) {
	for _, name := range spells(t) {
		t.Run(name, func(t *testing.T) {
			if *update && answers[name] != nil {
				record(t, name)
			}
			got, stderr := llmspellRun(t, command(t, name, t.TempDir()))
			if told := strings.Contains(stderr, "replaying "+name+".replay.jsonl"); told != hasConversation(name) {
				t.Errorf("stderr: %s", stderr)
			}
			golden := filepath.Join(folder, name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("printed\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func hasConversation(name string) bool {
	_, err := os.Stat(filepath.Join(folder, name+".replay.jsonl"))
	return err == nil
}

// record runs a spell with a model that gives its answers.
func record(t *testing.T, name string) {
	t.Helper()
	left := answers[name]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/chat/completions" || len(left) == 0 {
			http.NotFound(w, r)
			return
		}
		answer(w, left[0])
		left = left[1:]
	}))
	defer srv.Close()
	path := filepath.Join(folder, name+".replay.jsonl")
	_ = os.Remove(path)
	args := append(command(t, name, t.TempDir()), "--record", path, "--set", "providers.openai.default_model=scripted")
	llmspellRun(t, args, "OPENAI_BASE_URL="+srv.URL+"/v1")
	if len(left) > 0 {
		t.Errorf("%d answers were not asked for", len(left))
	}
}

// answer writes one reply as the OpenAI API streams it, a word at a time.
func answer(w http.ResponseWriter, a any) {
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(delta any, finish any, more string) {
		raw, _ := json.Marshal(delta)
		end, _ := json.Marshal(finish)
		fmt.Fprintf(w, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"scripted","choices":[{"index":0,"delta":%s,"finish_reason":%s}]%s}`+"\n\n", raw, end, more)
	}
	finish, words := "stop", 0
	switch a := a.(type) {
	case call:
		finish, words = "tool_calls", 8
		send(map[string]any{"role": "assistant", "tool_calls": []any{map[string]any{
			"index": 0, "id": a.id, "type": "function", "function": map[string]any{"name": a.name, "arguments": a.arguments},
		}}}, nil, "")
	case string:
		for _, word := range strings.SplitAfter(a, " ") {
			words++
			send(map[string]any{"content": word}, nil, "")
		}
	}
	send(map[string]any{}, finish, fmt.Sprintf(`,"usage":{"prompt_tokens":20,"completion_tokens":%d,"total_tokens":%d}`, words, 20+words))
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// TestRecordAndReplay records a run of each spell with all its effects and runs
// it again from the record, on an empty store and without a model.
func TestRecordAndReplay(t *testing.T) {
	for _, name := range spells(t) {
		t.Run(name, func(t *testing.T) {
			dir, journal := t.TempDir(), filepath.Join(t.TempDir(), "run.jsonl")
			conversation, silent := "", ""
			if hasConversation(name) {
				conversation = filepath.Join(folder, name+".replay.jsonl")
				silent = silence(t, conversation)
			}
			first := execute(t, name, dir, conversation, llmspell.Request{Record: journal})
			second := execute(t, name, dir, silent, llmspell.Request{Replay: journal})
			if first != second {
				t.Errorf("replayed\n%s\nrecorded\n%s", second, first)
			}
		})
	}
}

// silence is a recorded conversation in which the model says nothing.
func silence(t *testing.T, conversation string) string {
	t.Helper()
	raw, err := os.ReadFile(conversation)
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := bytes.Cut(raw, []byte("\n"))
	path := filepath.Join(t.TempDir(), "silent.jsonl")
	if err := os.WriteFile(path, append(header, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// execute runs a spell in a kernel of its own and returns its output and value.
func execute(t *testing.T, name, dir, conversation string, r llmspell.Request) string {
	t.Helper()
	cfg, err := config.Parse([]byte(`
[storage]
backend = "memory"
[runtime.security]
allow_file_access = true
[tools.file_operations]
allowed_paths = ["`+dir+`"]
`), config.Params{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := standard.OpenParams(t.Context(), standard.Params{Config: cfg, Replay: conversation})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	source, err := os.ReadFile(filepath.Join(folder, name+".lua"))
	if err != nil {
		t.Fatal(err)
	}
	r.Code, r.Name, r.File, r.Args = string(source), "@"+name+".lua", true, map[string]any{"dir": dir}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	result, err := k.Run(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	return result.Output + result.Text
}
