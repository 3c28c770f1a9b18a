package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/llmspell/llmspell/internal/registry"
)

var update = flag.Bool("update", false, "rewrite the files that scripts compare with")

// systemDirs must not appear because of a test.
var systemDirs = []string{"/var/lib/llmspell", "/run/llmspell", "/var/log/llmspell"}

func TestMain(m *testing.M) {
	testscript.Main(checked{m}, map[string]func(){
		"llmspell": func() { os.Exit(Main(context.Background())) },
	})
}

// checked fails the run when a test touched the system's directories.
type checked struct{ *testing.M }

func (c checked) Run() int {
	before := present()
	code := c.M.Run()
	for dir := range present() {
		if !before[dir] {
			fmt.Fprintf(os.Stderr, "FAIL: a test made %s\n", dir)
			return 1
		}
	}
	return code
}

func present() map[string]bool {
	found := map[string]bool{}
	for _, dir := range systemDirs {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			found[dir] = true
		}
	}
	return found
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"http":      httpCommand,
			"signal":    signalCommand,
			"freport":   freePortCommand,
			"until":     untilCommand,
			"fakemodel": fakeModelCommand,
			"cert":      certCommand,
		},
	})
}

// setup gives each script a home and directories of its own, and ends the
// kernels it leaves.
func setup(env *testscript.Env) error {
	for _, d := range []string{"home", "state", "runtime", "logs", "tmp"} {
		if err := os.MkdirAll(filepath.Join(env.WorkDir, d), 0o700); err != nil {
			return err
		}
	}
	for name, dir := range map[string]string{
		"HOME": "home", "STATE_DIRECTORY": "state", "RUNTIME_DIRECTORY": "runtime", "LOGS_DIRECTORY": "logs", "TMPDIR": "tmp",
	} {
		env.Setenv(name, filepath.Join(env.WorkDir, dir))
	}
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"} {
		env.Setenv(name, "")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	env.Setenv("ROOT", root)
	runtime := filepath.Join(env.WorkDir, "runtime")
	env.Defer(func() {
		all, _ := registry.List(registry.Dir{Runtime: runtime})
		for _, k := range all {
			syscall.Kill(k.PID, syscall.SIGKILL)
		}
	})
	return nil
}

// freport NAME sets a variable to a port nobody listens on.
func freePortCommand(ts *testscript.TestScript, neg bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
	ts.Check(ln.Close())
}

// http METHOD URL [BODY] prints status and body; the token file, if there is
// one, is sent.
func httpCommand(ts *testscript.TestScript, neg bool, args []string) {
	body := ""
	if len(args) > 2 {
		body = args[2]
	}
	req, err := http.NewRequest(args[0], args[1], strings.NewReader(body))
	ts.Check(err)
	if token, err := os.ReadFile(filepath.Join(ts.Getenv("STATE_DIRECTORY"), "token")); err == nil {
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	resp, err := http.DefaultClient.Do(req)
	if neg {
		if err == nil {
			resp.Body.Close()
			ts.Fatalf("%s answered %s", args[1], resp.Status)
		}
		return
	}
	ts.Check(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s\n", resp.Status, data)
}

// signal NAME PIDFILE sends a signal to the process a PID file names.
func signalCommand(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{
		"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
	}
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, signals[args[0]]))
}

// until FILE TEXT waits until a file contains a text; ! until FILE waits until
// it is gone.
func untilCommand(ts *testscript.TestScript, neg bool, args []string) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if neg && errors.Is(err, fs.ErrNotExist) {
			return
		}
		if !neg && err == nil && strings.Contains(string(data), args[1]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("until %v: not within 10 s; the file has:\n%s", args, data)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// fakemodel NAME starts a server that speaks the OpenAI API and sets a variable
// to its base URL. Every chat is answered with the same sentence.
func fakeModelCommand(ts *testscript.TestScript, neg bool, args []string) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/chat/completions" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, delta := range []string{`{"role":"assistant","content":""}`, `{"content":"Lua is"}`, `{"content":" small."}`} {
			fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":null}]}\n\n", delta)
		}
		fmt.Fprint(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"total_tokens\":12}}\n\ndata: [DONE]\n\n")
	}))
	ts.Defer(srv.Close)
	ts.Setenv(args[0], srv.URL+"/v1")
}
