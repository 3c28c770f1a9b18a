package file

import (
	"io/fs"
	"path/filepath"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

const maxEntries = 10_000 // of a listing or a recursive copy

func (j *job) list() (tool.Result, error) {
	st, err := j.files.Stat(j.path)
	if err != nil {
		return tool.Result{}, err
	}
	if !st.IsDir() {
		return tool.Result{}, fault.Errorf(fault.ToolFailed, "file-operations: %s is not a directory", j.path)
	}
	depth := 1
	if j.recursive {
		depth = j.files.Limits().MaxDepth
	}
	entries, truncated := []any{}, false
	err = j.walk(j.path, depth, func(path string, e fs.DirEntry, descends bool) error {
		if len(entries) == maxEntries {
			return fault.Errorf(fault.TooLarge, "file-operations: %s holds more than %d entries", j.path, maxEntries)
		}
		truncated = truncated || j.recursive && e.IsDir() && !descends
		entry := map[string]any{"name": e.Name(), "path": path, "type": kind(e.Type())}
		if info, err := e.Info(); err == nil { // it may be gone
			entry["size"], entry["modified"] = info.Size(), stamp(info.ModTime())
		}
		entries = append(entries, entry)
		return nil
	})
	if err != nil {
		return tool.Result{}, err
	}
	r := j.ok("entries", "entries", entries, "count", int64(len(entries)), "path", j.path).Say("%d entries", len(entries))
	if truncated {
		r.Result.(map[string]any)["truncated"] = true // deeper than max_depth
	}
	return r, nil
}

// walk visits what is below dir, at most depth levels, parents first. Symlinks
// are visited and not followed.
func (j *job) walk(dir string, depth int, visit func(path string, e fs.DirEntry, descends bool) error) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	list, err := j.files.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		path := filepath.Join(dir, e.Name())
		descend := e.IsDir() && depth > 1
		if err := visit(path, e, descend); err != nil {
			return err
		}
		if descend {
			if err := j.walk(path, depth-1, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *job) copy() (tool.Result, error) {
	st, err := j.files.Stat(j.path)
	if err != nil {
		return tool.Result{}, err
	}
	n := int64(1)
	if st.IsDir() {
		n, err = j.copyTree()
	} else {
		err = j.copyFile(j.path, j.to)
	}
	if err != nil {
		return tool.Result{}, err
	}
	return j.ok("target", "source", j.path, "target", j.to, "files", n).Say("copied %s to %s", j.path, j.to), nil
}

func (j *job) copyFile(from, to string) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	data, err := j.files.ReadFile(from)
	if err != nil {
		return err
	}
	if err := j.parents(to); err != nil {
		return err
	}
	return j.files.WriteFile(to, data)
}

// copyTree looks at the whole tree before it copies the first file.
func (j *job) copyTree() (files int64, err error) {
	if !j.recursive {
		return 0, fault.Errorf(fault.ToolFailed, "file-operations: %s is a directory", j.path).WithHint("copy it with recursive = true")
	}
	if inside(filepath.Clean(j.path), filepath.Clean(j.to)) {
		return 0, fault.Errorf(fault.InvalidArgument, "file-operations: cannot copy %s into itself", j.path)
	}
	limit := j.files.Limits().MaxDepth
	var dirs, regular []string
	err = j.walk(j.path, limit, func(path string, e fs.DirEntry, descends bool) error {
		switch {
		case e.IsDir() && !descends:
			return fault.Errorf(fault.ToolFailed, "file-operations: %s is deeper than %d levels", path, limit).
				WithHint("raise [tools.file_operations] max_depth")
		case e.IsDir():
			dirs = append(dirs, path)
		case e.Type().IsRegular():
			regular = append(regular, path)
		default:
			return fault.Errorf(fault.ToolFailed, "file-operations: %s is a %s, which is not copied", path, kind(e.Type()))
		}
		if len(dirs)+len(regular) > maxEntries {
			return fault.Errorf(fault.TooLarge, "file-operations: %s holds more than %d entries", j.path, maxEntries)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := j.files.MkdirAll(j.to); err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		if err := j.files.MkdirAll(j.target(dir)); err != nil {
			return 0, err
		}
	}
	for _, path := range regular {
		if err := j.copyFile(path, j.target(path)); err != nil {
			return files, err
		}
		files++
	}
	return files, nil
}

// target is where path, below the source, goes.
func (j *job) target(path string) string {
	rel, err := filepath.Rel(j.path, path)
	if err != nil {
		return j.to // path came from walking the source
	}
	return filepath.Join(j.to, rel)
}

func (j *job) move() (tool.Result, error) {
	if err := j.parents(j.to); err != nil {
		return tool.Result{}, err
	}
	if err := j.files.Rename(j.path, j.to); err != nil {
		return tool.Result{}, err
	}
	return j.ok("target", "source", j.path, "target", j.to).Say("moved %s to %s", j.path, j.to), nil
}
