package llmspell

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/buildinfo"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/journal"
)

// effects prepares the gate of a run: its journal, if it has one, and what the
// scripts see of clock and randomness. It returns the seed of math.random and a
// function that ends the journal.
func (k *Kernel) effects(r *Run, st *settings, now time.Time) (seed uint64, finish func() error, err error) {
	e := &r.effect
	e.ID, e.SessionID, e.Tenant, e.Script = r.id, r.sessionID(), r.tenant, r.request.scriptName()
	e.StartedAt, e.Gate, e.Emit = now, k.infra.gate, r.emit
	e.Logger = k.logger.With("run", r.id)
	e.Now, e.Rand = wallClock, randomBytes

	seed = newSeed()
	if !r.request.journalled() {
		return seed, func() error { return nil }, nil
	}
	tape, header, err := k.openTape(r, st, seed)
	if err != nil {
		return 0, nil, err
	}
	e.ID, e.StartedAt = header.RunID, header.Started
	e.Now, e.ScriptNow, e.Rand = tape.Now, tape.ScriptNow, tape.Rand
	// In front: a replayed effect is neither counted nor timed.
	e.Gate = gate.New(append([]gate.Interceptor{tape.Intercept}, k.infra.chain...)...)
	return header.Seed, tape.Close, nil
}

// openTape opens the journal that the run writes or is answered from.
func (k *Kernel) openTape(r *Run, st *settings, seed uint64) (journal.Tape, journal.Header, error) {
	params := journal.Params{Redact: redactor(st.config.Secrets())}
	if path := r.request.Replay; path != "" {
		tape, err := journal.Open(path, params)
		if err != nil {
			return nil, journal.Header{}, err
		}
		h := tape.Header()
		if h.ScriptHash != journal.HashScript(r.request.Code) {
			return nil, h, fault.Errorf(fault.Nondeterminism, "%s was recorded with another script", path).
				WithHint("replay it with the script of that time, or record it again")
		}
		return tape, h, nil
	}
	h := journal.Header{
		VM: buildinfo.Version, RunID: r.id, Script: r.request.scriptName(),
		ScriptHash: journal.HashScript(r.request.Code), Seed: seed, Started: r.effect.StartedAt,
	}
	tape, err := journal.Create(r.request.Record, h, params)
	return tape, h, err
}

// endTape ends the journal of a run that gave err, which comes first: a replay
// that failed did not ask for all effects.
func endTape(finish func() error, err error) error {
	if ferr := finish(); err == nil {
		return ferr
	}
	return err
}

func wallClock() time.Time { return time.Now().Truncate(time.Millisecond) }

func randomBytes(p []byte) { rand.Read(p) }

// minSecret is the length in bytes from which a secret is taken out of
// journals: a shorter one would take out ordinary text.
const minSecret = 8

// redactor returns a function that takes the secrets out of a text.
func redactor(secrets []config.Secret) func(string) string {
	var pairs []string
	for _, s := range secrets {
		if v := s.Reveal(); len(v) >= minSecret {
			pairs = append(pairs, v, "[redacted]")
		}
	}
	return strings.NewReplacer(pairs...).Replace
}
