package luamod_test

import (
	"context"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/internal/journal"
	"github.com/llmspell/llmspell/internal/luamod"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
)

// refusing is a provider that must not be asked.
func refusing(t *testing.T) llm.Provider {
	refuse := func(context.Context, llm.Request, func(llm.Chunk)) error {
		t.Error("the replay asks the model")
		return nil
	}
	s := llmtest.Fake()
	for name := range s.Models {
		s.Models[name] = refuse
	}
	return s
}

// TestAgentReplay records a run with streams, tools, effects inside callbacks,
// failures and overlapping calls, and answers it from the journal.
func TestAgentReplay(t *testing.T) {
	t.Parallel()
	const code = `
local log = {}
local a = Agent.create{model="fake/stream"}
a:stream("x", function(c)
	log[#log + 1] = c.text or c.type
	if c.text == "b" then log[#log + 1] = Agent.query("inner") end
end)
for c in a:stream("y") do log[#log + 1] = c.text or c.type end
log[#log + 1] = a:stream("z", function() return false end).text
log[#log + 1] = Agent.create{model="fake/tools", tools={"calculator"}}:execute("go").text
local _, e = pcall(Agent.query, "q", {model="fake/down", retries=0})
log[#log + 1] = e.code
log[#log + 1] = Agent.create_composite("p", {Agent.create{name="one"}, Agent.create{name="two"}}, "parallel"):complete("both")
log[#log + 1] = Agent.create{}.name
return log`
	path := filepath.Join(t.TempDir(), "run.jsonl")
	header := journal.Header{RunID: "run_1", Seed: 1, ScriptHash: journal.HashScript(code)}
	rec, err := journal.Create(path, header, journal.Params{})
	if err != nil {
		t.Fatal(err)
	}
	want := runOnTape(t, llmtest.Fake(), rec, code)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	tape, err := journal.Open(path, journal.Params{})
	if err != nil {
		t.Fatal(err)
	}
	got := runOnTape(t, refusing(t), tape, code)
	if err := tape.Close(); err != nil {
		t.Errorf("closing the replay: %v", err)
	}
	if got != want {
		t.Errorf("replayed\n %s\nrecorded\n %s", got, want)
	}
	t.Log(want)
}

func runOnTape(t *testing.T, p llm.Provider, tape journal.Tape, code string) string {
	t.Helper()
	box, err := toolbox.New(multiply{})
	if err != nil {
		t.Fatal(err)
	}
	models := provider.New(provider.Params{Entries: []provider.Entry{{
		Name: "fake", Type: "fake", Provider: p, DefaultModel: "echo", Enabled: true, KeyPresent: true,
	}}})
	lib, err := bind.NewLibrary(bind.Module{Module: luamod.Agent(luamod.AgentParams{
		Agents: agent.New(agent.Params{Models: models, Tools: box}), Providers: models,
	})})
	if err != nil {
		t.Fatal(err)
	}
	local := gate.NewLocal()
	defer local.Close()
	in, err := interp.New(interp.Params{Library: lib, Seed: 1, Local: local})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	run := &gate.Run{ID: "run_1", Now: tape.Now, ScriptNow: tape.ScriptNow, Rand: tape.Rand, Local: local, Gate: gate.New(tape.Intercept)}
	res, err := in.Execute(t.Context(), interp.Request{Code: code, Run: run})
	if err != nil {
		t.Fatal(err)
	}
	return string(res.Value)
}

// TestAbandonedStream: a stream that is not read to its end leaves nothing behind.
func TestAbandonedStream(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	lib := agentLibrary(t)
	if got := runAgents(t, lib, `local next = Agent.create{model="fake/stream"}:stream("x") return next().text`); got != `"a"` {
		t.Errorf("got %s", got)
	}
}
