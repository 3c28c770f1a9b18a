// Package system holds tools on time and identity: datetime-handler and
// uuid-generator. Clock and randomness come from the run's tool.Env.
package system

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// UUID is the uuid-generator tool.
type UUID struct{}

// NewUUID returns the uuid-generator tool.
func NewUUID() *UUID { return &UUID{} }

func (*UUID) Spec() tool.Spec {
	return tool.Spec{
		Name: "uuid-generator", Version: "1.0.0", Category: "utility", Effect: tool.Read, ParallelSafe: true,
		Description: "Makes and checks UUIDs (v1, v4, v5, v7, nil) and ids with prefix and suffix.",
		Tags:        []string{"uuid", "id", "random"},
		Params: []tool.Param{
			{Name: "operation", Type: "string", Enum: []string{"generate", "component_id", "deterministic", "custom", "validate"}, Default: "generate",
				Description: "generate: a UUID; component_id: prefix and UUID; deterministic: the v5 UUID of name; custom: prefix, UUID, suffix; validate: is it one"},
			{Name: "version", Type: "string", Enum: []string{"v4", "v1", "v5", "v7", "nil"}, Description: "default v4; v5 of deterministic"},
			{Name: "format", Type: "string", Enum: []string{"hyphenated", "standard", "simple", "urn", "braced"}, Default: "hyphenated", Description: "how it is written; standard is hyphenated"},
			{Name: "namespace", Type: "string", Description: "v5: dns, url, oid, x500, a UUID, or any other text; default url"},
			{Name: "name", Type: "string", Description: "v5: the name"},
			{Name: "prefix", Type: "string", Description: "component_id (default component), custom"},
			{Name: "suffix", Type: "string", Description: "component_id, custom"},
			{Name: "short", Type: "boolean", Default: false, Description: "component_id, custom: 8 hexadecimal digits in place of the UUID"},
			{Name: "timestamp", Type: "boolean", Default: false, Description: "component_id, custom: add the Unix time in ms"},
			{Name: "uuid", Type: "string", Description: "validate: the text to check"},
		},
	}
}

func (*UUID) Execute(ctx context.Context, p map[string]any) (tool.Result, error) {
	op := p["operation"].(string)
	if err := checkUse(op, p); err != nil {
		return tool.Result{}, err
	}
	if op == "validate" {
		return validateUUID(p["uuid"].(string)), nil
	}
	env := tool.EnvOf(ctx)
	version, _ := p["version"].(string)
	if version == "" {
		version = map[bool]string{true: "v5", false: "v4"}[op == "deterministic"]
	}
	id, err := generate(env, version, p)
	if err != nil {
		return tool.Result{}, err
	}
	text, format := formatUUID(id, p["format"].(string)), p["format"].(string)
	if op == "component_id" || op == "custom" {
		return composed(env, op, text, p), nil
	}
	return tool.OK(op, "uuid", map[string]any{"uuid": text, "version": version, "format": format}), nil
}

// checkUse refuses parameters that the operation would ignore.
func checkUse(op string, p map[string]any) error {
	only := map[string]string{"prefix": "component_id custom", "suffix": "component_id custom", "uuid": "validate"}
	for name, ops := range only {
		if _, given := p[name]; given && !strings.Contains(ops, op) {
			return fault.Errorf(fault.InvalidArgument, "uuid-generator: %s takes no %s", op, name).WithDetail("field", name)
		}
	}
	for _, name := range []string{"short", "timestamp"} {
		if p[name] == true && op != "component_id" && op != "custom" {
			return fault.Errorf(fault.InvalidArgument, "uuid-generator: %s takes no %s", op, name).WithDetail("field", name)
		}
	}
	if _, given := p["uuid"]; op == "validate" && !given {
		return fault.Errorf(fault.InvalidArgument, `uuid-generator: validate needs "uuid"`).WithDetail("field", "uuid")
	}
	if v, given := p["version"]; op == "deterministic" && given && v != "v5" {
		return fault.Errorf(fault.InvalidArgument, "uuid-generator: a deterministic UUID has version v5").WithDetail("field", "version")
	}
	return nil
}

