package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func collect(out *[]string) func([]byte) error {
	return func(line []byte) error { *out = append(*out, string(line)); return nil }
}

func numbered(n int) []string {
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("line %d", i))
	}
	return want
}

// TestReaderAcrossRotation looks while a file rotates many times between looks
// and its backups are compressed.
func TestReaderAcrossRotation(t *testing.T) {
	t.Parallel()
	for _, compress := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "k.log")
		f, err := Open(Params{Path: path, MaxSize: 64, MaxBackups: 1000, Compress: compress})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		const lines = 500
		var r *Reader
		for i := range lines {
			fmt.Fprintf(f, "line %d\n", i)
			if i == 20 {
				var older []Backup
				if r, older, err = NewReader(path); err != nil {
					t.Fatal(err)
				}
				for _, b := range older {
					if err := b.Lines(collect(&got)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if r != nil && i%37 == 0 {
				if err := r.Next(collect(&got)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(20 * time.Microsecond)
		}
		if err := r.Next(collect(&got)); err != nil {
			t.Fatal(err)
		}
		if want := numbered(lines); !slices.Equal(got, want) {
			t.Errorf("compress %v: %d lines, want %d:\n%s", compress, len(got), len(want), strings.Join(got, "\n"))
		}
		r.Close()
		f.Close()
	}
}

// TestReaderAcrossLogrotate: the file is moved and made anew, the kernel still
// writes to the old one until it reopens; then copytruncate.
func TestReaderAcrossLogrotate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "k.log")
	f, err := Open(Params{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	fmt.Fprintln(f, "line 0")
	r, _, err := NewReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next := func() {
		t.Helper()
		if err := r.Next(collect(&got)); err != nil {
			t.Fatal(err)
		}
	}
	next()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	next() // nothing at the path yet
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	next()
	fmt.Fprintln(f, "line 1") // to the old file
	next()
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "line")
	next()
	fmt.Fprint(f, " 2\n")
	next()
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	next()
	fmt.Fprintln(f, "line 3")
	next()
	if want := numbered(4); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestBackups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{
		"k.log", "k.log.1", "k.log.20260102T030405.000001.gz", "k.log.20260102T030405.000000", "k.log.20260102T030405.000000.gz",
		"other.log.20260102T030405.000000", "k.log.20260102T030405.000000.tmp",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Backups(filepath.Join(dir, "k.log"))
	if err != nil || len(all) != 2 || filepath.Ext(all[0].Path) == ".gz" || filepath.Ext(all[1].Path) != ".gz" {
		t.Errorf("%v %v", all, err)
	}
}
