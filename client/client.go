// Package client talks to a running llmspell kernel over HTTP.
//
//	c, err := client.New(client.Params{URL: "http://127.0.0.1:9555", Token: token})
//	out, err := c.Execute(ctx, client.ExecuteRequest{Code: "return 6*7"})
//	fmt.Println(out.Result)
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// maxAnswer bounds an answer that is read whole.
const maxAnswer = 256 << 20

// Params configure a Client.
type Params struct {
	URL        string // http(s)://host:port
	Token      string
	HTTPClient *http.Client // nil: one without a total timeout
}

// Client is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New returns a client. A token is sent over https or to loopback only.
func New(p Params) (*Client, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("kernel URL %q: want http://HOST:PORT or https://HOST:PORT", p.URL)
	}
	if p.Token != "" && u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("refusing to send a token to %s without TLS; use https", u.Host)
	}
	if p.HTTPClient == nil {
		p.HTTPClient = &http.Client{Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, MaxIdleConnsPerHost: 16,
		}}
	}
	return &Client{base: u, token: p.Token, http: p.HTTPClient}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// URL returns the kernel's address.
func (c *Client) URL() string { return c.base.String() }

// Problem is an error the kernel answered with.
type Problem struct {
	Status    int            `json:"status"`
	Code      string         `json:"code"`
	Detail    string         `json:"detail"`
	Hint      string         `json:"hint"`
	Details   map[string]any `json:"details"`
	Traceback []string       `json:"traceback"`
	Output    string         `json:"output"`
	Line      int            `json:"line"`
	Column    int            `json:"column"`
	RunID     string         `json:"run_id"`
}

func (p *Problem) Error() string { return p.Detail }

// ConnectError says that nothing listens at an address.
type ConnectError struct{ Addr string } // host:port

func (e *ConnectError) Error() string { return "connection refused: " + e.Addr }

// do sends one request; in and out are JSON values, nil for none.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in, "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if out == nil || len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, out)
}

// send returns a response of status below 400; any other becomes a *Problem.
func (c *Client) send(ctx context.Context, method, path string, in any, accept string) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil, &ConnectError{Addr: c.base.Host}
		}
		return nil, err
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, problemOf(resp)
}

func problemOf(resp *http.Response) error {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	p := &Problem{}
	if json.Unmarshal(data, p) != nil || p.Code == "" {
		if resp.StatusCode == http.StatusBadRequest && bytes.Contains(data, []byte("HTTPS server")) {
			return errors.New("the server speaks HTTPS; use an https:// address")
		}
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	return p
}

// Get reads one JSON document, for the endpoints that only report.
func (c *Client) Get(ctx context.Context, path string) (json.RawMessage, error) {
	var raw json.RawMessage
	return raw, c.do(ctx, http.MethodGet, path, nil, &raw)
}

// Health returns the body of GET /health, also when the kernel is not healthy.
func (c *Client) Health(ctx context.Context) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.base.String(), "/")+"/health", nil)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		return nil, problemOf(resp)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}
