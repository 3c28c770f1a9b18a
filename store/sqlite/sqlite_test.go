package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
	"github.com/llmspell/llmspell/store/storetest"
)

// writeForever is set in the child of TestKill.
const writeForever = "LLMSPELL_TEST_SQLITE_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(writeForever); path != "" {
		child(path)
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, p Params) *Store {
	t.Helper()
	st, err := Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

func TestStore(t *testing.T) {
	for _, mode := range []string{"full", "normal"} {
		t.Run(mode, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
				return open(t, Params{Path: filepath.Join(t.TempDir(), "a b?#%.db"), Synchronous: mode, Lock: true, Now: now})
			})
		})
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil { // an empty file of wider mode
		t.Fatal(err)
	}
	st := open(t, Params{Path: path})
	if _, err := st.KV().Put(t.Context(), "t", store.Scope{Kind: "global"}, "k", []byte("v"), store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	for pragma, want := range map[string]int{
		"application_id": applicationID, "foreign_keys": 1, "trusted_schema": 0, "cell_size_check": 1,
		"busy_timeout": 5000, "synchronous": 2, "journal_size_limit": 64 << 20,
	} {
		var got int
		if err := st.readDB.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %d, %v; want %d", pragma, got, err, want)
		}
	}
	var mode string
	if err := st.readDB.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode %s, %v", mode, err)
	}
	if _, err := st.readDB.Exec("DELETE FROM kv"); err == nil {
		t.Error("a read connection writes")
	}
}

