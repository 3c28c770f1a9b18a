package text

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Base64 is the base64-encoder tool.
type Base64 struct{}

// NewBase64 returns the base64-encoder tool.
func NewBase64() *Base64 { return &Base64{} }

func (*Base64) Spec() tool.Spec {
	return tool.Spec{
		Name: "base64-encoder", Version: "1.0.0", Category: "utility", Effect: tool.Once, ParallelSafe: true,
		Description: "Encodes text or bytes as base64 and decodes them, from and to parameters or files.",
		Tags:        []string{"base64", "encoding"},
		Params: []tool.Param{
			{Name: "operation", Type: "string", Required: true, Enum: []string{"encode", "decode"}, Description: "what to do"},
			{Name: "input", Type: "string", Description: "what to encode or decode"},
			{Name: "input_file", Type: "string", Description: "file to read instead of input"},
			{Name: "output_file", Type: "string", Description: "file to write the output to as well"},
			{Name: "variant", Type: "string", Enum: []string{"standard", "url-safe"}, Default: "standard", Description: "alphabet; decoding takes it with and without padding"},
			{Name: "binary_input", Type: "boolean", Default: false, Description: "encode: input holds the bytes as hexadecimal digits"},
		},
	}
}

func (*Base64) Execute(ctx context.Context, p map[string]any) (tool.Result, error) {
	op, variant := p["operation"].(string), p["variant"].(string)
	data, err := source(ctx, "base64-encoder", p, "input_file")
	if err != nil {
		return tool.Result{}, err
	}
	if p["binary_input"].(bool) {
		if op == "decode" {
			return tool.Result{}, fault.Errorf(fault.InvalidArgument, "base64-encoder: decode takes no binary_input").WithDetail("field", "binary_input")
		}
		if data, err = hex.DecodeString(string(data)); err != nil {
			return tool.Result{}, fault.Errorf(fault.ToolFailed, "base64-encoder: input is not hexadecimal: %w", err)
		}
	}
	encoding, member := base64.StdEncoding, "encoded"
	if variant == "url-safe" {
		encoding = base64.URLEncoding
	}
	out, bytes := "", data
	if op == "encode" {
		out = encoding.EncodeToString(data)
	} else {
		member = "decoded"
		if bytes, err = decode(encoding, string(data)); err != nil {
			return tool.Result{}, err
		}
		out = string(bytes)
	}
	result := map[string]any{"output": out, member: out, "variant": variant, "binary": !utf8.Valid(bytes)}
	if path, ok := p["output_file"].(string); ok {
		if err := save(ctx, "base64-encoder", path, []byte(out)); err != nil {
			return tool.Result{}, err
		}
		result["output_file"] = path
	}
	return tool.OK(op, "output", result), nil
}

// decode takes padding or none, and ignores white space.
func decode(e *base64.Encoding, s string) ([]byte, error) {
	s = strings.Join(strings.Fields(s), "")
	out, err := e.WithPadding(base64.NoPadding).DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, fault.Errorf(fault.ToolFailed, "base64-encoder: %w", err).WithHint(`check the variant: "url-safe" uses - and _`)
	}
	return out, nil
}

// source returns the parameter input, or the content of the file that the
// parameter fileParam names.
func source(ctx context.Context, name string, p map[string]any, fileParam string) ([]byte, error) {
	text, hasText := p["input"].(string)
	path, hasFile := p[fileParam].(string)
	if hasText == hasFile {
		return nil, fault.Errorf(fault.InvalidArgument, "%s: give either input or %s", name, fileParam).WithDetail("field", "input")
	}
	if hasText {
		return []byte(text), nil
	}
	files, err := tool.EnvOf(ctx).NeedFiles()
	if err != nil {
		return nil, err
	}
	data, err := files.ReadFile(path)
	return data, failed(name, err)
}

func save(ctx context.Context, name, path string, data []byte) error {
	files, err := tool.EnvOf(ctx).NeedFiles()
	if err != nil {
		return err
	}
	return failed(name, files.WriteFile(path, data))
}

// failed gives an error of the filesystem its code.
func failed(name string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok || err == nil {
		return err
	}
	return fault.Errorf(fault.ToolFailed, "%s: %w", name, err)
}
