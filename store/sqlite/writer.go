package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmspell/llmspell/fault"
)

const maxBatch = 256 // writes in one commit

// writer runs the closures of all goroutines on one connection: those waiting
// share a transaction, each in a savepoint of its own, and are acknowledged
// after its commit. A closure that fails is rolled back alone.
type writer struct {
	conn    *sql.Conn
	now     func() time.Time
	stmts   map[string]*sql.Stmt
	tenants map[string]bool // recorded in table tenants
	queue   chan *job
	quit    chan struct{}
	done    chan struct{}
	once    sync.Once
}

type job struct {
	fn    func(*tx) error
	taken atomic.Bool // by the writer, or by a caller that gave up
	err   error
	done  chan struct{}
}

func startWriter(conn *sql.Conn, now func() time.Time) *writer {
	w := &writer{
		conn: conn, now: now, stmts: map[string]*sql.Stmt{}, tenants: map[string]bool{},
		queue: make(chan *job, maxBatch), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w
}

// do runs fn in the writer and returns when it is committed. A cancelled ctx
// ends the wait only while fn has not been started.
func (w *writer) do(ctx context.Context, fn func(*tx) error) error {
	j := &job{fn: fn, done: make(chan struct{})}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-w.quit:
		return errClosed()
	default:
	}
	select {
	case w.queue <- j:
	case <-w.quit:
		return errClosed()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-j.done:
		return j.err
	case <-w.done:
		if j.taken.CompareAndSwap(false, true) {
			return errClosed()
		}
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
	}
	<-j.done
	return j.err
}

func errClosed() error { return fault.Errorf(fault.StorageUnavailable, "the store is closed") }

func (w *writer) close() error {
	var err error
	w.once.Do(func() {
		close(w.quit)
		<-w.done
		for _, s := range w.stmts {
			s.Close()
		}
		err = w.conn.Close()
	})
	return err
}

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case j := <-w.queue:
			w.batch(j)
		case <-w.quit:
			for { // those that came before Close
				select {
				case j := <-w.queue:
					w.batch(j)
				default:
					return
				}
			}
		}
	}
}

// batch commits first and whatever else is waiting.
func (w *writer) batch(first *job) {
	var jobs []*job
	finish := func(err error) {
		for _, j := range jobs {
			if err != nil {
				j.err = err
			}
			close(j.done)
		}
	}
	t := &tx{w: w}
	if err := t.raw(`BEGIN IMMEDIATE`); err != nil {
		if first.taken.CompareAndSwap(false, true) {
			jobs = append(jobs, first)
		}
		finish(unavailable(err))
		return
	}
	for j := first; j != nil; j = w.next(len(jobs)) {
		if !j.taken.CompareAndSwap(false, true) {
			continue
		}
		jobs = append(jobs, j)
		if err := t.savepoint(j); err != nil {
			_ = t.raw(`ROLLBACK`) // the transaction may be gone already
			w.tenants = map[string]bool{}
			finish(unavailable(err))
			return
		}
	}
	err := t.raw(`COMMIT`)
	if err != nil {
		_ = t.raw(`ROLLBACK`)
		w.tenants = map[string]bool{}
	}
	finish(unavailable(err))
}

// next returns a waiting job, nil if there is none or the batch is full.
func (w *writer) next(have int) *job {
	if have >= maxBatch {
		return nil
	}
	select {
	case j := <-w.queue:
		return j
	default:
		return nil
	}
}

// tx is what a closure writes with. Only for use inside the closure.
type tx struct{ w *writer }

// savepoint runs one job. Its error is the job's; what is returned means that
// the whole transaction is lost.
func (t *tx) savepoint(j *job) error {
	if err := t.raw(`SAVEPOINT job`); err != nil {
		return err
	}
	if j.err = t.call(j.fn); j.err != nil {
		if err := t.raw(`ROLLBACK TO job`); err != nil {
			return err
		}
		clear(t.w.tenants)
	}
	return t.raw(`RELEASE job`)
}

func (t *tx) call(fn func(*tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.Errorf(fault.Internal, "panic in a store update: %v", r)
		}
	}()
	return unavailable(fn(t))
}

// The statements run without a caller's context: cancelling one must not undo
// the writes of the others.

func (t *tx) raw(text string) error {
	_, err := t.exec(text)
	return err
}

func (t *tx) exec(text string, args ...any) (sql.Result, error) {
	s, err := t.stmt(text)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

func (t *tx) row(text string, args []any, dest ...any) error {
	s, err := t.stmt(text)
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background(), args...).Scan(dest...)
}

func (t *tx) stmt(text string) (*sql.Stmt, error) {
	if s := t.w.stmts[text]; s != nil {
		return s, nil
	}
	s, err := t.w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", text, err)
	}
	t.w.stmts[text] = s
	return s, nil
}
