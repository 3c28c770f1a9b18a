//go:build unix

package config

import (
	"os"
	"syscall"
)

// statFile follows symbolic links: the rules are about the file that is read.
func statFile(path string) (FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return FileInfo{}, err
	}
	out := FileInfo{UID: -1, Mode: info.Mode()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		out.UID = int(st.Uid)
	}
	return out, nil
}
