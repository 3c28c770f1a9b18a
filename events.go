package llmspell

import (
	"context"
	"iter"
	"sync"
	"time"
	"unicode/utf8"
)

// Types of the events a run publishes itself; engines add others (kernel
// contract 5.4).
const (
	eventQueued         = "run.queued"
	eventStarted        = "run.started"
	eventOutput         = "output"
	eventInputRequested = "input.requested"
	eventSucceeded      = "run.succeeded"
	eventFailed         = "run.failed"
	eventCancelled      = "run.cancelled"
)

const (
	maxRunEvents     = 10_000
	maxRunEventBytes = 4 << 20
)

// eventLog keeps the newest events of one run. Writers never wait for readers.
type eventLog struct {
	mu     sync.Mutex
	events []Event // numbered first, first+1, ...
	sizes  []int32 // rough bytes of each
	first  int64
	bytes  int
	ended  bool
	wake   chan struct{} // closed at the next event; nil while nobody waits
}

// append adds an event of about size bytes; after the terminal one it does nothing.
func (l *eventLog) append(kind string, at time.Time, data any, size int, terminal bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	if l.events == nil {
		l.first = 1
		l.events = make([]Event, 0, 4)
		l.sizes = make([]int32, 0, 4)
	}
	seq := l.first + int64(len(l.events))
	l.events = append(l.events, Event{Seq: seq, Type: kind, Time: at, Data: data})
	l.sizes = append(l.sizes, int32(size))
	l.bytes += size
	l.ended = terminal
	for len(l.events) > 1 && (len(l.events) > maxRunEvents || l.bytes > maxRunEventBytes) {
		l.bytes -= int(l.sizes[0])
		l.events[0] = Event{}
		l.events, l.sizes = l.events[1:], l.sizes[1:]
		l.first++
	}
	if l.wake != nil {
		close(l.wake)
		l.wake = nil
	}
}

// after returns the events numbered above seq, or a channel to wait on when
// there are none yet. ended: no more will come.
func (l *eventLog) after(seq int64) (events []Event, ended bool, wake <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq+1 < l.first {
		return nil, false, nil, ErrEventsExpired
	}
	if i := seq + 1 - l.first; len(l.events) > 0 && i < int64(len(l.events)) {
		return append(events, l.events[i:]...), l.ended, nil, nil
	}
	if l.ended {
		return nil, true, nil, nil
	}
	if l.wake == nil {
		l.wake = make(chan struct{})
	}
	return nil, false, l.wake, nil
}

// oldest is the number of the oldest event that is kept.
func (l *eventLog) oldest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first
}

func (l *eventLog) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// read yields the events above seq until the terminal one.
func (l *eventLog) read(ctx context.Context, seq int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		seq := max(seq, 0)
		for {
			events, ended, wake, err := l.after(seq)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				seq = e.Seq
			}
			if ended {
				return
			}
			if wake == nil {
				continue
			}
			select {
			case <-wake:
			case <-ctx.Done():
				yield(Event{}, ctx.Err())
				return
			}
		}
	}
}

// OutputEvent is the data of an output event.
type OutputEvent struct {
	Stream string `json:"stream"` // stdout, stderr
	Text   string `json:"text"`
}

const (
	outputDelay = 50 * time.Millisecond
	outputChunk = 32 << 10
)

// outputEvents joins what a script prints to events of at most outputChunk
// bytes, published at the latest outputDelay after they were printed and before
// any other event.
type outputEvents struct {
	run    *Run
	mu     sync.Mutex
	stream string
	buf    []byte
	timer  *time.Timer
}

func (o *outputEvents) write(stream string, p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stream != stream {
		o.publish()
		o.stream = stream
	}
	for len(o.buf)+len(p) >= outputChunk {
		n := max(outputChunk-len(o.buf), 0)
		o.buf, p = append(o.buf, p[:n]...), p[n:]
		o.publishWholeRunes()
	}
	o.buf = append(o.buf, p...)
	if len(o.buf) > 0 && o.timer == nil {
		o.timer = time.AfterFunc(outputDelay, o.flush)
	}
}

// flush publishes what is buffered.
func (o *outputEvents) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.publish()
}

// publishWholeRunes publishes the buffer but for an unfinished rune at its end.
func (o *outputEvents) publishWholeRunes() {
	cut := len(o.buf)
	for i := 1; i < utf8.UTFMax && i < len(o.buf); i++ {
		if b := o.buf[len(o.buf)-i]; utf8.RuneStart(b) {
			if !utf8.FullRune(o.buf[len(o.buf)-i:]) {
				cut = len(o.buf) - i
			}
			break
		}
	}
	rest := string(o.buf[cut:])
	o.buf = o.buf[:cut]
	o.publish()
	o.buf = append(o.buf, rest...)
}

func (o *outputEvents) publish() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if len(o.buf) == 0 {
		return
	}
	o.run.log.append(eventOutput, time.Now(), OutputEvent{o.stream, string(o.buf)}, len(o.buf)+128, false)
	o.buf = o.buf[:0]
}

// stream is an io.Writer of one of the two output streams.
type stream struct {
	events *outputEvents
	name   string
}

func (s stream) Write(p []byte) (int, error) {
	s.events.write(s.name, p)
	return len(p), nil
}
