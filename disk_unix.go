//go:build unix

package llmspell

import "golang.org/x/sys/unix"

// diskFree returns the bytes an unprivileged process may still write below dir.
func diskFree(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:unconvert // types differ by system
}
