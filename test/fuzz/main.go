// Command fuzz runs every fuzz target of the module for a while:
//
//	go run ./test/fuzz [-time 10s] [package...]
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

func main() {
	each := flag.Duration("time", 10*time.Second, "for each target")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	if err := run(*each, packages); err != nil {
		fmt.Fprintln(os.Stderr, "test/fuzz:", err)
		os.Exit(1)
	}
}

func run(each time.Duration, patterns []string) error {
	list, err := exec.Command("go", append([]string{"list"}, patterns...)...).Output()
	if err != nil {
		return err
	}
	for pkg := range strings.FieldsSeq(string(list)) {
		targets, err := exec.Command("go", "test", "-list", "^Fuzz", pkg).Output()
		if err != nil {
			return fmt.Errorf("%s: %w", pkg, err)
		}
		for name := range strings.FieldsSeq(string(targets)) {
			if !strings.HasPrefix(name, "Fuzz") {
				continue
			}
			fmt.Printf("== %s %s\n", pkg, name)
			cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", each.String(), pkg)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s %s: %w", pkg, name, err)
			}
		}
	}
	return nil
}
