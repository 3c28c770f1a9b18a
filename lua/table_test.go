package lua

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTableModel compares random operations with a Go map.
func TestTableModel(t *testing.T) {
	t.Parallel()
	keyKinds := map[string]func(r *rand.Rand) Value{
		"dense ints":  func(r *rand.Rand) Value { return Integer(r.Int64N(40) + 1) },
		"sparse ints": func(r *rand.Rand) Value { return Integer(r.Int64N(1<<40) - 1<<39) },
		"small ints":  func(r *rand.Rand) Value { return Integer(r.Int64N(300) - 20) },
		"strings":     func(r *rand.Rand) Value { return makeString(fmt.Sprint("key", r.IntN(200))) },
		"floats":      func(r *rand.Rand) Value { return Float(float64(r.IntN(50)) / 2) },
		"mixed": func(r *rand.Rand) Value {
			switch r.IntN(4) {
			case 0:
				return Boolean(r.IntN(2) == 0)
			case 1:
				return Float(float64(r.IntN(20)) + 0.5)
			case 2:
				return makeString(fmt.Sprint(r.IntN(50)))
			}
			return Integer(r.Int64N(50))
		},
	}
	for name, key := range keyKinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(30) {
				modelRun(t, rand.New(rand.NewPCG(seed, 1)), key)
			}
		})
	}
}

// modelKey makes keys that are equal in Lua equal in Go.
func modelKey(k Value) any {
	switch k.Kind() {
	case KindString:
		return k.str()
	case KindFloat:
		if i, ok := floatToInteger(k.rawFloat()); ok {
			return i
		}
		return k.rawFloat()
	case KindInt:
		return k.rawInt()
	}
	return k.Truthy()
}

func modelRun(t *testing.T, r *rand.Rand, key func(*rand.Rand) Value) {
	t.Helper()
	tab, model := newTable(1, r.IntN(5), r.IntN(12)), map[any]int64{}
	for step := range 600 {
		k, err := normKey(key(r))
		if err != nil {
			t.Fatal(err)
		}
		if r.IntN(3) == 0 {
			tab.set(k, Nil)
			delete(model, modelKey(k))
		} else {
			v := r.Int64N(1000)
			tab.set(k, Integer(v))
			model[modelKey(k)] = v
		}
		if got, want := tab.get(k), model[modelKey(k)]; !got.IsNil() && got.rawInt() != want || got.IsNil() && want != 0 {
			if _, ok := model[modelKey(k)]; ok || !got.IsNil() {
				t.Fatalf("step %d: get %v = %v, want %d", step, modelKey(k), got, want)
			}
		}
		checkBorder(t, tab, model)
		if step%20 == 0 {
			checkTraversal(t, tab, model)
		}
	}
}

func checkBorder(t *testing.T, tab *Table, model map[any]int64) {
	t.Helper()
	n := tab.Len()
	if _, ok := model[n]; n > 0 && !ok {
		t.Fatalf("#t = %d, but that element is nil", n)
	}
	if _, ok := model[n+1]; ok {
		t.Fatalf("#t = %d, but the next element exists", n)
	}
}

func checkTraversal(t *testing.T, tab *Table, model map[any]int64) {
	t.Helper()
	seen := map[any]bool{}
	for k, v, ok := tab.Next(Nil); ok; k, v, ok = tab.Next(k) {
		mk := modelKey(k)
		if want, ok := model[mk]; !ok || seen[mk] || v.rawInt() != want {
			t.Fatalf("traversal: %v = %v, want %d (seen %v)", mk, v, want, seen[mk])
		}
		seen[mk] = true
	}
	if len(seen) != len(model) {
		t.Fatalf("traversal found %d of %d", len(seen), len(model))
	}
}

// TestRemoveDuringTraversal removes every visited key.
func TestRemoveDuringTraversal(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		tab, n := newTable(1, 0, 0), r.IntN(60)
		for i := range n {
			k := Integer(int64(i + 1))
			if r.IntN(2) == 0 {
				k = makeString(fmt.Sprint(i))
			}
			tab.set(k, Integer(1))
		}
		visited := 0
		k, _, ok := tab.Next(Nil)
		for ok {
			visited++
			tab.set(k, Nil)
			k, _, ok = tab.Next(k)
		}
		if visited != n || tab.Len() != 0 {
			t.Fatalf("visited %d of %d, %d left", visited, n, tab.Len())
		}
	}
}

// TestTableOrder: the order depends on the operations only.
func TestTableOrder(t *testing.T) {
	t.Parallel()
	keys := func() []string {
		tab := newTable(1, 0, 0)
		for i := range 200 {
			tab.set(makeString(fmt.Sprint("k", i*7%200)), Integer(1))
		}
		for i := range 100 {
			tab.set(makeString(fmt.Sprint("k", i*2)), Nil)
		}
		for i := range 50 {
			tab.set(makeString(fmt.Sprint("n", i)), Integer(1))
		}
		var got []string
		for k, _, ok := tab.Next(Nil); ok; k, _, ok = tab.Next(k) {
			got = append(got, k.str())
		}
		return got
	}
	a := keys()
	if !slices.Equal(a, keys()) || a[0] != "k7" || a[len(a)-1] != "n49" {
		t.Errorf("order: %v", a)
	}
}

func TestNormKey(t *testing.T) {
	t.Parallel()
	if _, err := normKey(Nil); err == nil {
		t.Error("nil is a key")
	}
	if _, err := normKey(Float(nan())); err == nil {
		t.Error("NaN is a key")
	}
	if k, _ := normKey(Float(3)); !k.isInt() {
		t.Error("3.0 stays a float")
	}
}

func nan() float64 { z := 0.0; return z / z }

func TestLongKeysUseTheirWholeContent(t *testing.T) {
	t.Parallel()
	long := func(i int) Value {
		b := make([]byte, 200)
		for j := range b {
			b[j] = 'x'
		}
		copy(b[100:], fmt.Sprintf("%06d", i)) // outside of the sampled ends
		return makeString(string(b))
	}
	if long(1).n != long(2).n {
		t.Fatal("the sampled hash covers the middle: the test shows nothing")
	}
	tab := newTable(1, 0, 0)
	for i := range 5000 {
		tab.set(long(i), Integer(int64(i)))
	}
	for i := range 5000 {
		if v := tab.get(long(i)); v.rawInt() != int64(i) {
			t.Fatalf("%d: %v", i, v)
		}
	}
}
