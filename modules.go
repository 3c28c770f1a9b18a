package llmspell

import (
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/luamod"
	"github.com/llmspell/llmspell/script"
)

// newLibrary compiles the globals of the kernel's scripts, once for all
// interpreters.
func newLibrary(k *Kernel, further []script.Module) (*bind.Library, error) {
	i := k.infra
	agents := agent.New(agent.Params{Models: i.providers.engine, Tools: i.tools.box})
	modules := []bind.Module{
		luamod.JSON(), luamod.Debug(), luamod.Logger(), luamod.Run(),
		luamod.Config(func() luamod.ConfigSource { return k.Config() }),
		{Module: luamod.State(i.state.engine)},
		{Module: luamod.Tool(i.tools.box)},
		{Module: luamod.Provider(i.providers.engine)},
		{Module: luamod.Agent(luamod.AgentParams{Agents: agents, Providers: i.providers.engine, State: i.state.engine})},
	}
	for _, m := range further {
		modules = append(modules, bind.Module{Module: m})
	}
	return bind.NewLibrary(modules...)
}
