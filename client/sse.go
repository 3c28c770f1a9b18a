package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxFrame bounds one server-sent event.
const maxFrame = 32 << 20

// Event is one event of a run.
type Event struct {
	ID   int64
	Type string
	Data json.RawMessage
}

// Stream runs code and yields its events; the last is run.succeeded,
// run.failed or run.cancelled. Leaving the loop cancels the execution.
func (c *Client) Stream(ctx context.Context, r ExecuteRequest) iter.Seq2[Event, error] {
	return c.events(ctx, http.MethodPost, "/execute", r)
}

// RunEvents yields the events of a run after the event numbered after.
func (c *Client) RunEvents(ctx context.Context, id string, after int64) iter.Seq2[Event, error] {
	path := "/v1/runs/" + url.PathEscape(id) + "/events?after=" + strconv.FormatInt(after, 10)
	return c.events(ctx, http.MethodGet, path, nil)
}

func (c *Client) events(ctx context.Context, method, path string, body any) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		resp, err := c.send(ctx, method, path, body, "text/event-stream")
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer resp.Body.Close()
		for e, err := range ReadEvents(resp.Body) {
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Result returns the response a terminal event carries, or its problem. ok is
// false for any other event.
func (e Event) Result() (out ExecuteResponse, ok bool, err error) {
	switch e.Type {
	case "run.succeeded":
		out, err = decodeExecute(e.Data)
		return out, true, err
	case "run.failed", "run.cancelled":
		p := &Problem{}
		if err := json.Unmarshal(e.Data, p); err != nil {
			return out, true, err
		}
		return out, true, p
	}
	return out, false, nil
}

// Output is the data of an output event.
type Output struct {
	Stream string `json:"stream"` // stdout or stderr
	Text   string `json:"text"`
}

// ParseOutput decodes the data of an output event.
func ParseOutput(data []byte) (Output, error) {
	var o Output
	return o, json.Unmarshal(data, &o)
}

// ReadEvents parses a stream of server-sent events. A frame larger than 32 MiB
// or an id that is no number is an error.
func ReadEvents(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 4096), maxFrame)
		lines.Split(scanLines)
		var e Event
		var data []string
		size := 0
		for lines.Scan() {
			line := lines.Text()
			if line == "" {
				if len(data) > 0 {
					e.Data = json.RawMessage(strings.Join(data, "\n"))
					if !yield(e, nil) {
						return
					}
				}
				e.Type, e.Data, data, size = "", nil, nil, 0
				continue
			}
			field, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch field {
			case "id":
				id, err := strconv.ParseInt(value, 10, 64)
				if err != nil {
					yield(Event{}, fmt.Errorf("event id %.40q is not a number", value))
					return
				}
				e.ID = id
			case "event":
				e.Type = value
			case "data":
				data = append(data, value)
				if size += len(value); size > maxFrame {
					yield(Event{}, errors.New("event larger than 32 MiB"))
					return
				}
			}
		}
		if err := lines.Err(); err != nil {
			yield(Event{}, err)
		}
	}
}

// scanLines splits at \n, \r\n and \r, as the format allows all three.
func scanLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	for i, b := range data {
		switch {
		case b == '\n':
			return i + 1, data[:i], nil
		case b == '\r' && i+1 < len(data):
			if data[i+1] == '\n' {
				return i + 2, data[:i], nil
			}
			return i + 1, data[:i], nil
		case b == '\r' && atEOF:
			return i + 1, data[:i], nil
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
