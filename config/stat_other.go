//go:build !unix

package config

import "os"

// statFile knows no owner here; -1 belongs to nobody.
func statFile(path string) (FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return FileInfo{}, err
	}
	return FileInfo{UID: -1, Mode: info.Mode()}, nil
}
