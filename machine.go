package llmspell

import (
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/internal/session"
	"github.com/llmspell/llmspell/tool"
)

// machine is an interpreter with what belongs to it. One execution at a time
// uses it.
type machine struct {
	interp   *interp.Interp
	slot     *session.Slot
	local    *gate.Local
	settings *settings // it was made for
	files    tool.Files
	broken   bool // a panic left it in an unknown state
}

// newSeed draws a seed of math.random; 0 would make the interpreter draw one.
func newSeed() uint64 { return rand.Uint64() | 1 }

func (k *Kernel) newMachine(st *settings, seed uint64) (*machine, error) {
	m := &machine{slot: k.slots.Slot(), local: gate.NewLocal(), settings: st, files: k.infra.files.enabled()}
	var err error
	m.interp, err = interp.New(interp.Params{
		Library: k.library, Slots: m.slot, Stdlib: st.stdlib, MemoryLimit: st.memory, Pool: k.pool,
		System: k.system(m), Seed: seed, Local: m.local,
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (m *machine) close() {
	m.local.Close()
	m.interp.Close()
}

// machineFor returns the machine of a run and a function that gives it back.
// A journalled run needs one of its own seed.
func (k *Kernel) machineFor(r *Run, st *settings, seed uint64) (*machine, func(), error) {
	if r.session != nil {
		m, err := r.session.enter(r)
		return m, r.session.leave, err
	}
	if r.request.journalled() {
		m, err := k.newMachine(st, seed)
		if err != nil {
			return nil, nil, err
		}
		return m, m.close, nil
	}
	m, err := k.nursery.take(k, st)
	if err != nil {
		return nil, nil, err
	}
	return m, func() {
		m.close()
		k.nursery.raise(k, st)
	}, nil
}

// nursery keeps a few machines ready for executions without a session, so that
// most of them need not wait for one to be made.
type nursery struct {
	ready   chan *machine
	raising atomic.Bool
	wait    sync.WaitGroup
}

// spareMachines is how many machines are kept ready, some 30 KB each.
const spareMachines = 4

func newNursery() *nursery { return &nursery{ready: make(chan *machine, spareMachines)} }

// take returns a fresh machine.
func (n *nursery) take(k *Kernel, st *settings) (*machine, error) {
	for {
		select {
		case m := <-n.ready:
			if m.settings == st && m.files == k.infra.files.enabled() {
				return m, nil
			}
			m.close()
		default:
			return k.newMachine(st, newSeed())
		}
	}
}

// raise fills up the ready machines in the background.
func (n *nursery) raise(k *Kernel, st *settings) {
	if len(n.ready) == cap(n.ready) || !n.raising.CompareAndSwap(false, true) {
		return
	}
	n.wait.Go(func() {
		defer n.raising.Store(false)
		for len(n.ready) < cap(n.ready) {
			m, err := k.newMachine(st, newSeed())
			if err != nil {
				return // the next execution reports it
			}
			n.ready <- m // has room: nobody else adds
		}
	})
}

// close frees the ready machines. No execution may run any more.
func (n *nursery) close() {
	n.wait.Wait()
	for len(n.ready) > 0 {
		(<-n.ready).close()
	}
}

// system is what the scripts of a machine may reach of the world.
func (k *Kernel) system(m *machine) interp.SystemParams {
	c := m.settings.config
	p := interp.SystemParams{
		Files: m.files, Getenv: k.getenv, AllowedEnv: c.Tools.System.AllowedEnvVars,
		SearchPaths: c.App.SearchPaths,
	}
	if temp := os.TempDir(); slices.Contains(c.Tools.FileOperations.AllowedPaths, temp) {
		p.TempDir = temp
	}
	return p
}
