package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/fault"
)

const (
	pingInterval  = 15 * time.Second
	flushDeadline = 10 * time.Second
)

// runEvents streams a run from where the client says it stopped.
func runEvents(a *api, w http.ResponseWriter, r *http.Request) error {
	run, err := a.kernel.LookupRun(identity(r).Tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	after, err := resumePoint(r)
	if err != nil {
		return err
	}
	leave, err := a.enterStream()
	if err != nil {
		return err
	}
	defer leave()
	return a.stream(w, r, run, after)
}

// resumePoint reads ?after=, else Last-Event-ID; 0 is the beginning.
func resumePoint(r *http.Request) (int64, error) {
	value, name := r.URL.Query().Get("after"), "after"
	if value == "" {
		value, name = r.Header.Get("Last-Event-ID"), "Last-Event-ID"
	}
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Errorf(fault.InvalidArgument, "%s: expected the decimal id of an event, got %q", name, value)
	}
	return n, nil
}

// enterStream takes one of kernel.max_clients places; leave gives it back.
func (a *api) enterStream() (leave func(), err error) {
	n := a.streams.Add(1)
	leave = func() { a.streams.Add(-1) }
	if limit := a.policy().cfg.Kernel.MaxClients; limit > 0 && n > int64(limit) {
		leave()
		return nil, fault.Errorf(fault.Overloaded, "%d streaming clients are connected", limit).WithHint("kernel.max_clients sets the limit")
	}
	return leave, nil
}

// next is what the reading goroutine of a stream hands over.
type next struct {
	event llmspell.Event
	err   error
}

// stream writes a run's events as server-sent events until the terminal one. A
// reader that does not take a frame within 10 s loses the connection, never
// the run.
func (a *api) stream(w http.ResponseWriter, r *http.Request, run *llmspell.Run, after int64) error {
	events := make(chan next)
	ctx := r.Context()
	done := make(chan struct{})
	defer func() { <-done }()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		defer close(done)
		defer close(events)
		for e, err := range run.Events(ctx, after) {
			select {
			case events <- next{e, err}:
			case <-stop:
				return
			}
		}
	}()

	first, ok := <-events
	if ok && first.err != nil {
		return first.err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	s := &sse{w: w, rc: http.NewResponseController(w), runID: run.ID()}
	if err := s.send("retry: 2000\n\n"); err != nil || !ok {
		return err
	}
	if err := s.event(first.event); err != nil {
		return err
	}
	return s.relay(events, a.stopped, ctx.Done())
}

// sse writes frames.
type sse struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	runID string
}

func (s *sse) relay(events <-chan next, stopped, gone <-chan struct{}) error {
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	for {
		select {
		case n, ok := <-events:
			if !ok {
				return nil
			}
			if n.err != nil {
				return n.err
			}
			if err := s.event(n.event); err != nil {
				return err
			}
		case <-ping.C:
			if err := s.send(": ping\n\n"); err != nil {
				return err
			}
		case <-stopped: // all runs have ended: what is left is on its way
			return s.finish(events)
		case <-gone:
			return nil
		}
	}
}

// finish sends what a stopped kernel's run still has to tell, its terminal event
// last.
func (s *sse) finish(events <-chan next) error {
	late := time.NewTimer(time.Second)
	defer late.Stop()
	for {
		select {
		case n, ok := <-events:
			if !ok || n.err != nil {
				return n.err
			}
			if err := s.event(n.event); err != nil {
				return err
			}
		case <-late.C:
			return s.send(": the kernel is shutting down\n\n")
		}
	}
}

// event writes one event; run_id and time are members of its data object.
func (s *sse) event(e llmspell.Event) error {
	data, err := eventData(e, s.runID)
	if err != nil {
		return err
	}
	return s.send(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Type, data))
}

func (s *sse) send(frame string) error {
	s.rc.SetWriteDeadline(time.Now().Add(flushDeadline))
	_, err := s.w.Write([]byte(frame))
	if err == nil {
		err = s.rc.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errClientGone, err)
	}
	return nil
}

// errClientGone is a client that closed its stream or does not read it.
var errClientGone = errors.New("the client does not read")

// eventData merges run_id and time into the event's data object. A terminal
// failure carries a problem.
func eventData(e llmspell.Event, runID string) ([]byte, error) {
	data := e.Data
	if err, ok := data.(error); ok {
		data = problemOf(err)
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{}
	if string(raw) != "null" {
		if err := json.Unmarshal(raw, &members); err != nil {
			return nil, fmt.Errorf("data of event %s is not an object: %w", e.Type, err)
		}
	}
	members["run_id"], _ = json.Marshal(runID)
	members["time"], _ = json.Marshal(e.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	return json.Marshal(members)
}
