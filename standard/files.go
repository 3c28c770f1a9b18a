package standard

import (
	"os"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/tool"
	"github.com/llmspell/llmspell/tool/file"
)

// newFiles opens the directories that [tools.file_operations] allows.
func newFiles(c *config.Config) (tool.Files, error) {
	f := c.Tools.FileOperations
	dir, err := os.Getwd()
	if err != nil {
		dir = "" // relative paths are then relative to the first root
	}
	return file.Open(file.Params{
		Roots: f.AllowedPaths, Dir: dir, MaxFileSize: f.MaxFileSize, MaxDepth: f.MaxDepth,
		AllowedExtensions: f.AllowedExtensions, BlockedExtensions: f.BlockedExtensions, InPlace: !f.AtomicWrites,
	})
}
