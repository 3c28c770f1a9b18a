package lua

import (
	"math"
	"math/rand/v2"
	"testing"
)

// arrayValue is a random value; objects and nils are rare.
func arrayValue(r *rand.Rand, objects bool) Value {
	switch n := r.IntN(40); {
	case n < 12:
		return Integer(r.Int64() - r.Int64())
	case n < 22:
		return Float(r.NormFloat64())
	case n < 24:
		return Float(math.Copysign(0, -1))
	case n < 26:
		return Float(math.NaN())
	case n < 34:
		return Boolean(n%2 == 0)
	case n < 37:
		return Nil
	}
	if objects {
		return makeString("object")
	}
	return Boolean(true)
}

// identical compares words, so that NaN equals itself and 0.0 differs from -0.0.
func identical(a, b Value) bool {
	return a.Kind() == b.Kind() && a.n == b.n
}

// TestArrayModes compares random stores with a plain map, before and after the
// first object, and checks length, capacity, mode and charges.
func TestArrayModes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		tab, model := newTable(1, r.IntN(20), 0), map[int64]Value{}
		wasBoxed := false
		for step := range 400 {
			k, v := 1+r.Int64N(max(1, tab.Len()+3)), arrayValue(r, step > 200)
			before, entries := tab.arrayCharge(), len(tab.ents)
			grown := tab.growth(Integer(k), v)
			tab.set(Integer(k), v)
			if model[k] = v; v.IsNil() {
				delete(model, k)
			}
			if more := tab.arrayCharge() - before; entries < 2 && more > grown {
				t.Fatalf("seed %d: the array grew by %d, %d were asked for", seed, more, grown)
			}
			boxed := tab.amode == arrayBoxed
			if wasBoxed && !boxed {
				t.Fatalf("seed %d: a boxed array became plain", seed)
			}
			wasBoxed = boxed
			if !boxed && tab.arrayValues() != nil || boxed && len(tab.arrayValues()) != tab.arrayLen() {
				t.Fatalf("seed %d: arrayValues does not fit the mode", seed)
			}
			checkArray(t, tab, model)
		}
		if !wasBoxed {
			t.Errorf("seed %d: never boxed", seed)
		}
	}
}

func checkArray(t *testing.T, tab *Table, model map[int64]Value) {
	t.Helper()
	if tab.arrayLen() > tab.arrayCap() {
		t.Fatalf("length %d, capacity %d", tab.arrayLen(), tab.arrayCap())
	}
	if n := tab.arrayLen(); n > 0 && tab.arrayAt(n-1).IsNil() {
		t.Fatal("the last element is nil")
	}
	for k, want := range model {
		if got := tab.get(Integer(k)); !identical(got, want) {
			t.Fatalf("t[%d] = %v, want %v", k, got, want)
		}
	}
	n := 0
	for k, v, ok := tab.Next(Nil); ok; k, v, ok = tab.Next(k) {
		if n++; !identical(model[k.rawInt()], v) {
			t.Fatalf("next: t[%d] = %v", k.rawInt(), v)
		}
	}
	if n != len(model) {
		t.Fatalf("next found %d of %d", n, len(model))
	}
}

// TestRestoreArray: a table filled through the accessors is as the original.
func TestRestoreArray(t *testing.T) {
	t.Parallel()
	for _, objects := range []bool{false, true} {
		r := rand.New(rand.NewPCG(5, 5))
		a := newTable(1, 0, 0)
		for a.Len() < 100 {
			if v := arrayValue(r, objects); !v.IsNil() {
				a.set(Integer(a.Len()+1), v)
			}
		}
		a.set(Integer(50), Nil)
		b := newTable(2, 0, 0)
		b.restoreArray(a.amode, a.arrayCap(), a.arrayLen())
		for i := range a.arrayLen() {
			b.setArrayAt(i, a.arrayAt(i))
		}
		if b.amode != a.amode || b.arrayCharge() != a.arrayCharge() || b.arrayLen() != 100 {
			t.Errorf("restored: mode %d, charge %d, length %d", b.amode, b.arrayCharge(), b.arrayLen())
		}
		for i := range 100 {
			if !identical(a.arrayAt(i), b.arrayAt(i)) {
				t.Errorf("element %d differs", i)
			}
		}
	}
}

// TestReservedArray: the capacity of a constructor is used by whatever comes
// first and costs no further charge.
func TestReservedArray(t *testing.T) {
	t.Parallel()
	for _, v := range []Value{Integer(1), makeString("x")} {
		tab := newTable(1, 10, 0)
		for i := range int64(10) {
			if n := tab.growth(Integer(i+1), v); n != 0 {
				t.Errorf("element %d of 10 reserved costs %d", i, n)
			}
			tab.set(Integer(i+1), v)
		}
		if tab.arrayCap() != 10 || tab.arrayLen() != 10 {
			t.Errorf("capacity %d, length %d", tab.arrayCap(), tab.arrayLen())
		}
	}
}
