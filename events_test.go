package llmspell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/llmspell/llmspell/internal/session"
)

// newTestRun is a run that no kernel executes.
func newTestRun(t *testing.T) *Run {
	t.Helper()
	return newRun(t.Context(), "run-1", Request{Tenant: "default"}, nil,
		session.NewQueue(session.Limits{}), session.NewLane(false), func(*Run) {})
}

func collect(t *testing.T, r *Run, after int64) (events []Event, err error) {
	t.Helper()
	for e, err := range r.Events(t.Context(), after) {
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}

func types(events []Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Type)
	}
	return out
}

func TestEventsAreNumberedAndResume(t *testing.T) {
	t.Parallel()
	r := newTestRun(t)
	r.begin(time.Now())
	r.emit("llm.started", map[string]any{"model": "m"})
	r.finish(Result{Text: "42"}, nil)
	r.emit("late", nil) // after the terminal event: dropped

	all, err := collect(t, r, 0)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"run.queued", "run.started", "llm.started", "run.succeeded"}; !slices.Equal(types(all), want) {
		t.Fatalf("events %v, want %v", types(all), want)
	}
	for i, e := range all {
		if e.Seq != int64(i+1) {
			t.Errorf("event %d has number %d", i+1, e.Seq)
		}
		rest, err := collect(t, r, e.Seq)
		if err != nil || len(rest) != len(all)-i-1 {
			t.Errorf("after %d: %d events, %v", e.Seq, len(rest), err)
		}
		first, _ := json.Marshal(e.Data)
		var object map[string]any
		if err := json.Unmarshal(first, &object); err != nil {
			t.Errorf("data of %s is no object: %s", e.Type, first)
		}
	}
}

func TestEventsWaitForNewOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t)
		var wg sync.WaitGroup
		var got []string
		wg.Go(func() {
			events, err := collect(t, r, 0)
			if err != nil {
				t.Error(err)
			}
			got = types(events)
		})
		synctest.Wait()
		r.begin(time.Now())
		synctest.Wait()
		r.finish(Result{}, errors.New("x"))
		wg.Wait()
		if want := []string{"run.queued", "run.started", "run.failed"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var last error
		for _, err := range r.Events(ctx, 1) {
			last = err
		}
		if !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", last)
		}
	})
}

func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	r := newTestRun(t)
	for range 100 {
		r.emit("big", map[string]string{"text": strings.Repeat("x", 100<<10)})
	}
	if n := r.log.size(); n > maxRunEventBytes {
		t.Errorf("%d bytes kept, limit %d", n, maxRunEventBytes)
	}
	if _, err := collect(t, r, 0); !errors.Is(err, ErrEventsExpired) {
		t.Errorf("reading from the start: %v, want events_expired", err)
	}
	for range maxRunEvents + 100 {
		r.emit("small", struct{}{})
	}
	r.finish(Result{}, nil)
	if n := len(r.log.events); n > maxRunEvents {
		t.Errorf("%d events kept, limit %d", n, maxRunEvents)
	}
	rest, err := collect(t, r, r.log.oldest()-1)
	if err != nil || rest[len(rest)-1].Type != eventSucceeded {
		t.Errorf("the newest events must be kept: %d, %v", len(rest), err)
	}
}

func TestDeliverySkipsWhatExpired(t *testing.T) {
	t.Parallel()
	r := newTestRun(t)
	for i := range maxRunEvents + 10 {
		r.emit("n", map[string]int{"i": i})
	}
	r.request.Events = func(Event) {}
	r.finish(Result{}, nil)
	var seen []int64
	r.deliver(func(e Event) { seen = append(seen, e.Seq) })
	if len(seen) != maxRunEvents || !slices.IsSorted(seen) {
		t.Errorf("%d events delivered, want the last %d in order", len(seen), maxRunEvents)
	}
}

func TestOutputIsJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t)
		out, errOut := r.writer("stdout", nil), r.writer("stderr", nil)
		fmt.Fprint(out, "a")
		fmt.Fprint(out, "b")
		time.Sleep(outputDelay + time.Millisecond)
		fmt.Fprint(out, "c")
		fmt.Fprint(errOut, "warn")
		r.emit("log", map[string]string{"message": "m"}) // everything printed comes before it
		fmt.Fprint(out, "d")
		r.finish(Result{}, nil)
		events, err := collect(t, r, 1)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range events {
			if o, ok := e.Data.(OutputEvent); ok {
				got = append(got, o.Stream+":"+o.Text)
			} else {
				got = append(got, e.Type)
			}
		}
		if want := []string{"stdout:ab", "stdout:c", "stderr:warn", "log", "stdout:d", "run.succeeded"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestOutputChunksKeepRunesWhole(t *testing.T) {
	t.Parallel()
	r := newTestRun(t)
	text := "x" + strings.Repeat("€", outputChunk) // cuts fall inside a rune
	fmt.Fprint(r.writer("stdout", nil), text)
	r.finish(Result{}, nil)
	events, err := collect(t, r, 1)
	if err != nil {
		t.Fatal(err)
	}
	var joined strings.Builder
	for _, e := range events[:len(events)-1] {
		o := e.Data.(OutputEvent)
		if !utf8.ValidString(o.Text) || len(o.Text) > outputChunk {
			t.Errorf("chunk of %d bytes, whole runes %t", len(o.Text), utf8.ValidString(o.Text))
		}
		joined.WriteString(o.Text)
	}
	if joined.String() != text {
		t.Error("the chunks do not join to what was printed")
	}
}

func TestInputAnswersARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRun(t)
		if err := r.Input("early"); !errors.Is(err, ErrNotFound) {
			t.Errorf("input without a request: %v", err)
		}
		read := make(chan string)
		buf := make([]byte, 3)
		go func() {
			var all []byte
			for len(all) < 6 {
				n, err := r.input.Read(buf)
				if err != nil {
					t.Error(err)
				}
				all = append(all, buf[:n]...)
			}
			read <- string(all)
		}()
		synctest.Wait()
		if err := r.Input("hello"); err != nil {
			t.Error(err)
		}
		if got := <-read; got != "hello\n" {
			t.Errorf("read %q", got)
		}
		ended := make(chan error)
		go func() { _, err := r.input.Read(buf); ended <- err }()
		synctest.Wait()
		r.Cancel()
		if err := <-ended; !errors.Is(err, errCancelled) {
			t.Errorf("a cancelled read gave %v", err)
		}
		if err := r.Input("late"); !errors.Is(err, ErrNotFound) {
			t.Errorf("input after the end: %v", err)
		}
	})
}
