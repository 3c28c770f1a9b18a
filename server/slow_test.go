package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// oneConn is a listener with one connection, made of a pipe: synctest's clock
// moves its deadlines.
type oneConn struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l oneConn) Close() error   { return nil }
func (l oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// overPipe serves one connection of h in a bubble and hands its other end to fn.
func overPipe(t *testing.T, h http.Handler, fn func(t *testing.T, c net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client, served := net.Pipe()
		l := oneConn{make(chan net.Conn, 1), make(chan struct{})}
		l.conns <- served
		srv := &http.Server{Handler: h}
		ended := make(chan struct{})
		go func() { srv.Serve(l); close(ended) }()
		fn(t, client)
		client.Close()
		close(l.done)
		srv.Close()
		<-ended
	})
}

// TestBodyThatNeverComes shows that no route lets a request hold its connection
// by announcing a body.
func TestBodyThatNeverComes(t *testing.T) {
	h := Handler(newKernel(t, ""))
	for _, c := range []struct{ request, token, status string }{
		{"GET /openapi.json", testToken, "400"},
		{"GET /no/such/path", "", "400"},
		{"GET /livez", "", "400"},
		{"POST /execute", "", "401"},
		{"POST /execute", testToken, "400"},
	} {
		overPipe(t, h, func(t *testing.T, conn net.Conn) {
			start := time.Now()
			go fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n", c.request, c.token)
			answer, _ := io.ReadAll(conn)
			if took := time.Since(start); took > bodyGrace+2*time.Second {
				t.Errorf("%s: the connection was held for %v", c.request, took)
			}
			if !strings.HasPrefix(string(answer), "HTTP/1.1 "+c.status) {
				t.Errorf("%s: %.60q, want %s", c.request, answer, c.status)
			}
		})
	}
}

// TestKeptConnectionAnswersLater shows that the write deadline of one answer is
// not that of the next.
func TestKeptConnectionAnswersLater(t *testing.T) {
	h := Handler(newKernel(t, ""))
	overPipe(t, h, func(t *testing.T, conn net.Conn) {
		r := bufio.NewReader(conn)
		for range 3 {
			go fmt.Fprintf(conn, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", testToken)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, resp.Body); err != nil || n < 4<<10 {
				t.Fatalf("%d bytes, %v", n, err)
			}
			time.Sleep(writeTimeout + 30*time.Second)
		}
	})
}

// TestReaderThatStops shows that a client that does not read its answer loses
// the connection.
func TestReaderThatStops(t *testing.T) {
	h := Handler(newKernel(t, ""))
	overPipe(t, h, func(t *testing.T, conn net.Conn) {
		go fmt.Fprintf(conn, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", testToken)
		time.Sleep(writeTimeout + time.Second)
		if n, _ := io.Copy(io.Discard, conn); n > 0 {
			t.Errorf("%d bytes after the write deadline", n)
		}
	})
}
