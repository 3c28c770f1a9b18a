package gate

import "sync"

// Local is a session's bag of engine objects, made on first use and closed with
// the session in reverse order. Safe for concurrent use.
type Local struct {
	mu     sync.Mutex
	values map[any]any
	closes []func()
}

// NewLocal returns an empty bag.
func NewLocal() *Local { return &Local{values: map[any]any{}} }

// LocalValue returns the object under key, making it on first use. make may
// return a function to be called when the session ends, or nil.
func LocalValue[T any](l *Local, key any, make func() (T, func())) T {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.values[key]; ok {
		return v.(T)
	}
	v, done := make()
	l.values[key] = v
	if done != nil {
		l.closes = append(l.closes, done)
	}
	return v
}

// Close ends all objects. Idempotent.
func (l *Local) Close() {
	l.mu.Lock()
	closes := l.closes
	l.closes, l.values = nil, map[any]any{}
	l.mu.Unlock()
	for i := len(closes) - 1; i >= 0; i-- {
		closes[i]()
	}
}