// A removed database is told, since what is written to it is lost; put back, it
// is healthy again.
func TestPingMissesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st, err := Open(t.Context(), Params{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := st.Ping(t.Context()); fault.CodeOf(err) != fault.StorageUnavailable || !strings.Contains(err.Error(), "removed or replaced") {
		t.Errorf("Ping without the file: %v", err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if err := st.Ping(t.Context()); err != nil {
		t.Errorf("Ping with the file back: %v", err)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	kernel := open(t, Params{Path: path, Lock: true})
	_, err := Open(t.Context(), Params{Path: path, Lock: true})
	if fault.CodeOf(err) != fault.StorageUnavailable || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("second kernel: %v", err)
	}
	beside := open(t, Params{Path: path}) // run, exec, repl
	put := func(st *Store, key string) int64 {
		v, err := st.KV().Put(t.Context(), "t", store.Scope{Kind: "global"}, key, []byte(key), store.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if a, b, c := put(kernel, "a"), put(beside, "b"), put(kernel, "c"); a >= b || b >= c {
		t.Errorf("versions over two processes: %d %d %d", a, b, c)
	}
	if _, err := kernel.KV().Get(t.Context(), "t", store.Scope{Kind: "global"}, "b"); err != nil {
		t.Error(err)
	}
	kernel.Close()
	open(t, Params{Path: path, Lock: true})
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign.db")
	st := open(t, Params{Path: foreign})
	if err := st.writer.do(t.Context(), func(w *tx) error { return w.raw("PRAGMA application_id = 7") }); err != nil {
		t.Fatal(err)
	}
	st.Close()
	for _, c := range []struct {
		p    Params
		want string
	}{
		{Params{}, "path is empty"},
		{Params{Path: filepath.Join(dir, "y.db"), Synchronous: "off"}, `"off"`},
		{Params{Path: text}, "not a database"},
		{Params{Path: foreign}, "another program"},
		{Params{Path: filepath.Join(text, "x.db")}, "not a directory"},
		{Params{Path: filepath.Join(dir, "absent", "x.db")}, "no such file"},
	} {
		_, err := Open(t.Context(), c.p)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%+v) = %v, want %q", c.p, err, c.want)
		}
	}
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	st := open(t, Params{Path: path})
	kv := st.KV()
	if _, err := kv.Put(t.Context(), "t", store.Scope{Kind: "global"}, "k", []byte("v"), store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	first, err := fs.ReadFile(migrations, "migrations/0001_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	files := func(extra map[string]string) fstest.MapFS {
		m := fstest.MapFS{"migrations/0001_init.sql": {Data: first}}
		for name, text := range extra {
			m["migrations/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
		return m
	}
	run := func(fsys fs.FS) error {
		return migrate(t.Context(), st.writer.conn, path, false, fsys)
	}
	if err := run(files(map[string]string{"0002_bad.sql": "CREATE TABLE two (x); SELECT nonsense;"})); err == nil {
		t.Error("a failing step passed")
	}
	if v, _ := schemaVersion(t.Context(), st.writer.conn, path); v != 1 {
		t.Errorf("schema %d after a failed step", v)
	}
	two := files(map[string]string{"0002_two.sql": "CREATE TABLE two (x TEXT) STRICT;"})
	for range 2 {
		if err := run(two); err != nil {
			t.Fatal(err)
		}
	}
	copies, _ := filepath.Glob(filepath.Join(dir, "backups", "pre-1-2-*.db"))
	if len(copies) != 2 { // of the failed and of the good step
		t.Fatalf("backups %v", copies)
	}
	if got, err := open(t, Params{Path: copies[1]}).KV().Get(t.Context(), "t", store.Scope{Kind: "global"}, "k"); err != nil || string(got.Value) != "v" {
		t.Errorf("backup holds %q, %v", got.Value, err)
	}
	if err := run(files(map[string]string{"0002_two.sql": "CREATE TABLE other (x TEXT) STRICT;"})); err == nil || !strings.Contains(err.Error(), "other content") {
		t.Errorf("changed migration: %v", err)
	}
	st.Close()
	if _, err := Open(t.Context(), Params{Path: path}); err == nil || !strings.Contains(err.Error(), "has schema 2, this program knows 1") {
		t.Errorf("newer schema: %v", err)
	}
	if _, err := steps(files(map[string]string{"0003_gap.sql": ""})); err == nil {
		t.Error("a gap in the numbers passed")
	}
}

// TestTenantFirst reads the statements and fails on one that touches a content
// table without binding the tenant first.
func TestTenantFirst(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("queries.go")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := fs.ReadFile(migrations, "migrations/0001_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	control := []string{"meta", "tenants", "tokens"}
	content := []string{"seqs", "kv"}
	for _, m := range regexp.MustCompile(`CREATE TABLE (\w+)`).FindAllStringSubmatch(string(schema), -1) {
		if !slices.Contains(control, m[1]) && !slices.Contains(content, m[1]) {
			t.Errorf("table %s is neither content nor control", m[1])
		}
	}
	found := 0
	for _, m := range regexp.MustCompile("(?s)(sql\\w+)\\s*=\\s*`([^`]*)`").FindAllStringSubmatch(string(src), -1) {
		touches := regexp.MustCompile(`(?:FROM|INTO|UPDATE) (seqs|kv)\b`).MatchString(m[2])
		if !touches {
			continue
		}
		found++
		if !strings.Contains(m[2], "tenant_id = ?1") && !regexp.MustCompile(`\(tenant_id,[^)]*\) VALUES \(\?1,|\(tenant_id, [^)]*\)\s+VALUES \(\?1,`).MatchString(m[2]) {
			t.Errorf("%s does not bind the tenant first: %s", m[1], m[2])
		}
	}
	if found < 8 {
		t.Errorf("read only %d statements", found)
	}
	for name, text := range goFiles(t) {
		if name != "queries.go" && regexp.MustCompile(`(?:FROM|INTO|UPDATE) (seqs|kv)\b`).MatchString(text) {
			t.Errorf("%s holds SQL on a content table; it belongs in queries.go", name)
		}
	}
}

func goFiles(t *testing.T) map[string]string {
	out := map[string]string{}
	names, _ := filepath.Glob("*.go")
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			continue
		}
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = string(b)
	}
	return out
}

// TestFailureIsAlone checks that a failing write does not take those of its
// batch with it.
func TestFailureIsAlone(t *testing.T) {
	t.Parallel()
	st := open(t, Params{Path: filepath.Join(t.TempDir(), "x.db")})
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			_, err := st.KV().Update(t.Context(), store.Tenant(fmt.Sprint("t", i%5)), store.Scope{Kind: "global"}, fmt.Sprint(i), store.PutOptions{},
				func(*store.Item) ([]byte, error) {
					switch i % 3 {
					case 0:
						return nil, boom
					case 1:
						panic("a bug in fn")
					}
					return []byte("v"), nil
				})
			if (err == nil) != (i%3 == 2) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for i := range 64 {
		_, err := st.KV().Get(t.Context(), store.Tenant(fmt.Sprint("t", i%5)), store.Scope{Kind: "global"}, fmt.Sprint(i))
		if (err == nil) != (i%3 == 2) {
			t.Errorf("read %d: %v", i, err)
		}
	}
}

func TestOpenIsQuick(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	open(t, Params{Path: path}).Close()
	best := time.Hour
	for range 10 {
		start := time.Now()
		st := open(t, Params{Path: path, Lock: true})
		best = min(best, time.Since(start))
		st.Close()
	}
	t.Logf("open: %v", best)
	if best > 30*time.Millisecond {
		t.Errorf("opening an existing file takes %v", best)
	}
}

// TestKill writes from a child process, kills it with SIGKILL and expects every
// acknowledged key.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writeForever+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		acked = append(acked, lines.Text())
		if len(acked) == 500 {
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("child: %v", err)
	}
	st := open(t, Params{Path: path, Lock: true})
	if len(acked) < 500 {
		t.Fatalf("only %d keys acknowledged", len(acked))
	}
	for _, line := range acked {
		key, version, _ := strings.Cut(line, " ")
		it, err := st.KV().Get(t.Context(), "t", store.Scope{Kind: "global"}, key)
		if err != nil || string(it.Value) != key || fmt.Sprint(it.Version) != version {
			t.Fatalf("acknowledged %s: %+v, %v", line, it, err)
		}
	}
	var verdict string
	if err := st.readDB.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity %s, %v", verdict, err)
	}
}

func child(path string) {
	st, err := Open(context.Background(), Params{Path: path, Lock: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	var mu sync.Mutex
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("w%d-%d", w, i)
				v, err := st.KV().Put(context.Background(), "t", store.Scope{Kind: "global"}, key, []byte(key), store.PutOptions{})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(4)
				}
				mu.Lock()
				fmt.Println(key, v)
				mu.Unlock()
			}
		}()
	}
	select {}
}

func BenchmarkPut(b *testing.B) {
	st, err := Open(b.Context(), Params{Path: filepath.Join(b.TempDir(), "x.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	for _, workers := range []int{1, 64} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			b.SetParallelism(max(1, workers/2))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := st.KV().Put(b.Context(), "t", store.Scope{Kind: "global"}, "k", []byte("v"), store.PutOptions{}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
