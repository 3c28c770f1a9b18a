package file

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Operations is the file-operations tool.
type Operations struct{}

// NewOperations returns the file-operations tool. It works on the Files of the
// run's Env.
func NewOperations() *Operations { return &Operations{} }

var operationNames = []string{"read", "write", "append", "delete", "create_dir", "mkdir", "list_dir", "ls", "dir", "copy", "move", "metadata", "exists"}

func (*Operations) Spec() tool.Spec {
	return tool.Spec{
		Name: "file-operations", Version: "1.0.0", Category: "filesystem", Policy: "file", Effect: tool.Once,
		Description: "Reads, writes, copies, moves, deletes and lists files and directories under the allowed paths.",
		Tags:        []string{"file", "directory", "read", "write"},
		Params: []tool.Param{
			{Name: "operation", Type: "string", Required: true, Enum: operationNames, Description: "what to do; mkdir is create_dir, ls and dir are list_dir"},
			{Name: "path", Type: "string", Description: "file or directory; of copy and move the source"},
			{Name: "source_path", Type: "string", Description: "the same as path"},
			{Name: "target_path", Type: "string", Description: "where copy and move lead"},
			{Name: "input", Type: "string", Description: "content of write and append"},
			{Name: "recursive", Type: "boolean", Default: false, Description: "delete, copy and list_dir with everything below"},
			{Name: "encoding", Type: "string", Enum: []string{"utf8", "base64"}, Default: "utf8", Description: "of input and of the text read"},
		},
	}
}

// job is one call.
type job struct {
	ctx       context.Context
	files     tool.Files
	op        string
	path, to  string
	input     *string
	recursive bool
	base64    bool
}

func (o *Operations) Execute(ctx context.Context, p map[string]any) (tool.Result, error) {
	files, err := tool.EnvOf(ctx).NeedFiles()
	if err != nil {
		return tool.Result{}, err
	}
	j, err := newJob(ctx, files, p)
	if err != nil {
		return tool.Result{}, err
	}
	r, err := j.run()
	if err == nil {
		return r, nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok || ctx.Err() != nil {
		return tool.Result{}, err
	}
	return tool.Result{}, fault.Errorf(fault.ToolFailed, "file-operations: %w", err)
}

func newJob(ctx context.Context, files tool.Files, p map[string]any) (*job, error) {
	j := &job{ctx: ctx, files: files}
	j.op = p["operation"].(string)
	switch j.op {
	case "mkdir":
		j.op = "create_dir"
	case "ls", "dir":
		j.op = "list_dir"
	}
	j.path, _ = p["path"].(string)
	source, given := p["source_path"].(string)
	if given && j.path != "" && source != j.path {
		return nil, fault.Errorf(fault.InvalidArgument, "file-operations: path and source_path name different files")
	}
	if given {
		j.path = source
	}
	j.to, _ = p["target_path"].(string)
	j.recursive, _ = p["recursive"].(bool)
	j.base64 = p["encoding"] == "base64"
	if s, ok := p["input"].(string); ok {
		j.input = &s
	}
	twoPaths := j.op == "copy" || j.op == "move"
	switch {
	case j.path == "":
		return nil, missing(j.op, "path")
	case twoPaths && j.to == "":
		return nil, missing(j.op, "target_path")
	case !twoPaths && j.to != "":
		return nil, fault.Errorf(fault.InvalidArgument, "file-operations: %s takes no target_path", j.op)
	case (j.op == "write" || j.op == "append") && j.input == nil:
		return nil, missing(j.op, "input")
	}
	return j, nil
}

func missing(op, field string) error {
	return fault.Errorf(fault.InvalidArgument, "file-operations: %s needs %q", op, field).WithDetail("field", field)
}

func (j *job) run() (tool.Result, error) {
	switch j.op {
	case "read":
		return j.read()
	case "write", "append":
		return j.write()
	case "delete":
		if err := j.delete(); err != nil {
			return tool.Result{}, err
		}
		return j.ok("path", "path", j.path).Say("deleted %s", j.path), nil
	case "create_dir":
		if err := j.files.MkdirAll(j.path); err != nil {
			return tool.Result{}, err
		}
		return j.ok("path", "path", j.path).Say("directory %s exists", j.path), nil
	case "list_dir":
		return j.list()
	case "copy":
		return j.copy()
	case "move":
		return j.move()
	case "metadata":
		return j.metadata()
	case "exists":
		_, err := j.files.Stat(j.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return tool.Result{}, err
		}
		return j.ok("exists", "exists", err == nil, "path", j.path), nil
	}
	return tool.Result{}, fault.Errorf(fault.InvalidArgument, "file-operations: no operation %q", j.op)
}

// ok returns a result made of the names and values in pairs.
func (j *job) ok(primary string, pairs ...any) tool.Result {
	data := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		data[pairs[i].(string)] = pairs[i+1]
	}
	return tool.OK(j.op, primary, data)
}

