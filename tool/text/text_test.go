package text

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
	"github.com/llmspell/llmspell/tool/file"
	"github.com/llmspell/llmspell/tool/tooltest"
)

func TestManipulator(t *testing.T) {
	t.Parallel()
	type m = map[string]any
	op := func(name, input string, options m) m {
		p := m{"operation": name, "input": input}
		if options != nil {
			p["options"] = options
		}
		return p
	}
	is := func(name, input string, options m, want any) tooltest.Case {
		return tooltest.Case{Params: op(name, input, options), Want: m{"result": want, "operation": name}}
	}
	cases := []tooltest.Case{
		is("uppercase", "äb", nil, "ÄB"), is("lowercase", "ÄB", nil, "äb"), is("reverse", "añb", nil, "bña"),
		is("trim", " \tx\n", nil, "x"), is("trim", "--x-", m{"characters": "-"}, "x"),
		is("replace", "aXbXc", m{"from": "X", "to": "-"}, "a-b-c"), is("replace", "aXbXc", m{"from": "X", "limit": int64(1)}, "abXc"),
		is("regex_replace", "a1b22", m{"from": `(\d+)`, "to": "<$1>"}, "a<1>b<22>"), is("regex_replace", "abc", m{"from": `x*`, "to": "-"}, "-a-b-c-"),
		is("substring", "héllo", m{"start": int64(1), "end": int64(3)}, "él"), is("substring", "hello", m{"start": int64(-3)}, "llo"),
		is("substring", "hello", m{"end": int64(-1)}, "hell"), is("substring", "hello", m{"start": int64(4), "end": int64(2)}, ""), is("substring", "hi", nil, "hi"),
		is("split", "a,b,,c", m{"delimiter": ","}, []any{"a", "b", "", "c"}), is("split", " a  b\nc ", nil, []any{"a", "b", "c"}),
		is("split", "a,b,c", m{"delimiter": ",", "limit": int64(2)}, []any{"a", "b,c"}), is("split", "a b c", m{"limit": int64(2)}, []any{"a", "b c"}), is("split", "", nil, []any{}),
		is("join", "a\nb\r\nc\n", m{"delimiter": ", "}, "a, b, c"),
		{Params: m{"operation": "join", "input": []any{"x", "y"}, "options": m{"delimiter": "-"}}, Want: m{"result": "x-y"}},
		is("snake_case", "parseHTTPRequest now", nil, "parse_http_request_now"), is("kebab_case", "Hello big_World", nil, "hello-big-world"),
		is("camel_case", "hello big-world", nil, "helloBigWorld"), is("pascal_case", "hello v2Api", nil, "HelloV2Api"), is("camel_case", "", nil, ""),
		is("title_case", "the DON'T-stop show", nil, "The Don't-Stop Show"),
		is("sanitize", "a\x00b\u200bc\u202ed\xff\te\n", nil, "abcd\te\n"),
		is("truncate", "abcdefghij", m{"max_length": int64(6)}, "abc..."), is("truncate", "äöü", m{"max_length": int64(2), "suffix": ""}, "äö"),
		is("truncate", "abc", m{"max_length": int64(3)}, "abc"), is("truncate", "abcdef", m{"max_length": int64(2)}, "ab"),
		is("indent", "a\n\nb", m{"width": int64(2)}, "  a\n\n  b"), is("indent", "a", m{"prefix": "> "}, "> a"),
		is("dedent", "    a\n      b\n\n    c", nil, "a\n  b\n\nc"), is("dedent", "\ta\n  b", nil, "\ta\n  b"),
		is("normalize_whitespace", " a \n\t b ", nil, "a b"), is("word_wrap", "aa bb cc dddddd e", m{"width": int64(5)}, "aa bb\ncc\ndddddd\ne"),
		is("count", "añ b", nil, int64(4)),
		{Params: op("uppercase", "añ", nil), Want: m{"original_length": int64(2), "result_length": int64(2)}},
		{Params: op("uppercase", "x", m{"from": "a"}), Fails: fault.InvalidArgument, Says: "takes no option"},
		{Params: op("replace", "x", nil), Fails: fault.InvalidArgument, Says: "from"},
		{Params: op("replace", "x", m{"frm": "a"}), Fails: fault.InvalidArgument, Says: "options.frm"},
		{Params: op("replace", "x", m{"from": int64(1)}), Fails: fault.InvalidArgument, Says: "options.from"},
		{Params: op("regex_replace", "x", m{"from": "("}), Fails: fault.InvalidArgument},
		{Params: op("replace", strings.Repeat("a", 10000), m{"from": "a", "to": strings.Repeat("b", 10000)}), Fails: fault.TooLarge},
		{Params: op("regex_replace", strings.Repeat("a", 10000), m{"from": "a", "to": strings.Repeat("b", 10000)}), Fails: fault.TooLarge},
		{Params: m{"operation": "uppercase", "input": []any{"x"}}, Fails: fault.InvalidArgument, Says: "expected a string"},
		{Params: m{"operation": "uppercase", "input": int64(1)}, Fails: fault.InvalidArgument},
		{Params: op("upercase", "x", nil), Fails: fault.InvalidArgument, Says: "upercase"},
	}
	for kind, want := range map[string]int64{"chars": 10, "words": 3, "lines": 2, "bytes": 11} {
		cases = append(cases, tooltest.Case{Params: m{"operation": "count", "input": "añ b\ncdefg", "count_type": kind}, Want: m{"result": want}})
	}
	tooltest.Run(t, NewManipulator(), cases)
}

