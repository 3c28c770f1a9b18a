// Package text holds tools on texts and bytes: text-manipulator, base64-encoder
// and hash-calculator.
package text

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Manipulator is the text-manipulator tool.
type Manipulator struct{}

// NewManipulator returns the text-manipulator tool.
func NewManipulator() *Manipulator { return &Manipulator{} }

const maxOutput = 16 << 20 // bytes

func (*Manipulator) Spec() tool.Spec {
	return tool.Spec{
		Name: "text-manipulator", Version: "1.0.0", Category: "utility", Effect: tool.Read, ParallelSafe: true,
		Description: "Changes a text: case, trimming, replacing, splitting, joining, cutting, wrapping, counting.",
		Tags:        []string{"string", "text", "format"},
		Params: []tool.Param{
			{Name: "input", Required: true, Description: "the text; of join an array of texts, or a text whose lines are joined"},
			{Name: "operation", Type: "string", Required: true, Enum: slices.Sorted(maps.Keys(operations)), Description: "what to do"},
			{Name: "options", Type: "object", Default: map[string]any{}, Description: "options of the operation", Fields: []tool.Param{
				{Name: "from", Type: "string", Description: "replace: the text to find; regex_replace: the pattern (RE2)"},
				{Name: "to", Type: "string", Description: "replace, regex_replace: what to put; $1 is the first group of a pattern"},
				{Name: "start", Type: "integer", Description: "substring: first character, from 0; negative counts from the end"},
				{Name: "end", Type: "integer", Description: "substring: character after the last; negative counts from the end"},
				{Name: "delimiter", Type: "string", Description: "split (without: white space), join (default a space)"},
				{Name: "limit", Type: "integer", Description: "replace: how many, split: how many parts; default all"},
				{Name: "characters", Type: "string", Description: "trim: characters to remove instead of white space"},
				{Name: "max_length", Type: "integer", Description: "truncate: characters with the suffix, default 100"},
				{Name: "suffix", Type: "string", Description: "truncate: what marks the cut, default ..."},
				{Name: "width", Type: "integer", Description: "word_wrap: characters a line, default 80; indent: spaces, default 4"},
				{Name: "prefix", Type: "string", Description: "indent: text to put before each line instead of spaces"},
			}},
			{Name: "count_type", Type: "string", Enum: []string{"chars", "words", "lines", "bytes"}, Default: "chars", Description: "what count counts"},
		},
	}
}

// request is a call as the operations see it.
type request struct {
	text    string
	list    []string // input given as an array
	options options
	count   string
}

type options map[string]any

func (o options) text(name, missing string) string {
	if s, ok := o[name].(string); ok {
		return s
	}
	return missing
}

func (o options) integer(name string, missing int64) int64 {
	if n, ok := o[name].(int64); ok {
		return n
	}
	return missing
}

// operation is one row of the table: what it does and which options it takes.
type operation struct {
	options []string
	do      func(r request) (any, error)
}

var operations = map[string]operation{
	"uppercase":            {nil, pure(strings.ToUpper)},
	"lowercase":            {nil, pure(strings.ToLower)},
	"reverse":              {nil, pure(reverse)},
	"trim":                 {[]string{"characters"}, trim},
	"replace":              {[]string{"from", "to", "limit"}, replace},
	"regex_replace":        {[]string{"from", "to"}, regexReplace},
	"substring":            {[]string{"start", "end"}, substring},
	"split":                {[]string{"delimiter", "limit"}, split},
	"join":                 {[]string{"delimiter"}, join},
	"snake_case":           {nil, pure(func(s string) string { return strings.Join(mapWords(s, strings.ToLower), "_") })},
	"kebab_case":           {nil, pure(func(s string) string { return strings.Join(mapWords(s, strings.ToLower), "-") })},
	"pascal_case":          {nil, pure(func(s string) string { return strings.Join(mapWords(s, capital), "") })},
	"camel_case":           {nil, pure(camel)},
	"title_case":           {nil, pure(title)},
	"sanitize":             {nil, pure(sanitize)},
	"truncate":             {[]string{"max_length", "suffix"}, truncate},
	"indent":               {[]string{"width", "prefix"}, indent},
	"dedent":               {nil, pure(dedent)},
	"normalize_whitespace": {nil, pure(func(s string) string { return strings.Join(strings.Fields(s), " ") })},
	"word_wrap":            {[]string{"width"}, wordWrap},
	"count":                {nil, count},
}

func pure(fn func(string) string) func(request) (any, error) {
	return func(r request) (any, error) { return fn(r.text), nil }
}

func (*Manipulator) Execute(_ context.Context, p map[string]any) (tool.Result, error) {
	name := p["operation"].(string)
	op := operations[name]
	r := request{options: p["options"].(map[string]any), count: p["count_type"].(string)}
	for _, o := range slices.Sorted(maps.Keys(r.options)) {
		if !slices.Contains(op.options, o) {
			return tool.Result{}, invalid("options."+o, "%s takes no option %q", name, o)
		}
	}
	if err := r.read(name, p["input"]); err != nil {
		return tool.Result{}, err
	}
	v, err := op.do(r)
	if err != nil {
		return tool.Result{}, err
	}
	length := 0
	switch t := v.(type) {
	case string:
		if len(t) > maxOutput {
			return tool.Result{}, tooLarge()
		}
		length = utf8.RuneCountInString(t)
	case []any:
		length = len(t)
	}
	data := map[string]any{"result": v, "operation": name, "original_length": int64(utf8.RuneCountInString(r.text))}
	if name != "count" {
		data["result_length"] = int64(length)
	}
	return tool.OK(name, "result", data), nil
}

// read takes the input: a text, or for join an array of texts.
func (r *request) read(op string, input any) error {
	switch t := input.(type) {
	case string:
		r.text = t
		r.list = lines(t)
		return nil
	case []any:
		if op != "join" {
			break
		}
		for i, e := range t {
			s, ok := e.(string)
			if !ok {
				return invalid("input", "input: element %d is no string", i+1)
			}
			r.list = append(r.list, s)
		}
		r.text = strings.Join(r.list, "")
		return nil
	}
	return invalid("input", "input: expected a string")
}

func invalid(field, format string, args ...any) error {
	return fault.Errorf(fault.InvalidArgument, "text-manipulator: "+format, args...).WithDetail("field", field)
}

func tooLarge() error {
	return fault.Errorf(fault.TooLarge, "text-manipulator: the result is larger than %d bytes", maxOutput)
}
