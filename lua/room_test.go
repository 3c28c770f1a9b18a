package lua

import "testing"

func TestRoom(t *testing.T) {
	t.Parallel()
	st, err := New(Options{MemoryLimit: 2 << 20, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 15 {
		st.NewString(string(make([]byte, 100<<10))) // garbage
	}
	if !st.Room(1 << 20) {
		t.Error("garbage takes room")
	}
	keep := st.Ref(st.NewString(string(make([]byte, 1500<<10))))
	if st.Room(1<<20) || !st.Room(100<<10) {
		t.Error("what lives takes no room")
	}
	st.Release(keep)
	if !st.Room(1 << 20) {
		t.Error("released values take room")
	}
}
