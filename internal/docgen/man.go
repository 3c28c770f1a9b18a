package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra/doc"

	"github.com/llmspell/llmspell/internal/cli"
)

// manDate is printed at the foot of each man page: the month in which the
// commands last changed in a way a reader should notice.
var manDate = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// manPages makes one page a command, docs/man/llmspell-kernel-start.1 and so on.
func manPages() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "llmspell-man-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	root := cli.Command(&cli.Env{Now: func() time.Time { return manDate }})
	root.DisableAutoGenTag = true
	date := manDate
	header := &doc.GenManHeader{Section: "1", Manual: "llmspell", Source: "llmspell", Date: &date}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	pages := map[string][]byte{}
	for _, f := range files {
		if pages["docs/man/"+f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// dropOldMan removes, or with check refuses, the page of a command that is gone.
func dropOldMan(root string, check bool, pages map[string][]byte) error {
	have, err := filepath.Glob(filepath.Join(root, "docs/man/*"))
	if err != nil {
		return err
	}
	for _, path := range have {
		name := "docs/man/" + filepath.Base(path)
		if _, ok := pages[name]; ok {
			continue
		}
		if check {
			return fmt.Errorf("%s is of no command; run go run ./internal/docgen", name)
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
