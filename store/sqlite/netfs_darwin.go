package sqlite

import "golang.org/x/sys/unix"

// networkFS names the network filesystem that path is on, "" if it is local.
func networkFS(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil || st.Flags&unix.MNT_LOCAL != 0 {
		return ""
	}
	return unix.ByteSliceToString(st.Fstypename[:])
}
