package llmtest

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/llm"
)

// request sends everything a Request can say that every provider supports and
// checks what arrives at the server, in the wire format's own shape.
func (s suite) request(t *testing.T) {
	t.Parallel()
	var got map[string]any
	body := s.recording(t, "text.sse")
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(b, &got); err != nil {
			return nil, err
		}
		return answer(200, "text/event-stream", strings.NewReader(body), nil)(r)
	})}
	r := fullRequest()
	before, _ := json.Marshal(r)
	if _, err := llm.Collect(s.open(t, Params{BaseURL: "http://provider.test", Key: Key, Client: client}).Stream(t.Context(), r)); err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal(r); string(after) != string(before) {
		t.Errorf("the provider modified the request:\n%s\n%s", before, after)
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(s.recording(t, "request.json")), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		sent, _ := json.MarshalIndent(got, "", "  ")
		t.Errorf("the provider sent\n%s\nwant testdata/%s/request.json", sent, s.wire)
	}
}

func fullRequest() llm.Request {
	return llm.Request{
		Model: "some-model", System: "be brief", MaxTokens: 99,
		Temperature: new(0.5), TopP: new(0.9), Stop: []string{"END"},
		Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}}}`),
		Messages: []llm.Message{
			{Role: llm.User, Content: "what is 6*7?"},
			{Role: llm.Assistant, ToolCalls: []llm.ToolCall{
				{ID: "c1", Name: "calculator", Arguments: json.RawMessage(`{"input":"6*7"}`)},
				{ID: "c2", Name: "now", Arguments: json.RawMessage(`"garbage"`)},
			}},
			{Role: llm.ToolRole, ToolCallID: "c1", Content: "42"},
			{Role: llm.ToolRole, ToolCallID: "c2", Content: "not an object", IsError: true},
			{Role: llm.Assistant, Content: "42"},
			{Role: llm.User, Content: "thanks"},
		},
		Tools: []llm.ToolSpec{{
			Name: "calculator", Description: "Calculates.",
			Parameters: json.RawMessage(`{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`),
		}},
		ToolChoice: "required",
		Options:    map[string]any{"custom": true},
	}
}
