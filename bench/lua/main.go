// Command lua measures package lua beside the reference implementation, in one
// run and under the conditions it prints:
//
//	go run ./bench/lua [-rounds 5] [-reference lua5.4] [-dir lua/testdata/bench] [programs...]
//
// Every program runs unchanged on both, alternated in an order that rotates
// from round to round. A figure is the CPU time (user and system) of the whole
// process, the median of the rounds; the last line is the geometric mean of the
// ratios. Before that come figures of package lua alone: the creation of a state
// with its standard library and the memory of idle states.
//
// With -exec FILE it runs one program and exits: this is the process measured.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/llmspell/llmspell/lua"
)

type flags struct {
	rounds, states       int
	reference, dir, gogc string
	exec, profile        string
}

func main() {
	var f flags
	flag.IntVar(&f.rounds, "rounds", 5, "alternated rounds")
	flag.IntVar(&f.states, "states", 100_000, "idle states whose memory is measured; 0: none")
	flag.StringVar(&f.reference, "reference", "lua5.4", "reference implementation")
	flag.StringVar(&f.dir, "dir", "lua/testdata/bench", "directory of the programs")
	flag.StringVar(&f.gogc, "gogc", "200", "GOGC of the measured process")
	flag.StringVar(&f.exec, "exec", "", "run this program and exit")
	flag.StringVar(&f.profile, "cpuprofile", "", "with -exec: write a CPU profile")
	flag.Parse()
	run := func() error { return measure(f, flag.Args()) }
	if f.exec != "" {
		run = func() error { return execute(f.exec, f.profile) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench/lua:", err)
		os.Exit(1)
	}
}

// execute runs one program on package lua.
func execute(path, profile string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	st, err := lua.New(lua.Options{System: lua.NewOSSystem(), Seed: 1})
	if err != nil {
		return err
	}
	defer st.Close()
	chunk, err := lua.Compile("@"+path, string(source), lua.CompileOptions{})
	if err != nil {
		return err
	}
	if profile != "" {
		out, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	outcome := st.Run(st.Load(chunk), nil, lua.RunOptions{})
	end := outcome.Main()
	if end == nil {
		return fmt.Errorf("%s: suspended", path)
	}
	if end.Err != nil {
		return fmt.Errorf("%s: %s", path, end.Err.Message)
	}
	return nil
}

func measure(f flags, names []string) error {
	files, err := programs(f.dir, names)
	if err != nil {
		return err
	}
	version, err := exec.Command(f.reference, "-v").CombinedOutput()
	if err != nil {
		return fmt.Errorf("reference %s: %w", f.reference, err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Printf("conditions: %s %s/%s, %d CPUs, GOGC=%s; %s; CPU time of the process, median of %d alternated rounds\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), f.gogc, reference(string(version)), f.rounds)
	if len(names) == 0 {
		if err := states(f.states); err != nil {
			return err
		}
	}
	ours := func(file string) *exec.Cmd {
		cmd := exec.Command(self, "-exec", file)
		cmd.Env = append(os.Environ(), "GOGC="+f.gogc)
		return cmd
	}
	theirs := func(file string) *exec.Cmd { return exec.Command(f.reference, file) }
	return compare(files, f.rounds, ours, theirs)
}

// reference shortens the version line of a Lua.
func reference(v string) string {
	v, _, _ = strings.Cut(strings.TrimSpace(v), "  ")
	return v
}

func programs(dir string, names []string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.lua"))
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		files = slices.DeleteFunc(files, func(path string) bool {
			return !slices.Contains(names, strings.TrimSuffix(filepath.Base(path), ".lua"))
		})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no programs in %s", dir)
	}
	return files, nil
}

// compare runs every file on both engines and prints the table.
func compare(files []string, rounds int, engines ...func(string) *exec.Cmd) error {
	times := make([][2][]float64, len(files))
	for round := range rounds {
		for k := range files {
			at := (k + round*7) % len(files)
			for e := range engines {
				e = (e + round + k) % len(engines)
				ms, err := cpu(engines[e](files[at]))
				if err != nil {
					return err
				}
				times[at][e] = append(times[at][e], ms)
			}
		}
	}
	fmt.Printf("%-10s %10s %10s %7s\n", "program", "lua ms", "ref ms", "ratio")
	product, worst := 0.0, 0.0
	for i, file := range files {
		us, them := median(times[i][0]), median(times[i][1])
		ratio := us / them
		product += math.Log(ratio)
		worst = max(worst, ratio)
		fmt.Printf("%-10s %10.0f %10.0f %7.2f\n", strings.TrimSuffix(filepath.Base(file), ".lua"), us, them, ratio)
	}
	fmt.Printf("geometric mean of %d: %.2f, worst %.2f\n", len(files), math.Exp(product/float64(len(files))), worst)
	return nil
}

// cpu returns the milliseconds of CPU time a command takes.
func cpu(cmd *exec.Cmd) (float64, error) {
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return float64(spent) / float64(time.Millisecond), nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[n/2] + v[(n-1)/2]) / 2
}

// states measures the creation of states and the memory of idle ones, which
// have run a chunk and returned.
func states(n int) error {
	create := func() (*lua.State, error) {
		return lua.New(lua.Options{System: lua.NewOSSystem(), Seed: 1})
	}
	if _, err := create(); err != nil { // builds the library, once per process
		return err
	}
	const rounds, each = 11, 2000
	var micros []float64
	for range rounds {
		start := time.Now()
		for range each {
			if _, err := create(); err != nil {
				return err
			}
		}
		micros = append(micros, float64(time.Since(start))/1000/each)
	}
	fmt.Printf("state with the standard library: %.1f us (median of %d x %d, wall)\n", median(micros), rounds, each)
	if n == 0 {
		return nil
	}
	chunk, err := lua.Compile("=idle", "counter = (counter or 0) + 1", lua.CompileOptions{})
	if err != nil {
		return err
	}
	before := memory()
	idle := make([]*lua.State, n)
	for i := range idle {
		if idle[i], err = create(); err != nil {
			return err
		}
		if i%2 == 0 { // half of them have run something
			outcome := idle[i].Run(idle[i].Load(chunk), nil, lua.RunOptions{})
			if end := outcome.Main(); end == nil || end.Err != nil {
				return fmt.Errorf("an idle state failed")
			}
		}
	}
	after := memory()
	fmt.Printf("%d idle states: %.1f KB each, %.0f MB of the process in all\n",
		n, float64(after.HeapAlloc-before.HeapAlloc)/1024/float64(n), float64(after.Sys-after.HeapReleased)/(1<<20))
	runtime.KeepAlive(idle)
	idle = nil
	debug.FreeOSMemory()
	return nil
}

func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}
