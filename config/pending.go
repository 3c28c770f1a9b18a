package config

// pending lists what has not landed in this version. A rule with no Values covers
// every key that matches Path (a final ** covers a whole table) and refuses any
// value other than the default; a rule with Values refuses only those.
var pending = []struct {
	Path   string
	Values []string
}{
	{"kernel.jupyter_shutdown", nil},
	{"storage.backend", []string{"postgres"}},
	{"storage.retention.**", nil},
	{"runtime.sessions.durable", nil},
	{"runtime.sessions.keep_for_replay", nil},
	{"runtime.sessions.max_artifacts_per_session", nil},
	{"runtime.sessions.artifact_compression_threshold", nil},
	{"engines.lua.stdlib", []string{"All"}},
	{"memory.**", nil},
	{"rag.**", nil},
	{"tools.rate_limit_per_minute", nil},
	{"tools.http_request.**", nil},
	{"tools.web_search.**", nil},
	{"tools.system.allow_process_execution", nil},
	{"tools.system.allowed_commands", nil},
	{"tools.system.command_timeout_seconds", nil},
	{"tools.system.max_output_size", nil},
	{"tools.database", nil},
	{"tools.email", nil},
	{"tools.media", nil},
	{"tools.mcp", nil},
	{"budget.**", nil},
	{"hooks.**", nil},
	{"events.**", nil},
	{"telemetry.**", nil},
	{"backup.**", nil},
}