func generate(env *tool.Env, version string, p map[string]any) (id uuid.UUID, err error) {
	name, hasName := p["name"].(string)
	namespace, hasNamespace := p["namespace"].(string)
	if version == "v5" {
		if !hasName {
			return id, fault.Errorf(fault.InvalidArgument, `uuid-generator: v5 needs "name"`).WithDetail("field", "name")
		}
		return uuid.NewSHA1(namespaceUUID(namespace), []byte(name)), nil
	}
	if hasName || hasNamespace {
		return id, fault.Errorf(fault.InvalidArgument, "uuid-generator: name and namespace belong to v5").WithDetail("field", "name")
	}
	switch version {
	case "nil":
		return uuid.Nil, nil
	case "v1":
		id = newV1(env)
	case "v7":
		env.Rand(id[:])
		ms := uint64(env.Now().UnixMilli())
		binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))
		binary.BigEndian.PutUint32(id[2:], uint32(ms))
		mark(&id, 7)
	default:
		env.Rand(id[:])
		mark(&id, 4)
	}
	return id, nil
}

// newV1 makes a time-based UUID with a random node, so that it tells nothing of
// the machine.
func newV1(env *tool.Env) (id uuid.UUID) {
	env.Rand(id[:])
	const gregorian = 0x01b21dd213814000 // 100 ns steps from 1582 to 1970
	ticks := uint64(env.Now().UnixNano()/100) + gregorian
	binary.BigEndian.PutUint32(id[0:], uint32(ticks))
	binary.BigEndian.PutUint16(id[4:], uint16(ticks>>32))
	binary.BigEndian.PutUint16(id[6:], uint16(ticks>>48))
	id[10] |= 1 // a multicast address is no real one
	mark(&id, 1)
	return id
}

// mark writes version and variant.
func mark(id *uuid.UUID, version byte) {
	id[6] = id[6]&0x0f | version<<4
	id[8] = id[8]&0x3f | 0x80
}

// namespaceUUID names the four standard spaces; another text is a space of its
// own, derived from it.
func namespaceUUID(s string) uuid.UUID {
	switch strings.ToLower(s) {
	case "dns":
		return uuid.NameSpaceDNS
	case "", "url":
		return uuid.NameSpaceURL
	case "oid":
		return uuid.NameSpaceOID
	case "x500":
		return uuid.NameSpaceX500
	}
	if id, err := uuid.Parse(s); err == nil {
		return id
	}
	return uuid.NewSHA1(uuid.Nil, []byte(s))
}

func formatUUID(id uuid.UUID, format string) string {
	switch format {
	case "simple":
		return strings.ReplaceAll(id.String(), "-", "")
	case "urn":
		return id.URN()
	case "braced":
		return "{" + id.String() + "}"
	}
	return id.String()
}

// composed joins prefix, UUID, time and suffix.
func composed(env *tool.Env, op, text string, p map[string]any) tool.Result {
	prefix, ok := p["prefix"].(string)
	if !ok && op == "component_id" {
		prefix = "component"
	}
	if p["short"] == true {
		text = strings.TrimPrefix(strings.TrimLeft(text, "{"), "urn:uuid:")[:8]
	}
	parts := []string{text}
	if prefix != "" {
		parts = append([]string{prefix}, text)
	}
	if p["timestamp"] == true {
		parts = append(parts, strconv.FormatInt(env.Now().UnixMilli(), 10))
	}
	if suffix, _ := p["suffix"].(string); suffix != "" {
		parts = append(parts, suffix)
	}
	return tool.OK(op, "id", map[string]any{"id": strings.Join(parts, "-"), "prefix": prefix})
}

func validateUUID(s string) tool.Result {
	id, err := uuid.Parse(s)
	data := map[string]any{"valid": err == nil, "uuid": s}
	if err != nil {
		return tool.Verdict("validate", "valid", data).Say("not a UUID")
	}
	data["version"] = "v" + strconv.Itoa(int(id.Version()))
	if id == uuid.Nil {
		data["version"] = "nil"
	}
	data["normalized"] = id.String()
	if v := id.Version(); v == 1 || v == 7 {
		sec, nsec := id.Time().UnixTime()
		data["timestamp"] = time.Unix(sec, nsec).UTC().Format(stampFormat)
	}
	return tool.Verdict("validate", "valid", data)
}
