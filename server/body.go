package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
)

const (
	maxDepth      = 64
	lingerTime    = time.Second
	maxUnusedBody = 64 << 10 // of a request that takes none
	bodyGrace     = 30 * time.Second
	bodyPerSecond = 64 << 10 // bytes that extend the body deadline by a second
)

// decode reads a JSON body into v: at most limit bytes, one document, no
// unknown members, duplicate keys, invalid UTF-8 or nesting over 64.
func decode(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	if err := checkMediaType(r.Header); err != nil {
		return err
	}
	data, err := readBody(w, r, limit)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return fault.Errorf(badJSON, "the body is empty; send a JSON object")
	}
	if !utf8.Valid(data) {
		return fault.Errorf(badJSON, "the body is not valid UTF-8")
	}
	if err := checkJSON(data); err != nil {
		return err
	}
	if err := checkMembers(data, v); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return decodeError(err)
	}
	return nil
}

// checkMediaType accepts JSON, nothing, and what curl sends by default.
func checkMediaType(h http.Header) error {
	if enc := h.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return fault.Errorf(unsupportedMediaType, "compressed request bodies (%s) are not accepted", enc)
	}
	value := h.Get("Content-Type")
	if value == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(value)
	if err == nil && (media == "application/json" || media == "application/x-www-form-urlencoded" || strings.HasSuffix(media, "+json")) {
		return nil
	}
	return fault.Errorf(unsupportedMediaType, "Content-Type %q is not accepted", value).WithHint("send application/json")
}

// readBody reads at most limit bytes, refusing a larger announced size before
// reading, and gives a slow sender 30 s plus 1 s per 64 KiB.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	tooLarge := fault.Errorf(messageTooLarge, "the body is larger than %d bytes", limit).
		WithHint("security.max_message_size_mb sets the limit")
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		return nil, tooLarge
	}
	rc := http.NewResponseController(w)
	paced := &pacedReader{r: http.MaxBytesReader(w, r.Body, limit), rc: rc, start: time.Now()}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(paced)
	if err == nil {
		rc.SetReadDeadline(time.Time{}) // the execution that follows may take longer
		return buf.Bytes(), nil
	}
	w.Header().Set("Connection", "close")
	rc.SetReadDeadline(time.Now().Add(time.Second)) // net/http reads the rest before it closes
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	return nil, fault.Errorf(badJSON, "the body could not be read: it ended early or came too slowly")
}

// linger is called before a body is refused and returns what to do after: the
// answer is sent and what the client is still sending is read for a moment.
// Closing at once would reset the connection and lose the answer.
func linger(w http.ResponseWriter, r *http.Request) (after func()) {
	rc := http.NewResponseController(w)
	if rc.EnableFullDuplex() != nil {
		return func() {}
	}
	return func() {
		if rc.Flush() == nil && rc.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			io.Copy(io.Discard, r.Body)
		}
	}
}

// skipBody reads past the body of a request that needs none, so that it cannot
// hold the connection.
func skipBody(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength == 0 {
		return nil
	}
	_, err := readBody(w, r, maxUnusedBody)
	return err
}

type pacedReader struct {
	r     io.Reader
	rc    *http.ResponseController
	start time.Time
	n     int64
}

func (p *pacedReader) Read(b []byte) (int, error) {
	p.rc.SetReadDeadline(p.start.Add(bodyGrace + time.Duration(p.n/bodyPerSecond)*time.Second))
	n, err := p.r.Read(b)
	p.n += int64(n)
	return n, err
}

// checkJSON refuses what encoding/json lets pass: deep nesting, duplicate keys,
// trailing data.
func checkJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	type level struct {
		keys map[string]struct{} // nil in an array
		key  bool                // the next string is a key
	}
	var stack []level
	for done := false; !done; {
		tok, err := d.Token()
		if err != nil {
			return decodeError(err)
		}
		switch t := tok.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				if len(stack) == maxDepth {
					return fault.Errorf(badJSON, "the body nests deeper than %d levels", maxDepth)
				}
				l := level{}
				if t == '{' {
					l = level{keys: map[string]struct{}{}, key: true}
				}
				stack = append(stack, l)
				continue
			}
			stack = stack[:len(stack)-1]
		case string:
			if len(stack) > 0 && stack[len(stack)-1].key {
				l := &stack[len(stack)-1]
				if _, dup := l.keys[t]; dup {
					return fault.Errorf(badJSON, "duplicate key %q", t)
				}
				l.keys[t], l.key = struct{}{}, false
				continue
			}
		}
		if len(stack) == 0 {
			done = true
		} else if l := &stack[len(stack)-1]; l.keys != nil {
			l.key = true
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return fault.Errorf(badJSON, "the body has data after the JSON value")
	}
	return nil
}

// checkMembers refuses a member that encoding/json would take for another by
// ignoring case. Members of v that are no fields are left to the decoder.
func checkMembers(data []byte, v any) error {
	t := reflect.TypeOf(v).Elem()
	if t.Kind() != reflect.Struct {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return nil // not an object: the decoder says so
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		delete(members, name)
	}
	if unknown := slices.Sorted(maps.Keys(members)); len(unknown) > 0 {
		return fault.Errorf(unknownField, "unknown field %q", unknown[0])
	}
	return nil
}

func decodeError(err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fault.Errorf(badJSON, "the body is not JSON: %s at byte %d", e.Error(), e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := "the body"
		if e.Field != "" {
			where = "field " + strconv.Quote(e.Field)
		}
		return fault.Errorf(fault.InvalidArgument, "%s: expected %s, got %s", where, jsonType(e.Type.Kind()), e.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fault.Errorf(unknownField, "unknown field %s", name)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Errorf(badJSON, "the body ends in the middle of a JSON value")
	}
	return fault.Errorf(badJSON, "the body is not JSON: %v", err)
}