func sandbox(t *testing.T) (*file.Sandbox, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "abc"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	box, err := file.Open(file.Params{Roots: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	return box, dir
}

func TestBase64(t *testing.T) {
	t.Parallel()
	type m = map[string]any
	box, dir := sandbox(t)
	tooltest.RunIn(t, tooltest.Env(box), NewBase64(), []tooltest.Case{
		{Params: m{"operation": "encode", "input": "<AB>"}, Want: m{"output": "PEFCPg==", "encoded": "PEFCPg==", "variant": "standard", "binary": false}},
		{Params: m{"operation": "decode", "input": "PEFC\nPg"}, Want: m{"output": "<AB>", "decoded": "<AB>"}},
		{Params: m{"operation": "decode", "input": "AP8="}, Want: m{"output": "\x00\xff", "binary": true}},
		{Params: m{"operation": "encode", "input": "\xff\xfe", "variant": "url-safe"}, Want: m{"output": "__4=", "binary": true}},
		{Params: m{"operation": "decode", "input": "__4", "variant": "url-safe"}, Want: m{"output": "\xff\xfe"}},
		{Params: m{"operation": "decode", "input": "__4"}, Fails: fault.ToolFailed},
		{Params: m{"operation": "encode", "input": "00ff", "binary_input": true}, Want: m{"output": "AP8="}},
		{Params: m{"operation": "encode", "input": "0x", "binary_input": true}, Fails: fault.ToolFailed},
		{Params: m{"operation": "decode", "input": "AA", "binary_input": true}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "encode", "input_file": filepath.Join(dir, "abc"), "output_file": filepath.Join(dir, "out")}, Want: m{"output": "YWJj", "output_file": filepath.Join(dir, "out")}},
		{Params: m{"operation": "decode", "input_file": filepath.Join(dir, "out")}, Want: m{"output": "abc"}},
		{Params: m{"operation": "decode", "input_file": filepath.Join(dir, "none")}, Fails: fault.ToolFailed},
		{Params: m{"operation": "encode", "input_file": "/etc/passwd"}, Fails: fault.PolicyDenied},
		{Params: m{"operation": "encode", "input": "x", "output_file": "/etc/x"}, Fails: fault.PolicyDenied},
		{Params: m{"operation": "encode"}, Fails: fault.InvalidArgument},
	})
	ctx := tool.WithEnv(t.Context(), tooltest.Env(nil))
	if _, err := tooltest.Call(ctx, NewBase64(), m{"operation": "encode", "input_file": "x"}); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("without files: %v", err)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	type m = map[string]any
	box, dir := sandbox(t)
	const sha256abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	cases := []tooltest.Case{
		{Params: m{"operation": "hash", "input": "abc", "format": "base64", "algorithm": "md5"}, Want: m{"hash": "kAFQmDzST7DWlj99KOF/cg=="}},
		{Params: m{"operation": "hash", "file": filepath.Join(dir, "abc")}, Want: m{"hash": sha256abc}},
		{Params: m{"operation": "hash", "input_type": "file", "input": filepath.Join(dir, "abc")}, Want: m{"hash": sha256abc}},
		{Params: m{"operation": "verify", "input": "abc", "expected_hash": strings.ToUpper(sha256abc)}, Want: m{"verified": true, "actual": sha256abc}},
		{Params: m{"operation": "verify", "input": "abd", "expected_hash": sha256abc}, Verdict: m{"verified": false}},
		{Params: m{"operation": "verify", "input": "abc", "algorithm": "md5", "expected_hash": "kAFQmDzST7DWlj99KOF/cg==", "expected_format": "base64"}, Want: m{"verified": true}},
		{Params: m{"operation": "verify", "input": "abc", "expected_hash": "xyz"}, Fails: fault.InvalidArgument, Says: "expected_hash"},
		{Params: m{"operation": "verify", "input": "abc"}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "hash", "input": "abc", "expected_hash": "00"}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "hash"}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "hash", "input": "x", "file": "y"}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "hash", "file": "/etc/passwd"}, Fails: fault.PolicyDenied},
		{Params: m{"operation": "hash", "file": filepath.Join(dir, "none")}, Fails: fault.ToolFailed},
	}
	for algorithm, want := range map[string]string{
		"md5": "900150983cd24fb0d6963f7d28e17f72", "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d", "sha256": sha256abc,
		"sha512":  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		"blake2b": "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
	} {
		cases = append(cases, tooltest.Case{Params: m{"operation": "hash", "algorithm": algorithm, "input": "abc"}, Want: m{"hash": want, "algorithm": algorithm, "format": "hex"}})
	}
	tooltest.RunIn(t, tooltest.Env(box), NewHash(), cases)
}
