package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
	"github.com/llmspell/llmspell/tool/tooltest"
)

func newBox(t *testing.T, p Params) *Sandbox {
	t.Helper()
	box, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	return box
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestConfinement(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	in, other, out := filepath.Join(top, "in"), filepath.Join(top, "other"), filepath.Join(top, "in-not")
	for _, d := range []string{in, other, out, filepath.Join(in, "sub")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(in, "a.txt"), "a")
	write(t, filepath.Join(in, "evil.exe"), "x")
	write(t, filepath.Join(other, "o.txt"), "o")
	write(t, filepath.Join(out, "secret.txt"), "s")
	link(t, "../in-not/secret.txt", filepath.Join(in, "leak"))
	link(t, out, filepath.Join(in, "leakdir"))
	link(t, "a.txt", filepath.Join(in, "good"))
	link(t, filepath.Join(other, "o.txt"), filepath.Join(in, "across"))
	link(t, filepath.Join(out, "new.txt"), filepath.Join(in, "dangling"))
	link(t, "loop", filepath.Join(in, "loop"))
	if err := syscall.Mkfifo(filepath.Join(in, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	box := newBox(t, Params{Roots: []string{in, other}, Dir: filepath.Join(in, "sub"), BlockedExtensions: []string{"exe"}})

	for path, want := range map[string]string{
		filepath.Join(in, "a.txt"):            "a",
		"../a.txt":                            "a", // relative to Dir
		filepath.Join(in, "sub/../a.txt"):     "a",
		filepath.Join(in, "good"):             "a",
		filepath.Join(in, "across"):           "o",
		filepath.Join(other, "o.txt"):         "o",
		filepath.Join(in, "../other/o.txt"):   "o",
		filepath.Join(in, ".", "a.txt") + "/": "a",
	} {
		if got, err := box.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("ReadFile(%s) = %q, %v", path, got, err)
		}
		if err := box.Allowed(path); err != nil {
			t.Errorf("Allowed(%s) = %v", path, err)
		}
	}
	for _, path := range []string{
		filepath.Join(out, "secret.txt"), "../../in-not/secret.txt", filepath.Join(in, "leak"),
		filepath.Join(in, "leakdir/secret.txt"), filepath.Join(in, "dangling"), "/etc/passwd", top, "/",
		filepath.Join(in, "evil.exe"), filepath.Join(in, "EVIL.EXE"),
	} {
		_, err := box.ReadFile(path)
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Code != fault.PolicyDenied || !strings.Contains(e.Hint, "[tools.file_operations]") {
			t.Errorf("ReadFile(%s) = %v", path, err)
		}
		if err := box.Allowed(path); fault.CodeOf(err) != fault.PolicyDenied {
			t.Errorf("Allowed(%s) = %v", path, err)
		}
	}
	for _, path := range []string{filepath.Join(in, "leak"), filepath.Join(in, "leakdir/x"), filepath.Join(in, "dangling"), filepath.Join(out, "x")} {
		if err := box.WriteFile(path, []byte("bad")); fault.CodeOf(err) != fault.PolicyDenied {
			t.Errorf("WriteFile(%s) = %v", path, err)
		}
		if _, err := box.OpenFile(path, os.O_RDWR|os.O_CREATE); fault.CodeOf(err) != fault.PolicyDenied {
			t.Errorf("OpenFile(%s) = %v", path, err)
		}
		if err := box.Rename(filepath.Join(in, "a.txt"), path); strings.HasPrefix(path, out) && fault.CodeOf(err) != fault.PolicyDenied {
			t.Errorf("Rename to %s = %v", path, err)
		} else if err == nil { // it replaced the link itself
			write(t, filepath.Join(in, "a.txt"), "a")
		}
	}
	if got, _ := os.ReadFile(filepath.Join(out, "secret.txt")); string(got) != "s" {
		t.Errorf("the file outside is now %q", got)
	}
	for path, want := range map[string]error{
		filepath.Join(in, "absent"): fs.ErrNotExist, filepath.Join(in, "sub"): syscall.EISDIR,
		filepath.Join(in, "fifo"): errNotRegular, filepath.Join(in, "loop"): syscall.ELOOP, "a\x00b": fs.ErrInvalid, "": fs.ErrInvalid,
	} {
		_, err := box.ReadFile(path)
		if p, ok := errors.AsType[*fs.PathError](err); !ok || !errors.Is(err, want) || p.Path != path {
			t.Errorf("ReadFile(%q) = %v, want %v", path, err, want)
		}
	}
}

func TestNoRoots(t *testing.T) {
	t.Parallel()
	box := newBox(t, Params{})
	if _, err := box.ReadFile("x"); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("%v", err)
	}
	_, err := Open(Params{Roots: []string{filepath.Join(t.TempDir(), "absent")}})
	if fault.CodeOf(err) != fault.InvalidArgument || !strings.Contains(err.Error(), "allowed_paths") {
		t.Errorf("absent root: %v", err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box := newBox(t, Params{Roots: []string{dir}, MaxFileSize: 10, AllowedExtensions: []string{".TXT"}})
	path := filepath.Join(dir, "a.txt")
	if err := box.WriteFile(path, []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	if err := box.WriteFile(path, []byte("0123456789x")); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("WriteFile: %v", err)
	}
	f, err := box.OpenFile(path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "x"); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("append: %v", err)
	}
	f.Close()
	if f, err = box.OpenFile(path, os.O_RDWR|os.O_TRUNC); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, strings.NewReader("0123456789x")); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("copy: %v", err)
	}
	if _, err := f.Seek(8, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("abc")); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("write at 8: %v", err)
	}
	if n, err := f.Write([]byte("ab")); n != 2 || err != nil {
		t.Errorf("write at 8: %d, %v", n, err)
	}
	f.Close()
	write(t, path, "0123456789x")
	if _, err := box.ReadFile(path); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("ReadFile: %v", err)
	}
	if err := box.WriteFile(filepath.Join(dir, "a.md"), nil); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("extension: %v", err)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	for _, inPlace := range []bool{false, true} {
		dir, second := t.TempDir(), t.TempDir()
		box := newBox(t, Params{Roots: []string{dir, second}, InPlace: inPlace})
		path := filepath.Join(dir, "a.txt")
		write(t, path, "old")
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		link(t, "a.txt", filepath.Join(dir, "l"))
		if err := box.WriteFile(filepath.Join(dir, "l"), []byte("through")); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Lstat(filepath.Join(dir, "l")); err != nil || st.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link is %v, %v", st.Mode(), err)
		}
		if got, _ := box.ReadFile("a.txt"); string(got) != "through" {
			t.Errorf("content %q", got)
		}
		if err := box.WriteFile("a.txt", []byte("new")); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o640 {
			t.Errorf("mode %v, %v", st.Mode(), err)
		}
		if err := box.WriteFile(".", []byte("x")); !errors.Is(err, syscall.EISDIR) {
			t.Errorf("write to a directory: %v", err)
		}
		if err := box.Rename("a.txt", filepath.Join(second, "b.txt")); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(second, "b.txt")); err != nil || string(got) != "new" {
			t.Errorf("moved: %q, %v", got, err)
		}
		if err := box.Remove(dir, true); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("removing a root: %v", err)
		}
		if list, err := box.ReadDir("."); err != nil || len(list) != 1 || list[0].Name() != "l" {
			t.Errorf("left over: %v, %v", list, err)
		}
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box := newBox(t, Params{Roots: []string{dir}, MaxDepth: 3, BlockedExtensions: []string{"exe"}})
	at := func(p string) string { return filepath.Join(dir, p) }
	op := func(name, path string, more ...any) map[string]any {
		m := map[string]any{"operation": name, "path": at(path)}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	entries := func(want ...string) func(*testing.T, tool.Result) {
		return func(t *testing.T, r tool.Result) {
			var got []string
			for _, e := range r.Result.(map[string]any)["entries"].([]any) {
				m := e.(map[string]any)
				rel, _ := filepath.Rel(dir, m["path"].(string))
				got = append(got, fmt.Sprintf("%s:%s", rel, m["type"]))
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("entries %q, want %q", got, want)
			}
		}
	}
	tooltest.RunIn(t, tooltest.Env(box), NewOperations(), []tooltest.Case{
		{Params: op("write", "d/x.json", "input", `{"result":1}`), Want: map[string]any{"bytes_written": int64(12), "path": at("d/x.json")}},
		{Params: op("read", "d/x.json"), Want: map[string]any{"text": `{"result":1}`, "size": int64(12)}},
		{Params: op("append", "d/x.json", "input", "\n"), Want: map[string]any{"bytes_written": int64(1)}},
		{Params: op("append", "d/new/y.txt", "input", "y"), Want: map[string]any{"bytes_written": int64(1)}},
		{Params: op("write", "bin", "input", "AP8=", "encoding", "base64"), Want: map[string]any{"bytes_written": int64(2)}},
		{Params: op("read", "bin", "encoding", "base64"), Want: map[string]any{"text": "AP8=", "size": int64(2)}},
		{Params: op("read", "bin"), Fails: fault.ToolFailed, Says: "not UTF-8"},
		{Params: op("write", "bin", "input", "***", "encoding", "base64"), Fails: fault.InvalidArgument},
		{Params: op("exists", "d"), Want: map[string]any{"exists": true}},
		{Params: op("exists", "nope"), Want: map[string]any{"exists": false}},
		{Params: op("metadata", "d/x.json"), Check: func(t *testing.T, r tool.Result) {
			m := r.Result.(map[string]any)["metadata"].(map[string]any)
			if m["size"] != int64(13) || m["type"] != "file" || !strings.HasSuffix(m["modified"].(string), "Z") {
				t.Errorf("metadata %v", m)
			}
		}},
		{Params: op("mkdir", "e/f"), Want: map[string]any{"path": at("e/f")}},
		{Params: op("ls", "d"), Want: map[string]any{"count": int64(2)}, Check: entries("d/new:directory", "d/x.json:file")},
		{Params: op("list_dir", "d", "recursive", true), Check: entries("d/new:directory", "d/new/y.txt:file", "d/x.json:file")},
		{Params: op("list_dir", "bin"), Fails: fault.ToolFailed, Says: "not a directory"},
		{Params: op("copy", "d", "target_path", at("c")), Fails: fault.ToolFailed, Says: "is a directory"},
		{Params: op("copy", "d", "target_path", at("d/inner"), "recursive", true), Fails: fault.InvalidArgument},
		{Params: op("copy", "d", "target_path", at("c/d2"), "recursive", true), Want: map[string]any{"target": at("c/d2"), "files": int64(2)}},
		{Params: op("dir", "c", "recursive", true), Check: entries("c/d2:directory", "c/d2/new:directory", "c/d2/new/y.txt:file", "c/d2/x.json:file")},
		{Params: map[string]any{"operation": "move", "source_path": at("c/d2"), "target_path": at("m/n")}, Want: map[string]any{"target": at("m/n"), "source": at("c/d2")}},
		{Params: op("copy", "d/x.json", "target_path", at("x2/z.json")), Want: map[string]any{"files": int64(1)}},
		{Params: op("copy", "d/x.json", "target_path", at("x2/z.exe")), Fails: fault.PolicyDenied},
		{Params: op("delete", "m"), Fails: fault.ToolFailed, Says: "not empty"},
		{Params: op("delete", "m", "recursive", true), Want: map[string]any{"path": at("m")}},
		{Params: op("delete", "m", "recursive", true), Fails: fault.ToolFailed},
		{Params: op("mkdir", "1/2/3/4/5"), Want: map[string]any{}},
		{Params: op("list_dir", "1", "recursive", true), Want: map[string]any{"truncated": true, "count": int64(3)}},
		{Params: op("copy", "1", "target_path", at("2"), "recursive", true), Fails: fault.ToolFailed, Says: "deeper than 3"},
		{Params: op("read", "nope"), Fails: fault.ToolFailed, Says: "no such file"},
		{Params: op("read", "/../../../etc/passwd"), Fails: fault.PolicyDenied},
		{Params: map[string]any{"operation": "read", "path": "/etc/passwd"}, Fails: fault.PolicyDenied},
		{Params: map[string]any{"operation": "read"}, Fails: fault.InvalidArgument, Says: `"path"`},
		{Params: op("write", "x"), Fails: fault.InvalidArgument, Says: `"input"`},
		{Params: op("move", "x"), Fails: fault.InvalidArgument, Says: `"target_path"`},
		{Params: op("read", "x", "target_path", "y"), Fails: fault.InvalidArgument},
		{Params: op("read", "x", "source_path", "y"), Fails: fault.InvalidArgument},
	})
}

