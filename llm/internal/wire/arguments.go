package wire

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Arguments makes the arguments of a tool call from the text a model sent: the
// object itself, {} for nothing, or a JSON string holding text that is no object.
func Arguments(text string) json.RawMessage {
	if strings.TrimSpace(text) == "" {
		return json.RawMessage("{}")
	}
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(text)) == nil && compact.Bytes()[0] == '{' {
		return compact.Bytes()
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage(`""`)
	}
	return quoted
}
