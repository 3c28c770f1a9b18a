// Command service measures a kernel as a service, each figure with the
// conditions it was taken under:
//
//		go run ./bench/service [-runs 11] [-requests 1000] [-sessions 1000]
//
//	  - start: from exec of "kernel start" to /readyz 200, second start on its
//	    state directory, median of the runs;
//	  - idle RSS: resident memory a second after that;
//	  - execute: POST /execute of "return 42" over one connection, server time
//	    as the kernel's own histogram has it, and the client's round trip;
//	  - sessions: resident memory that idle sessions add.
//
// With -peer BINARY (and -peer-args), the start and idle RSS of another server
// are measured the same way in the same run; its readiness is a TCP accept on
// -peer-addr.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type flags struct {
	runs, requests, sessions int
	peer, peerArgs, peerAddr string
}

func main() {
	var f flags
	flag.IntVar(&f.runs, "runs", 11, "starts")
	flag.IntVar(&f.requests, "requests", 1000, "POST /execute")
	flag.IntVar(&f.sessions, "sessions", 1000, "idle sessions")
	flag.StringVar(&f.peer, "peer", "", "another server's binary")
	flag.StringVar(&f.peerArgs, "peer-args", "", "its arguments")
	flag.StringVar(&f.peerAddr, "peer-addr", "", "where it listens")
	flag.Parse()
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "bench/service:", err)
		os.Exit(1)
	}
}

func run(f flags) error {
	dir, err := os.MkdirTemp("", "llmspell-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "llmspell")
	build := exec.Command("go", "build", "-trimpath", "-o", bin, "./cmd/llmspell")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	fmt.Printf("conditions: %s %s/%s, %d CPUs, CGO_ENABLED=0, SQLite storage, default configuration\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())

	if err := starts(f, bin, dir); err != nil {
		return err
	}
	k, err := start(bin, dir)
	if err != nil {
		return err
	}
	defer k.stop()
	if err := k.execute(f.requests); err != nil {
		return err
	}
	return k.sessions(f.sessions)
}

// starts measures start and idle memory, alternating with the peer.
func starts(f flags, bin, dir string) error {
	var ready, rss, peerReady, peerRSS []float64
	for i := range f.runs + 1 {
		k, err := start(bin, dir)
		if err != nil {
			return err
		}
		time.Sleep(time.Second) // idle is what is left when the start is over
		if i > 0 {              // the first makes the database
			ready = append(ready, k.ready.Seconds()*1000)
			rss = append(rss, k.rss())
		}
		k.stop()
		if f.peer == "" {
			continue
		}
		p, err := startPeer(f)
		if err != nil {
			return err
		}
		time.Sleep(time.Second)
		peerReady, peerRSS = append(peerReady, p.ready.Seconds()*1000), append(peerRSS, p.rss())
		p.stop()
	}
	show("start to /readyz", "ms", ready)
	show("idle RSS", "MB", rss)
	if f.peer != "" {
		show("peer start to accept", "ms", peerReady)
		show("peer idle RSS", "MB", peerRSS)
		fmt.Printf("ratio start %.2f, RSS %.2f (llmspell / %s)\n", median(ready)/median(peerReady), median(rss)/median(peerRSS), filepath.Base(f.peer))
	}
	return nil
}

// process is a running server.
type process struct {
	cmd   *exec.Cmd
	url   string
	token string
	ready time.Duration
}

func start(bin, dir string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &process{url: "http://127.0.0.1:" + strconv.Itoa(port)}
	p.cmd = exec.Command(bin, "kernel", "start", "--foreground", "--quiet", "--port", strconv.Itoa(port))
	p.cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "STATE_DIRECTORY=" + dir + "/state", "RUNTIME_DIRECTORY=" + dir + "/run", "LOGS_DIRECTORY=" + dir + "/log"}
	for _, d := range []string{"state", "run", "log"} {
		os.MkdirAll(filepath.Join(dir, d), 0o700)
	}
	p.cmd.Stderr = os.Stderr
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	err = poll(func() bool {
		resp, err := client.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	p.ready = time.Since(began)
	if err != nil {
		p.stop()
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(dir, "state", "token"))
	p.token = strings.TrimSpace(string(token))
	return p, err
}

func startPeer(f flags) (*process, error) {
	p := &process{cmd: exec.Command(f.peer, strings.Fields(f.peerArgs)...)}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	err := poll(func() bool {
		c, err := net.Dial("tcp", f.peerAddr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	p.ready = time.Since(began)
	return p, err
}

// poll asks every half millisecond, for 30 s at most.
func poll(done func() bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("not ready after 30 s")
		}
	}
	return nil
}

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
}

// rss is the resident memory in MB (10^6 bytes).
func (p *process) rss() float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseFloat(strings.Fields(string(data))[1], 64)
	return pages * float64(os.Getpagesize()) / 1e6
}

func (p *process) post(path string, body any) ([]byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, p.url+path, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, out)
	}
	return out, err
}

func (p *process) execute(n int) error {
	var trips, server []float64
	for i := range n + 50 {
		began := time.Now()
		out, err := p.post("/execute", map[string]string{"code": "return 42"})
		took := time.Since(began)
		if err != nil {
			return err
		}
		var body struct {
			Result     string  `json:"result"`
			DurationMS float64 `json:"duration_ms"`
		}
		if err := json.Unmarshal(out, &body); err != nil || body.Result != "42" {
			return fmt.Errorf("POST /execute answered %s (%v)", out, err)
		}
		if i >= 50 { // warm
			trips = append(trips, float64(took.Microseconds()))
			server = append(server, body.DurationMS*1000)
		}
	}
	show("execute, kernel time", "us", server)
	show("execute, round trip", "us", trips)
	return p.serverTime(n)
}

// serverTime reads the request histogram: the bucket that holds the median.
func (p *process) serverTime(int) error {
	resp, err := http.Get(p.url + "/metrics")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	const series = `llmspell_http_request_duration_seconds_bucket{method="POST",route="/execute",le="`
	var total float64
	var below []string
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, series)
		if !ok {
			continue
		}
		le, count, _ := strings.Cut(strings.TrimSpace(rest), `"} `)
		n, _ := strconv.ParseFloat(count, 64)
		total = n
		below = append(below, fmt.Sprintf("<=%ss: %.0f", le, n))
	}
	fmt.Printf("execute, server time of %.0f requests (cumulative): %s\n", total, strings.Join(below[:min(5, len(below))], "  "))
	return nil
}

func (p *process) sessions(n int) error {
	before := p.rss()
	for range n {
		if _, err := p.post("/v1/sessions", map[string]string{}); err != nil {
			return err
		}
	}
	time.Sleep(time.Second)
	after := p.rss()
	fmt.Printf("%d idle sessions: %.1f MB -> %.1f MB, +%.1f MB\n", n, before, after, after-before)
	return nil
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.SortFunc(s, cmp.Compare)
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

func show(what, unit string, v []float64) {
	s := slices.Clone(v)
	slices.SortFunc(s, cmp.Compare)
	if len(s) == 0 {
		return
	}
	fmt.Printf("%-22s median %.1f %s, min %.1f, p90 %.1f, max %.1f (n=%d)\n", what, median(v), unit, s[0], s[len(s)*9/10], s[len(s)-1], len(s))
}
