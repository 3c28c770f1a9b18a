package lua

import "testing"

func TestTemplate(t *testing.T) {
	t.Parallel()
	fields := []Field{{"f", NewFunction("t.f", func(c *Call) Status { return c.Return1(Integer(7)) })}, {"yes", true}, {"name", "n"}, {"float", 1.5}}
	for _, name := range []string{"a", "b", "c", "d", "e", "g", "h", "i"} { // enough for an index
		fields = append(fields, Field{name, int64(1)})
	}
	tpl := NewTemplate(fields)
	for _, freeze := range []bool{false, true} {
		st, err := New(Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		tb := st.TableOf(tpl)
		if freeze {
			st.Freeze(tb, "T")
		}
		if err := st.RawSet(st.Globals(), st.NewString("T"), tb.Value()); err != nil {
			t.Fatal(err)
		}
		chunk, err := Compile("=x", `local n = 0 for k in pairs(T) do n = n + 1 end
			local ok = pcall(function() T.new = 5 T.a = 2 end)
			return T.f() == 7 and T.yes and T.name == "n" and T.float == 1.5 and n == 12, ok, T.new, T.a`, CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out := st.Run(st.Load(chunk), nil, RunOptions{})
		end := out.Main()
		if end.Err != nil {
			t.Fatal(end.Err)
		}
		got := [4]string{}
		for i := range got {
			got[i] = st.ToStringRaw(end.Values[i])
		}
		want := [4]string{"true", "true", "5", "2"}
		if freeze {
			want = [4]string{"true", "false", "nil", "1"}
		}
		if got != want {
			t.Errorf("frozen %v: %v, want %v", freeze, got, want)
		}
		if v := tpl.table.get(internConstant("a")); v != Integer(1) {
			t.Error("the template was changed")
		}
	}
}
