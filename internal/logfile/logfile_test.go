package logfile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, p Params) *File {
	t.Helper()
	f, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// lines returns every line in the file and its backups.
func lines(t *testing.T, path string) []string {
	t.Helper()
	names, _ := filepath.Glob(path + "*")
	var all []string
	for _, n := range names {
		f, err := os.Open(n)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(n, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		data, _ := io.ReadAll(r)
		for l := range strings.Lines(string(data)) {
			all = append(all, strings.TrimSuffix(l, "\n"))
		}
	}
	return all
}

func TestRotationLosesNoLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kernel.log")
	f := open(t, Params{Path: path, MaxSize: 2000, MaxBackups: 1000, Compress: true})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				fmt.Fprintf(f, "writer %d line %04d %s\n", g, i, strings.Repeat("x", 30))
			}
		})
	}
	wg.Wait()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, l := range lines(t, path) {
		seen[l]++
	}
	if len(seen) != 1600 {
		t.Fatalf("%d distinct lines, want 1600", len(seen))
	}
	for l, n := range seen {
		if n != 1 || !strings.HasPrefix(l, "writer ") || len(l) != len("writer 0 line 0000 ")+30 {
			t.Fatalf("line %q seen %d times", l, n)
		}
	}
	if backups, _ := filepath.Glob(path + ".*"); len(backups) < 10 {
		t.Fatalf("%d backups", len(backups))
	}
}

func TestBackupsByCountAndAge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "k.log")
	now := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	old := path + ".20260101T000000.000000"
	foreign := path + ".1"
	for _, p := range []string{old, foreign} {
		os.WriteFile(p, []byte("x\n"), 0o600)
	}
	var seconds atomic.Int64 // the background worker asks, too
	clock := func() time.Time { return now.Add(time.Duration(seconds.Add(1)) * time.Second) }
	f := open(t, Params{Path: path, MaxSize: 10, MaxBackups: 3, MaxAge: 7 * 24 * time.Hour, Now: clock})
	for range 10 {
		f.Write([]byte("123456789\n"))
	}
	f.Close()
	tidy(f.p)
	backups, _ := filepath.Glob(path + ".2*")
	if len(backups) != 3 {
		t.Errorf("backups %v", backups)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("a backup older than MaxAge was kept")
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("a file of logrotate's was removed")
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "k.log")
	f := open(t, Params{Path: path})
	f.Write([]byte("one\n"))
	os.Rename(path, path+".moved")
	f.Write([]byte("two\n"))
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("three\n"))
	moved, _ := os.ReadFile(path + ".moved")
	now, _ := os.ReadFile(path)
	if string(moved) != "one\ntwo\n" || string(now) != "three\n" {
		t.Errorf("moved %q, now %q", moved, now)
	}
	os.Remove(path)
	os.Mkdir(path, 0o700)
	if err := f.Reopen(); err == nil {
		t.Error("Reopen of a directory succeeded")
	}
	f.Write([]byte("four\n")) // the old descriptor stays in use
}

func TestModes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, Params{Path: filepath.Join(dir, "new.log")})
	kept := filepath.Join(dir, "kept.log")
	os.WriteFile(kept, []byte("a\n"), 0o600)
	f := open(t, Params{Path: kept})
	f.Write([]byte("b\n"))
	for name, want := range map[string]os.FileMode{"new.log": 0o640, "kept.log": 0o600} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
	if b, _ := os.ReadFile(kept); !bytes.Equal(b, []byte("a\nb\n")) {
		t.Errorf("existing file: %q", b)
	}
}

func TestFullDiskDropsAndCounts(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	f := &File{p: Params{Path: "/dev/full", Now: time.Now}, work: make(chan struct{}, 1), done: make(chan struct{})}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.file = full
	go f.tidyLoop()
	defer f.Close()
	if n, err := f.Write([]byte("lost\n")); n != 5 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	if f.Dropped() != 1 {
		t.Errorf("Dropped = %d", f.Dropped())
	}
}
