package text

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"strings"

	"golang.org/x/crypto/blake2b"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Hash is the hash-calculator tool.
type Hash struct{}

// NewHash returns the hash-calculator tool.
func NewHash() *Hash { return &Hash{} }

func (*Hash) Spec() tool.Spec {
	return tool.Spec{
		Name: "hash-calculator", Version: "1.0.0", Category: "utility", Effect: tool.Read, ParallelSafe: true,
		Description: "Computes and verifies checksums of texts and files: md5, sha1, sha256, sha512, blake2b (512 bits).",
		Tags:        []string{"hash", "checksum"},
		Params: []tool.Param{
			{Name: "operation", Type: "string", Required: true, Enum: []string{"hash", "verify"}, Description: "what to do"},
			{Name: "algorithm", Type: "string", Enum: []string{"sha256", "md5", "sha1", "sha512", "blake2b"}, Default: "sha256", Description: "hash function; md5 and sha1 are not safe against forgery"},
			{Name: "input_type", Type: "string", Enum: []string{"string", "file"}, Description: "whether input is the text or the path of a file; default string, or file if file is given"},
			{Name: "input", Type: "string", Description: "the text, or with input_type file a path"},
			{Name: "file", Type: "string", Description: "path of the file"},
			{Name: "format", Type: "string", Enum: []string{"hex", "base64"}, Default: "hex", Description: "how hashes are written"},
			{Name: "expected_hash", Type: "string", Description: "verify: the hash to compare with"},
			{Name: "expected_format", Type: "string", Enum: []string{"hex", "base64"}, Description: "how expected_hash is written; default format"},
		},
	}
}

func newHash(algorithm string) (hash.Hash, error) {
	switch algorithm {
	case "md5":
		return md5.New(), nil
	case "sha1":
		return sha1.New(), nil
	case "sha512":
		return sha512.New(), nil
	case "blake2b":
		return blake2b.New512(nil)
	}
	return sha256.New(), nil
}

func (*Hash) Execute(ctx context.Context, p map[string]any) (tool.Result, error) {
	op, algorithm, format := p["operation"].(string), p["algorithm"].(string), p["format"].(string)
	expected, given := p["expected_hash"].(string)
	if given != (op == "verify") {
		return tool.Result{}, fault.Errorf(fault.InvalidArgument, "hash-calculator: expected_hash belongs to verify, and verify needs it").
			WithDetail("field", "expected_hash")
	}
	sum, err := digest(ctx, algorithm, p)
	if err != nil {
		return tool.Result{}, err
	}
	if op == "hash" {
		return tool.OK(op, "hash", map[string]any{"hash": write(sum, format), "algorithm": algorithm, "format": format}), nil
	}
	expectedFormat, ok := p["expected_format"].(string)
	if !ok {
		expectedFormat = format
	}
	want, err := read(expected, expectedFormat)
	if err != nil {
		return tool.Result{}, fault.Errorf(fault.InvalidArgument, "hash-calculator: expected_hash is not %s: %w", expectedFormat, err).
			WithDetail("field", "expected_hash")
	}
	return tool.Verdict(op, "verified", map[string]any{
		"verified": subtle.ConstantTimeCompare(sum, want) == 1, "expected": expected,
		"actual": write(sum, expectedFormat), "algorithm": algorithm,
	}), nil
}

func write(sum []byte, format string) string {
	if format == "base64" {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

func read(s, format string) ([]byte, error) {
	s = strings.TrimSpace(s)
	if format == "base64" {
		return base64.StdEncoding.DecodeString(s)
	}
	return hex.DecodeString(s)
}

func digest(ctx context.Context, algorithm string, p map[string]any) ([]byte, error) {
	h, err := newHash(algorithm)
	if err != nil {
		return nil, err
	}
	input, hasInput := p["input"].(string)
	path, hasFile := p["file"].(string)
	kind, _ := p["input_type"].(string)
	switch {
	case hasInput == hasFile || hasFile && kind == "string":
		return nil, fault.Errorf(fault.InvalidArgument, "hash-calculator: give either input or file").WithDetail("field", "input")
	case hasInput && kind != "file":
		io.WriteString(h, input)
		return h.Sum(nil), nil
	case hasInput:
		path = input
	}
	files, err := tool.EnvOf(ctx).NeedFiles()
	if err != nil {
		return nil, err
	}
	f, err := files.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return nil, failed("hash-calculator", err)
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return nil, failed("hash-calculator", err)
	}
	return h.Sum(nil), nil
}
