package toolbox

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/llmspell/llmspell/internal/canon"
	"github.com/llmspell/llmspell/tool"
)

// text is the text form of a result: the primary value if it is a string,
// number or boolean, else the message, else the result as JSON.
func text(r tool.Result) string {
	if s, ok := scalar(r.PrimaryValue()); ok {
		return s
	}
	if r.Message != "" || r.Result == nil {
		return r.Message
	}
	raw, err := canon.Encode(r.Result)
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	return string(raw)
}

func scalar(v any) (string, bool) {
	switch t := v.(type) {
	case string:
		return t, true
	case bool:
		return strconv.FormatBool(t), true
	case int64:
		return strconv.FormatInt(t, 10), true
	case float64:
		return luaFloat(t), true
	}
	return "", false
}

// luaFloat writes a float as Lua prints it.
func luaFloat(f float64) string {
	s := fmt.Sprintf("%.14g", f)
	if !strings.ContainsAny(s, ".enN") { // inf and nan have no fraction
		s += ".0"
	}
	return s
}

const (
	briefText = 200
	briefList = 20
)

// brief shortens arguments for events: big texts and lists are cut.
func brief(v any, depth int) any {
	switch t := v.(type) {
	case string:
		return cut(t)
	case []any:
		if depth > 3 {
			return fmt.Sprintf("[%d values]", len(t))
		}
		out := make([]any, 0, min(len(t), briefList)+1)
		for i, e := range t {
			if i == briefList {
				out = append(out, fmt.Sprintf("... %d more", len(t)-i))
				break
			}
			out = append(out, brief(e, depth+1))
		}
		return out
	case map[string]any:
		if depth > 3 {
			return fmt.Sprintf("{%d values}", len(t))
		}
		out := make(map[string]any, len(t))
		for _, k := range slices.Sorted(maps.Keys(t))[:min(len(t), 4*briefList)] {
			out[cut(k)] = brief(t[k], depth+1)
		}
		return out
	}
	return v
}

func cut(s string) string {
	if len(s) <= briefText {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return fmt.Sprintf("%s... (%d bytes)", strings.ToValidUTF8(s[:briefText], ""), len(s))
}
