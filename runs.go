package llmspell

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// How long ended runs stay readable: the first bound that is reached counts.
const (
	keepRuns     = time.Minute
	maxEndedRuns = 1000
	maxEndedSize = 64 << 20 // bytes of results and events
	maxForgotten = 4096     // ids remembered to tell "expired" from "unknown"
)

// runRegistry holds the runs of a kernel: all that live, and those that ended
// lately.
type runRegistry struct {
	mu        sync.Mutex
	runs      map[string]*Run
	ended     fifo[endedRun]
	size      int
	forgotten map[string]string // id to tenant
	oldIDs    fifo[string]
}

type endedRun struct {
	id   string
	at   time.Time
	size int
}

func newRunRegistry() *runRegistry {
	return &runRegistry{runs: map[string]*Run{}, forgotten: map[string]string{}}
}

func (g *runRegistry) add(r *Run) {
	g.mu.Lock()
	g.runs[r.id] = r
	g.mu.Unlock()
}

// remove takes out a run that never was one: it was refused.
func (g *runRegistry) remove(r *Run) {
	g.mu.Lock()
	delete(g.runs, r.id)
	g.mu.Unlock()
}

// retire starts the clock of a run that ended.
func (g *runRegistry) retire(r *Run, now time.Time) {
	size := r.retained()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended.push(endedRun{r.id, now, size})
	g.size += size
	g.expireLocked(now)
}

// expire drops what has been kept long enough and reports whether ended runs
// are left.
func (g *runRegistry) expire(now time.Time) (left bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expireLocked(now)
	return g.ended.len() > 0
}

func (g *runRegistry) expireLocked(now time.Time) {
	for g.ended.len() > 0 {
		oldest := g.ended.front()
		if g.ended.len() <= maxEndedRuns && g.size <= maxEndedSize && now.Sub(oldest.at) < keepRuns {
			return
		}
		g.ended.pop()
		g.size -= oldest.size
		g.forgotten[oldest.id] = g.runs[oldest.id].tenant
		g.oldIDs.push(oldest.id)
		delete(g.runs, oldest.id)
		if g.oldIDs.len() > maxForgotten {
			delete(g.forgotten, g.oldIDs.pop())
		}
	}
}

// lookup finds a run of a tenant: ErrEventsExpired for one that was dropped,
// ErrNotFound for one that never was.
func (g *runRegistry) lookup(tenant, id string) (*Run, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r, ok := g.runs[id]; ok && r.tenant == tenant {
		return r, nil
	}
	if owner, ok := g.forgotten[id]; ok && owner == tenant {
		return nil, ErrEventsExpired
	}
	return nil, fault.Errorf(fault.NotFound, "no run %q", id)
}

// list returns a tenant's runs, oldest first.
func (g *runRegistry) list(tenant string) []*Run {
	g.mu.Lock()
	var runs []*Run
	for _, r := range g.runs {
		if r.tenant == tenant {
			runs = append(runs, r)
		}
	}
	g.mu.Unlock()
	slices.SortFunc(runs, func(a, b *Run) int { return strings.Compare(a.id, b.id) }) // ids rise with time
	return runs
}

// living returns all runs that have not ended.
func (g *runRegistry) living() []*Run {
	g.mu.Lock()
	defer g.mu.Unlock()
	var runs []*Run
	for _, r := range g.runs {
		if r.Info().EndedAt.IsZero() {
			runs = append(runs, r)
		}
	}
	return runs
}

// fifo is a queue whose memory follows its length.
type fifo[T any] struct {
	items []T
	head  int
}

func (f *fifo[T]) len() int { return len(f.items) - f.head }
func (f *fifo[T]) front() T { return f.items[f.head] }
func (f *fifo[T]) push(v T) { f.items = append(f.items, v) }

func (f *fifo[T]) pop() T {
	v := f.items[f.head]
	var zero T
	f.items[f.head] = zero
	f.head++
	if f.head > len(f.items)/2 {
		f.items, f.head = append(f.items[:0:0], f.items[f.head:]...), 0
	}
	return v
}
