package toolbox

import (
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Policy says what tools may do. The zero value denies everything but pure
// computation.
type Policy struct {
	Disabled bool // [tools] enabled = false

	FileAccess    bool // [runtime.security] allow_file_access and a root in Files
	NetworkAccess bool
	ProcessSpawn  bool

	Files tool.Files // lent to tools when FileAccess is set
}

// files returns what tools may open, nil for nothing.
func (p Policy) files() tool.Files {
	if !p.FileAccess {
		return nil
	}
	return p.Files
}

// check returns fault.PolicyDenied, with the key to change as hint, if a tool
// behind the given gate may not run.
func (p Policy) check(name, behind string) error {
	if p.Disabled {
		return denied(name, "tools are switched off", "[tools] enabled = true")
	}
	switch behind {
	case "", "env":
		return nil
	case "file":
		if p.files() == nil {
			return denied(name, "file access is not allowed",
				"[runtime.security] allow_file_access = true and list directories in [tools.file_operations] allowed_paths")
		}
		return nil
	case "net":
		if !p.NetworkAccess {
			return denied(name, "network access is not allowed", "[runtime.security] allow_network_access = true")
		}
		return nil
	case "process":
		if !p.ProcessSpawn {
			return denied(name, "starting processes is not allowed",
				"[runtime.security] allow_process_spawn = true and [tools.system] allow_process_execution = true")
		}
		return nil
	}
	return fault.Errorf(fault.ComponentDisabled, "tool %s: [tools.%s] is not configured", name, behind)
}

func denied(name, why, key string) error {
	return fault.Errorf(fault.PolicyDenied, "tool %s: %s", name, why).WithHint("set %s", key)
}

// reserved are the names of the tool contract that this version does not have,
// with their gates. A call is refused by policy first, so that a script learns
// of a closed gate before it learns that the tool has yet to come.
var reserved = map[string]string{
	"data-validator": "", "diff-calculator": "", "template-creator": "", "csv-analyzer": "",
	"http-requester": "net", "web-scraper": "net", "webhook-caller": "net", "process-executor": "process",
	"environment-reader": "env", "file-search": "file", "url-analyzer": "", "web-searcher": "net",
	"graphql-query": "net", "api-tester": "net", "webpage-monitor": "net", "sitemap-crawler": "net",
	"service-checker": "net", "pdf-processor": "file", "graph-builder": "", "citation-formatter": "",
	"archive-handler": "file", "file-converter": "file", "file-watcher": "file", "system-monitor": "",
	"image-processor": "file", "audio-processor": "file", "video-processor": "file",
	"email-sender": "email", "database-connector": "database",
}
