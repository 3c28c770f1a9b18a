package server

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Process are figures of the operating system about this process; a value that
// cannot be read is null.
type Process struct {
	RSSBytes   *int64   `json:"rss_bytes"`
	CPUPercent *float64 `json:"cpu_percent"` // since the previous sample, 100 = one core
	OpenFDs    *int     `json:"open_fds"`
	Goroutines int      `json:"goroutines"`
}

func processID() int { return os.Getpid() }

// processSampler keeps the last CPU reading.
type processSampler struct {
	mu  sync.Mutex
	at  time.Time
	cpu time.Duration
}

func newProcessSampler() *processSampler {
	cpu, _ := cpuTime()
	return &processSampler{at: time.Now(), cpu: cpu}
}

func (s *processSampler) sample() Process {
	p := Process{RSSBytes: residentBytes(), OpenFDs: openFiles(), Goroutines: runtime.NumGoroutine()}
	cpu, ok := cpuTime()
	if !ok {
		return p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if wall := now.Sub(s.at); wall > 0 {
		p.CPUPercent = new(100 * float64(cpu-s.cpu) / float64(wall))
	}
	s.at, s.cpu = now, cpu
	return p
}

func cpuTime() (time.Duration, bool) {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0, false
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano()), true
}

func residentBytes() *int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return nil
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return nil
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return nil
	}
	return new(pages * int64(os.Getpagesize()))
}

func openFiles() *int {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil
	}
	return new(len(names) - 1) // without d itself
}
