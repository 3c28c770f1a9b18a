// Package wire is what the adapters of language models share: bounds on what a
// server may send, and one mapping of HTTP answers and transport failures to
// the error vocabulary.
//
//	x := &wire.Exchange{Provider: "openai", Model: r.Model, Key: key}
//	client.NewStreaming(ctx, params, option.WithMiddleware(x.Middleware))
//	...
//	return x.Fault(ctx, err)
package wire

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

const (
	// MaxBody bounds the bytes of one answer, streamed or not.
	MaxBody = 64 << 20
	// maxErrorBody bounds what is read of an error answer.
	maxErrorBody = 64 << 10
)

var errTooLarge = errors.New("the answer is larger than 64 MiB")

// Exchange follows one HTTP exchange of an adapter. Not for concurrent use.
type Exchange struct {
	Provider string
	Model    string
	Key      string // never appears in what Fault returns

	status int
	header http.Header
	body   []byte // of an error answer
}

// Middleware bounds the answer and keeps what Fault and RequestID need of it.
func (x *Exchange) Middleware(req *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	res, err := next(req)
	if err != nil || res == nil {
		return res, err
	}
	x.status, x.header = res.StatusCode, res.Header
	if res.StatusCode < 400 {
		res.Body = &boundedBody{ReadCloser: res.Body, left: MaxBody}
		return res, nil
	}
	x.body, err = io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(x.body))
	return res, err
}

// RequestID is the id the server gave the request, "" if none.
func (x *Exchange) RequestID() string {
	for _, name := range []string{"X-Request-Id", "Request-Id"} {
		if id := x.header.Get(name); id != "" {
			return id
		}
	}
	return ""
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Client returns a copy of c (a fresh client when nil) that follows no redirect
// to another origin, so that a key sent in a header of its own stays with the
// server it was meant for.
func Client(c *http.Client) *http.Client {
	out := &http.Client{}
	if c != nil {
		*out = *c
	}
	if out.CheckRedirect != nil {
		return out
	}
	out.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		first := via[0].URL
		if req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
			return errors.New("the server redirects to another origin; set base_url to the final address")
		}
		if len(via) >= 5 {
			return errors.New("more than 5 redirects")
		}
		return nil
	}
	return out
}