func TestNoFiles(t *testing.T) {
	t.Parallel()
	_, err := tooltest.Call(tool.WithEnv(t.Context(), tooltest.Env(nil)), NewOperations(), map[string]any{"operation": "read", "path": "x"})
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Code != fault.PolicyDenied || !strings.Contains(e.Hint, "allow_file_access") {
		t.Errorf("%v", err)
	}
}

// FuzzPaths reads and writes any path: what lies outside must stay as it is.
func FuzzPaths(f *testing.F) {
	for _, p := range []string{"a", "../out/secret", "l/secret", "/etc/passwd", "x/../../out/secret", "./l/../../out/secret", "a/b/c", "\x00", "l"} {
		f.Add(p)
	}
	top := f.TempDir()
	in, out := filepath.Join(top, "in"), filepath.Join(top, "out")
	secret := filepath.Join(out, "secret")
	for _, err := range []error{os.Mkdir(in, 0o700), os.Mkdir(out, 0o700), os.WriteFile(secret, []byte("secret"), 0o600), os.Symlink(out, filepath.Join(in, "l"))} {
		if err != nil {
			f.Fatal(err)
		}
	}
	box, err := Open(Params{Roots: []string{in}, Dir: in})
	if err != nil {
		f.Fatal(err)
	}
	defer box.Close()
	f.Fuzz(func(t *testing.T, path string) {
		for _, p := range []string{path, filepath.Join(in, path), in + "/" + path} {
			if data, err := box.ReadFile(p); err == nil && string(data) == "secret" {
				t.Errorf("%q reads the file outside", p)
			}
			_ = box.WriteFile(p, []byte("x"))
			_ = box.Rename(p, p+"2")
			if filepath.Clean(p) != filepath.Join(in, "l") {
				_ = box.Remove(p, true)
			}
		}
		if data, err := os.ReadFile(secret); err != nil || string(data) != "secret" {
			t.Fatalf("%q changed the file outside: %q, %v", path, data, err)
		}
		if list, _ := os.ReadDir(out); len(list) != 1 {
			t.Fatalf("%q made a file outside: %v", path, list)
		}
	})
}
