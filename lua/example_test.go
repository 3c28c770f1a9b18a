package lua_test

import (
	"fmt"

	"github.com/llmspell/llmspell/lua"
)

func Example() {
	st, err := lua.New(lua.Options{MemoryLimit: 50 << 20})
	if err != nil {
		panic(err)
	}
	defer st.Close()
	chunk, err := lua.Compile("=hello", `return "hello, " .. ...`, lua.CompileOptions{})
	if err != nil {
		panic(err)
	}
	out := st.Run(st.Load(chunk), []lua.Value{st.NewString("world")}, lua.RunOptions{})
	fmt.Println(st.ToStringRaw(out.Main().Values[0]))
	// Output: hello, world
}

// A host function that has to wait suspends its fiber; no goroutine is held.
func ExampleState_Resume() {
	ask := lua.NewFunction("ask", func(c *lua.Call) lua.Status {
		question, ok := c.CheckString(0)
		if !ok {
			return c.Failed()
		}
		return c.Suspend([]byte(question))
	})
	st, _ := lua.New(lua.Options{})
	defer st.Close()
	_ = st.RawSet(st.Globals(), st.NewString("ask"), ask.Value())
	chunk, _ := lua.Compile("=quiz", `local ok, a = pcall(ask, "6 * 7?") return a + 0`, lua.CompileOptions{})

	out := st.Run(st.Load(chunk), nil, lua.RunOptions{})
	for out.Main() == nil {
		wait := out.Suspended[0]
		fmt.Printf("%s\n", wait.Token)
		out = st.Resume(wait.Fiber, []lua.Value{lua.Integer(42)})
	}
	fmt.Println(st.ToStringRaw(out.Main().Values[0]))
	// Output:
	// 6 * 7?
	// 42
}
