package lua

import (
	"os"
	"sync"
	"testing"
)

// TestStatesShareChunks runs one chunk and the library in many states at once:
// under the race detector it shows that nothing shared is written.
func TestStatesShareChunks(t *testing.T) {
	t.Parallel()
	var chunks []*Chunk
	for _, name := range []string{"errors", "more", "gc"} {
		src, err := os.ReadFile("testdata/core/" + name + ".lua")
		if err != nil {
			t.Fatal(err)
		}
		chunk, err := Compile("@"+name+".lua", string(src), CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, chunk)
	}
	outputs := make([]string, 8)
	var wg sync.WaitGroup
	for i := range outputs {
		wg.Go(func() {
			sys, out := testSystem("")
			st, err := New(Options{System: sys, Seed: 1})
			if err != nil {
				t.Error(err)
				return
			}
			defer st.Close()
			for _, c := range chunks {
				if e := st.Run(st.Load(c), nil, RunOptions{}).endOf(); e.Err != nil {
					t.Error(e.Err)
				}
			}
			outputs[i] = out.String()
		})
	}
	wg.Wait()
	for i := range outputs {
		if outputs[i] != outputs[0] {
			t.Errorf("state %d printed something else than state 0", i)
		}
	}
}
