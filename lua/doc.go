// Package lua is a Lua 5.4 virtual machine in pure Go. It knows nothing of
// language models or of the rest of this module and can be imported alone.
//
// A [State] is one interpreter. Its whole execution state (stacks, frames,
// coroutines, pending calls) is heap data, never the Go stack, so a run can be
// metered, interrupted at any instruction and suspended inside a host call
// without holding a goroutine:
//
//	st, err := lua.New(lua.Options{MemoryLimit: 50 << 20})
//	chunk, err := lua.Compile("=hello", `return "hello, " .. ...`, lua.CompileOptions{})
//	out := st.Run(st.Load(chunk), []lua.Value{st.NewString("world")}, lua.RunOptions{})
//	fmt.Println(out.Main().Values[0])
//
// A State is used by one goroutine at a time; only [State.Interrupt] may be
// called from another. Values handed to Go are valid until the next call that
// runs the state; what must live longer is held by a [Ref].
package lua
