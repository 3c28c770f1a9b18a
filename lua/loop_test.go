package lua

import (
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestDispatchKeepsItsLocals reads the compiled run loop: between loading an
// instruction and jumping to its case nothing may be stored to the Go stack,
// and nothing compared. A local that is live across one call anywhere in the
// loop costs such a store for every instruction executed.
func TestDispatchKeepsItsLocals(t *testing.T) {
	t.Parallel()
	if testing.Short() || runtime.GOARCH != "amd64" {
		t.Skip("compiles the package; reads amd64 code")
	}
	text, err := exec.Command("go", "build", "-gcflags=-S", ".").CombinedOutput()
	if err != nil {
		t.Skipf("no compiler: %v", err)
	}
	_, code, ok := strings.Cut(string(text), "lua.(*State).run STEXT")
	if !ok {
		t.Fatal("no code of the run loop")
	}
	lines := strings.Split(code, "\n")
	jump := regexp.MustCompile(`JMP\t\(\w+\)\(\w+\*8\)`)
	for i, line := range lines {
		if !jump.MatchString(line) {
			continue
		}
		head := lines[max(0, i-7):i]
		if !strings.Contains(strings.Join(head, "\n"), "$127,") {
			t.Errorf("the first jump table is not that of the opcode:\n%s", strings.Join(head, "\n"))
		}
		for _, l := range head {
			if strings.Contains(l, "(SP)") || strings.Contains(l, "\tCMP") {
				t.Errorf("spill or bounds check at the loop head: %s", l)
			}
		}
		return
	}
	t.Error("no jump table in the run loop")
}
