package tool

import (
	"io"
	"io/fs"
)

// Files gives access to the files under the allowed roots. A path is taken as
// the script gave it; a relative one is relative to the working directory if
// that lies in a root, else to the first root. What policy forbids - a path
// outside, a symlink that leaves its root, a blocked extension - is
// fault.PolicyDenied; a file over the size limit is fault.TooLarge; everything
// else is an *fs.PathError with the path as given. Safe for concurrent use.
type Files interface {
	FileReader
	FileWriter
	// OpenFile opens a regular file for streaming; flag is as for os.OpenFile.
	// Writing beyond the size limit fails with fault.TooLarge.
	OpenFile(path string, flag int) (File, error)
	Limits() FileLimits
}

// FileReader is the reading half of Files.
type FileReader interface {
	ReadFile(path string) ([]byte, error)
	// Stat follows symlinks inside the roots.
	Stat(path string) (fs.FileInfo, error)
	// ReadDir returns the entries sorted by name.
	ReadDir(path string) ([]fs.DirEntry, error)
}

// FileWriter is the changing half of Files.
type FileWriter interface {
	// WriteFile replaces the file as a whole: readers see the old or the new content.
	WriteFile(path string, data []byte) error
	// MkdirAll makes a directory with its parents; one that exists is fine.
	MkdirAll(path string) error
	// Remove removes a file or directory; a directory with entries only if all.
	Remove(path string, all bool) error
	// Rename moves a file or directory; a file also from one root to another.
	Rename(from, to string) error
}

// File is an open file.
type File interface {
	io.Reader
	io.Writer
	io.Seeker
	io.Closer
	Stat() (fs.FileInfo, error)
}

// FileLimits bound what tools do with files.
type FileLimits struct {
	MaxFileSize int64 // bytes
	MaxDepth    int   // directory levels a recursive operation descends
}
