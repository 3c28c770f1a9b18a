package registry

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
)

func TestRecordLifecycle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := Reserve(dir, "abc123")
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := List(Dir{Runtime: dir, Scope: "user"}); len(l) != 0 {
		t.Fatalf("an unpublished record is visible: %v", l)
	}
	if err := e.Publish(Record{KernelID: "abc123", PID: os.Getpid(), Endpoint: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	all, err := List(Dir{Runtime: dir, Scope: "user"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Match("abc1", all)
	if err != nil || !l.Live || l.Scope != "user" || l.Endpoint != "http://127.0.0.1:1" {
		t.Fatalf("Match: %+v, %v", l, err)
	}
	if _, err := Reserve(dir, "abc123"); fault.CodeOf(err) != fault.AlreadyExists {
		t.Fatalf("second Reserve: %v", err)
	}
	if _, err := Match("ab", all); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("a prefix of 2 characters matched: %v", err)
	}
	if err := e.Remove(); err != nil {
		t.Fatal(err)
	}
	if l, _ := List(Dir{Runtime: dir}); len(l) != 0 {
		t.Fatalf("after Remove: %v", l)
	}
}

// TestUpdate: who looks meanwhile sees the old record or the new one, alive.
func TestUpdate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := Reserve(dir, "abc123")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Publish(Record{KernelID: "abc123", TLSFingerprint: "0"}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 50 {
			if err := e.Update(Record{KernelID: "abc123", TLSFingerprint: strconv.Itoa(i)}); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	for range 500 {
		all, err := List(Dir{Runtime: dir})
		if err != nil || len(all) != 1 || all[0].TLSFingerprint == "" {
			t.Fatalf("List: %+v %v", all, err)
		}
	}
	<-done
	if all, _ := List(Dir{Runtime: dir}); len(all) != 1 || all[0].TLSFingerprint != "49" {
		t.Errorf("after the last update: %+v", all)
	}
	if err := e.Remove(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "kernels")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStaleRecordIsIgnoredAndRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "kernels", "dead1.json")
	os.MkdirAll(filepath.Dir(path), 0o700)
	os.WriteFile(path, []byte(`{"kernel_id":"dead1","pid":1}`), 0o644)
	if l, _ := List(Dir{Runtime: dir}); len(l) != 0 {
		t.Fatalf("stale record listed: %v", l)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatalf("stale record kept: %v", err)
	}
}

func TestReserveRefusesBadIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "-a", "A", "a/b", "../x", strings.Repeat("a", 64)} {
		if _, err := Reserve(t.TempDir(), id); fault.CodeOf(err) != fault.InvalidArgument {
			t.Errorf("Reserve(%q): %v", id, err)
		}
	}
}

func TestPIDFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "k.pid")
	for _, stale := range []string{"", "garbage", "0", "-5", "1", "99999999999999999999"} {
		os.WriteFile(path, []byte(stale), 0o600)
		p, err := HoldPIDFile(path)
		if err != nil {
			t.Fatalf("content %q: %v", stale, err)
		}
		if p.Stale != stale {
			t.Errorf("Stale = %q, want %q", p.Stale, stale)
		}
		s, err := ReadPIDFile(path)
		if err != nil || !s.Held || s.PID != os.Getpid() {
			t.Fatalf("state %+v, %v", s, err)
		}
		if st, _ := os.Stat(path); st.Mode().Perm() != 0o644 {
			t.Errorf("mode %v", st.Mode())
		}
		if _, err := HoldPIDFile(path); fault.CodeOf(err) != fault.AlreadyExists || !strings.Contains(err.Error(), "Another kernel is already running (pid ") {
			t.Fatalf("second hold: %v", err)
		}
		if err := p.Release(); err != nil {
			t.Fatal(err)
		}
		if s, _ := ReadPIDFile(path); s.Exists {
			t.Fatalf("file left: %+v", s)
		}
	}
}

func TestPIDFileRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	os.WriteFile(target, []byte("keep"), 0o600)
	link := filepath.Join(dir, "link.pid")
	os.Symlink(target, link)
	if _, err := HoldPIDFile(link); err == nil || !strings.HasPrefix(err.Error(), "Cannot create PID file "+link) {
		t.Errorf("symbolic link: %v", err)
	}
	if b, _ := os.ReadFile(target); string(b) != "keep" {
		t.Errorf("link target changed to %q", b)
	}
	_, err := HoldPIDFile(filepath.Join(dir, "missing", "k.pid"))
	if e, ok := err.(*fault.Error); !ok || !strings.Contains(e.Hint, "install -d") {
		t.Errorf("missing directory: %v", err)
	}
}

func TestReleaseKeepsASuccessorsFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "k.pid")
	p, err := HoldPIDFile(path)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	os.WriteFile(path, []byte("7\n"), 0o644)
	if err := p.Release(); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "7\n" {
		t.Errorf("successor's file: %q", b)
	}
}

func TestRemoveStaleLeavesWhatIsNotStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	uid := uint32(os.Getuid())
	path := filepath.Join(dir, "k.pid")
	gone := func() bool { _, err := os.Lstat(path); return os.IsNotExist(err) }

	held, err := HoldPIDFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := RemoveStale(path, uid); err != nil || gone() {
		t.Errorf("a held file: %v, gone %t", err, gone())
	}
	held.file.Close() // as a killed kernel leaves it
	if err := RemoveStale(path, uid+1); err != nil || gone() {
		t.Errorf("another account's file: %v, gone %t", err, gone())
	}
	if err := RemoveStale(path, uid); err != nil || !gone() {
		t.Errorf("a stale file: %v, gone %t", err, gone())
	}
	if err := RemoveStale(path, uid); err != nil {
		t.Errorf("no file: %v", err)
	}
	target := filepath.Join(dir, "target")
	if err := errors.Join(os.WriteFile(target, nil, 0o600), os.Symlink(target, path)); err != nil {
		t.Fatal(err)
	}
	if err := RemoveStale(path, uid); err != nil || gone() {
		t.Errorf("a symbolic link: %v, gone %t", err, gone())
	}
}