func (j *job) read() (tool.Result, error) {
	data, err := j.files.ReadFile(j.path)
	if err != nil {
		return tool.Result{}, err
	}
	text := string(data)
	if j.base64 {
		text = base64.StdEncoding.EncodeToString(data)
	} else if !utf8.Valid(data) {
		return tool.Result{}, fault.Errorf(fault.ToolFailed, "file-operations: %s is not UTF-8 text", j.path).
			WithHint(`read it with encoding = "base64"`)
	}
	return j.ok("text", "text", text, "size", int64(len(data)), "path", j.path), nil
}

func (j *job) write() (tool.Result, error) {
	data := []byte(*j.input)
	if j.base64 {
		var err error
		if data, err = base64.StdEncoding.DecodeString(*j.input); err != nil {
			return tool.Result{}, fault.Errorf(fault.InvalidArgument, "file-operations: input is not base64: %w", err)
		}
	}
	if err := j.parents(j.path); err != nil {
		return tool.Result{}, err
	}
	var err error
	if j.op == "write" {
		err = j.files.WriteFile(j.path, data)
	} else {
		err = j.append(data)
	}
	if err != nil {
		return tool.Result{}, err
	}
	return j.ok("path", "path", j.path, "bytes_written", int64(len(data))).Say("wrote %d bytes to %s", len(data), j.path), nil
}

func (j *job) append(data []byte) error {
	f, err := j.files.OpenFile(j.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// parents makes the directories above path.
func (j *job) parents(path string) error {
	dir := filepath.Dir(path)
	if dir == "." || dir == path {
		return nil
	}
	if st, err := j.files.Stat(dir); err == nil && st.IsDir() {
		return nil
	}
	return j.files.MkdirAll(dir)
}

func (j *job) delete() error {
	err := j.files.Remove(j.path, j.recursive)
	if err == nil || j.recursive {
		return err
	}
	if list, e := j.files.ReadDir(j.path); e == nil && len(list) > 0 {
		return fault.Errorf(fault.ToolFailed, "file-operations: directory %s is not empty", j.path).WithHint("delete it with recursive = true")
	}
	return err
}

func (j *job) metadata() (tool.Result, error) {
	st, err := j.files.Stat(j.path)
	if err != nil {
		return tool.Result{}, err
	}
	return j.ok("metadata", "path", j.path, "metadata", map[string]any{
		"size": st.Size(), "type": kind(st.Mode()), "modified": stamp(st.ModTime()),
		"mode": fmt.Sprintf("%04o", st.Mode().Perm()),
	}).Say("%s, %d bytes", kind(st.Mode()), st.Size()), nil
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m.IsRegular():
		return "file"
	case m&fs.ModeSymlink != 0:
		return "symlink"
	}
	return "other"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// inside reports whether path lies in dir.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && (rel == "." || rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)))
}
