package state

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/store"
)

const maxName = 256 // bytes of a key or scope id

// ParseScope reads a scope as scripts write it: global; kind:id with one of the
// kinds user session agent tool workflow hook custom; custom, agent, tool or
// workflow alone, with an empty id; session alone, the session of the run. Any
// other word is the id of a custom scope. Scopes of another session or user are
// fault.Forbidden.
func ParseScope(s string, run *gate.Run) (store.Scope, error) {
	if s == "global" {
		return store.Scope{Kind: s}, nil
	}
	kind, id, hasID := strings.Cut(s, ":")
	switch kind {
	case "session":
		return sessionScope(id, hasID, run)
	case "custom", "agent", "tool", "workflow":
		if !hasID {
			return store.Scope{Kind: kind}, nil
		}
	case "user", "hook":
		if !hasID { // a word like any other
			return store.Scope{Kind: "custom", ID: s}, nil
		}
	default:
		kind, id = "custom", s
	}
	if err := checkName("scope id", id); err != nil {
		return store.Scope{}, err
	}
	if kind == "user" && id != run.Tenant {
		// A credential names no user but its tenant.
		return store.Scope{}, fault.Errorf(fault.Forbidden, "state: scope %q belongs to another user", s).
			WithHint("use custom:%s for data that the tenant shares", id)
	}
	return store.Scope{Kind: kind, ID: id}, nil
}

func sessionScope(id string, hasID bool, run *gate.Run) (store.Scope, error) {
	switch {
	case hasID && id == "":
		return store.Scope{}, checkName("scope id", id)
	case hasID && id != run.SessionID:
		return store.Scope{}, fault.Errorf(fault.Forbidden, "state: scope session:%s belongs to another session", id)
	case run.SessionID == "":
		return store.Scope{}, fault.Errorf(fault.InvalidArgument, `state: scope "session": this execution has no session`).
			WithHint(`use "global" or a custom scope, or execute in a session`)
	}
	return store.Scope{Kind: "session", ID: run.SessionID}, nil
}

func checkKey(key string) error { return checkName("key", key) }

func checkName(what, s string) error {
	switch {
	case s == "" || len(s) > maxName:
		return fault.Errorf(fault.InvalidArgument, "state: the %s has %d bytes, 1 to %d are allowed", what, len(s), maxName)
	case !utf8.ValidString(s):
		return fault.Errorf(fault.InvalidArgument, "state: the %s is not UTF-8", what)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fault.Errorf(fault.InvalidArgument, "state: the %s %q holds a control character", what, s)
	}
	return nil
}
