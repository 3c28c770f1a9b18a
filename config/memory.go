package config

import (
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// fallbackMemory is assumed where the system does not tell, in bytes.
const fallbackMemory = 2 << 30

// memoryLimit is the smallest cgroup limit of this process, else the machine's
// memory, in bytes. root is "/" except in tests.
func memoryLimit(root string) int64 {
	limit := int64(fallbackMemory)
	if total := memTotal(filepath.Join(root, "proc/meminfo")); total > 0 {
		limit = total
	}
	groups, err := readBounded(filepath.Join(root, "proc/self/cgroup"), 64<<10)
	if err != nil {
		return limit
	}
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		base, file := "", ""
		switch {
		case parts[1] == "":
			base, file = "sys/fs/cgroup", "memory.max"
		case strings.Contains(","+parts[1]+",", ",memory,"):
			base, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			if n := readNumber(filepath.Join(root, base, dir, file)); n > 0 {
				limit = min(limit, n)
			}
			if dir == "/" {
				break
			}
		}
	}
	return limit
}

func readNumber(name string) int64 {
	data, err := readBounded(name, 64)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func memTotal(name string) int64 {
	data, err := readBounded(name, 64<<10)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}
