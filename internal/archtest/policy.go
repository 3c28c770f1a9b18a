// Package archtest states who may import whom, as a test. Every package of the
// module has a rule; a new package fails until it gets one.
package archtest

import "slices"

// rule is what a package may import besides the standard library.
type rule struct {
	pkg string // path below the module, "" = the root package
	why string

	// internal are packages of this module: a path, or a path ending in /* for
	// everything below it.
	internal []string
	// external are module paths of dependencies.
	external []string
}

var engines = []string{"internal/gate", "internal/canon", "fault", "llm", "tool", "store", "script"}

// rules, leaves first.
var rules = []rule{
	{pkg: "lua", why: "a library of its own: it could be published alone", internal: []string{"lua/internal/*"}},
	{pkg: "lua/internal/*", why: "generators of package lua", internal: []string{"lua/internal/*"}},
	{pkg: "fault", why: "the error vocabulary everybody may use"},
	{pkg: "internal/buildinfo", why: "leaf"},
	{pkg: "internal/logfile", why: "leaf"},
	{pkg: "internal/logging", why: "leaf"},
	{pkg: "internal/canon", why: "one canonical encoding of script values", internal: []string{"fault", "script"}},
	{pkg: "internal/schema", why: "JSON Schemas from outside, compiled safely", internal: []string{"fault"}, external: []string{"github.com/google/jsonschema-go"}},
	{pkg: "internal/jsonq", why: "jq and JSON Schema for JSON and json-processor", internal: []string{"fault", "script", "internal/schema"}, external: []string{"github.com/itchyny/gojq"}},
	{pkg: "script", why: "contract", internal: []string{"fault"}},
	{pkg: "llm", why: "contract", internal: []string{"fault"}},
	{pkg: "tool", why: "contract; a tool is shown to models", internal: []string{"fault", "llm", "internal/schema"}, external: []string{"github.com/google/jsonschema-go"}},
	{pkg: "store", why: "contract", internal: []string{"fault"}},
	{pkg: "config", why: "reads the environment once", internal: []string{"fault"},
		external: []string{"github.com/pelletier/go-toml/v2", "github.com/google/jsonschema-go", "golang.org/x/sys"}},

	{pkg: "llm/internal/*", why: "what the adapters share", internal: []string{"fault", "llm", "llm/internal/*"}},
	{pkg: "llm/openai", why: "adapter", internal: []string{"fault", "llm", "llm/internal/*"}, external: []string{"github.com/openai/openai-go/v3"}},
	{pkg: "llm/anthropic", why: "adapter", internal: []string{"fault", "llm", "llm/internal/*"}, external: []string{"github.com/anthropics/anthropic-sdk-go"}},
	{pkg: "llm/replay", why: "adapter", internal: []string{"fault", "llm"}},
	{pkg: "llm/llmtest", why: "conformance suite", internal: []string{"fault", "llm"}},
	{pkg: "tool/data", why: "adapter", internal: []string{"fault", "llm", "script", "tool", "internal/canon", "internal/jsonq"}},
	{pkg: "tool/text", why: "adapter", internal: []string{"fault", "llm", "tool"}, external: []string{"golang.org/x/crypto"}},
	{pkg: "tool/system", why: "adapter", internal: []string{"fault", "llm", "tool"}, external: []string{"github.com/google/uuid", "github.com/itchyny/timefmt-go"}},
	{pkg: "tool/file", why: "adapter", internal: []string{"fault", "llm", "tool"}, external: []string{"golang.org/x/sys"}},
	{pkg: "tool/tooltest", why: "conformance suite", internal: []string{"fault", "tool"}, external: []string{"github.com/google/jsonschema-go", "github.com/google/go-cmp"}},
	{pkg: "store/sqlite", why: "adapter", internal: []string{"fault", "store"}, external: []string{"modernc.org/sqlite", "golang.org/x/sys"}},
	{pkg: "store/memstore", why: "adapter", internal: []string{"fault", "store"}},
	{pkg: "store/storetest", why: "conformance suite", internal: []string{"fault", "store"}, external: []string{"github.com/google/go-cmp"}},

	{pkg: "internal/gate", why: "takes interceptors as values and imports none of them", internal: []string{"fault"}},
	{pkg: "internal/journal", why: "an interceptor", internal: []string{"internal/gate", "fault"}},
	{pkg: "internal/provider", why: "engine", internal: engines, external: []string{"golang.org/x/time"}},
	{pkg: "internal/toolbox", why: "engine", internal: engines},
	{pkg: "internal/state", why: "engine", internal: engines},
	{pkg: "internal/agent", why: "engine over models and tools", internal: slices.Concat(engines, []string{"internal/provider", "internal/toolbox", "internal/schema"}), external: []string{"github.com/google/jsonschema-go"}},
	{pkg: "internal/session", why: "queues and execution slots", internal: engines},

	{pkg: "internal/bind", why: "joins rows and the VM", internal: []string{"lua", "script", "fault", "internal/gate"}},
	{pkg: "internal/luamod", why: "rows over the engines",
		internal: []string{"internal/*", "lua", "script", "fault", "llm", "tool", "store"},
		external: []string{"github.com/itchyny/gojq", "github.com/google/jsonschema-go"}},
	{pkg: "internal/interp", why: "one interpreter", internal: []string{"internal/bind", "internal/gate", "lua", "script", "fault", "tool"}},
	{pkg: "", why: "the library links no provider and no database",
		internal: []string{"config", "fault", "llm", "lua", "script", "store", "tool", "internal/agent", "internal/bind", "internal/buildinfo", "internal/canon", "internal/gate",
			"internal/interp", "internal/journal", "internal/luamod", "internal/provider", "internal/session", "internal/state", "internal/toolbox"},
		external: []string{"golang.org/x/sys", "github.com/google/uuid"}},

	{pkg: "standard", why: "everything in the box",
		internal: []string{"", "config", "fault", "llm", "llm/*", "script", "store", "store/*", "tool", "tool/*", "internal/logfile", "internal/logging"}},
	{pkg: "internal/registry", why: "locks and records of running kernels", internal: []string{"fault"}},
	{pkg: "server", why: "the kernel as a service",
		internal: []string{"", "config", "fault", "llm", "tool", "internal/buildinfo", "internal/canon", "internal/registry"},
		external: []string{"github.com/prometheus/client_golang", "github.com/google/jsonschema-go", "golang.org/x/time"}},
	{pkg: "client", why: "a client needs nothing of the server"},
	{pkg: "internal/service", why: "service files as data; runs nothing by itself", internal: []string{"fault", "internal/registry"}},
	{pkg: "internal/daemon", why: "process, signals", external: []string{"golang.org/x/sys"}},
	{pkg: "internal/cli", why: "the command: a caller of the library",
		internal: []string{"", "client", "config", "fault", "lua", "llm/replay", "server", "standard", "internal/buildinfo", "internal/canon", "internal/daemon", "internal/logfile", "internal/logging", "internal/registry", "internal/service"},
		external: []string{"github.com/spf13/cobra", "github.com/reeflective/readline", "golang.org/x/term", "golang.org/x/sys"}},
	{pkg: "cmd/llmspell", why: "a thin caller", internal: []string{"internal/cli"}},
	{pkg: "internal/archtest", why: "this policy"},
	{pkg: "internal/docgen", why: "writes the generated pages",
		internal: []string{"", "config", "internal/*", "server", "standard"}, external: []string{"github.com/spf13/cobra"}},

	{pkg: "examples/*", why: "what an embedder writes", internal: []string{"", "config", "fault", "llm", "llm/*", "script", "server", "standard", "tool"}},
	{pkg: "bench", why: "measures the built program", internal: []string{"*"}, external: []string{"*"}},
	{pkg: "bench/*", why: "measures the built program", internal: []string{"*"}, external: []string{"*"}},
	{pkg: "test/*", why: "end to end", internal: []string{"*"}, external: []string{"*"}},
}

// testOnly are dependencies that tests of any package may use, besides the
// conformance suites and fakes of this module.
var testOnly = []string{
	"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "go.uber.org/goleak", "pgregory.net/rapid", "golang.org/x/sys",
}
