package anthropic

import (
	"encoding/json"
	"strings"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/internal/wire"
)

// defaultMaxTokens is sent when the request names no limit: the API demands one.
const defaultMaxTokens = 4096

func messageParams(x *wire.Exchange, r llm.Request) (sdk.MessageNewParams, error) {
	out := sdk.MessageNewParams{
		Model: r.Model, MaxTokens: defaultMaxTokens,
		Messages: messages(r.Messages), StopSequences: r.Stop,
	}
	if r.Seed != nil {
		return out, x.Invalid("seed is not supported")
	}
	if r.MaxTokens > 0 {
		out.MaxTokens = int64(r.MaxTokens)
	}
	if r.System != "" {
		out.System = []sdk.TextBlockParam{{Text: r.System}}
	}
	if r.Temperature != nil {
		if *r.Temperature > 1 {
			return out, x.Invalid("temperature must be between 0 and 1, got %g", *r.Temperature)
		}
		out.Temperature = sdk.Float(*r.Temperature)
	}
	if r.TopP != nil {
		out.TopP = sdk.Float(*r.TopP)
	}
	for _, t := range r.Tools {
		schema, err := inputSchema(t.Parameters)
		if err != nil {
			return out, x.Invalid("schema of tool %s is not a JSON object", t.Name)
		}
		out.Tools = append(out.Tools, sdk.ToolUnionParam{OfTool: &sdk.ToolParam{
			Name: t.Name, Description: sdk.String(t.Description), InputSchema: schema,
		}})
	}
	if len(r.Tools) > 0 {
		out.ToolChoice = toolChoice(r.ToolChoice)
	}
	if len(r.Schema) > 0 {
		var schema map[string]any
		if err := json.Unmarshal(r.Schema, &schema); err != nil {
			return out, x.Invalid("schema is not a JSON object")
		}
		out.OutputConfig.Format = sdk.JSONOutputFormatParam{Schema: schema}
	}
	if len(r.Options) > 0 {
		out.SetExtraFields(r.Options)
	}
	return out, nil
}

// messages translates a conversation; the results of one turn's tool calls go
// into one user message, as the API asks.
func messages(in []llm.Message) []sdk.MessageParam {
	var out []sdk.MessageParam
	for i := 0; i < len(in); i++ {
		m := in[i]
		switch m.Role {
		case llm.ToolRole:
			var blocks []sdk.ContentBlockParamUnion
			for ; i < len(in) && in[i].Role == llm.ToolRole; i++ {
				blocks = append(blocks, sdk.NewToolResultBlock(in[i].ToolCallID, in[i].Content, in[i].IsError))
			}
			i--
			out = append(out, sdk.NewUserMessage(blocks...))
		case llm.Assistant:
			if blocks := assistantBlocks(m); len(blocks) > 0 {
				out = append(out, sdk.NewAssistantMessage(blocks...))
			}
		default:
			out = append(out, sdk.NewUserMessage(sdk.NewTextBlock(m.Content)))
		}
	}
	return out
}

func assistantBlocks(m llm.Message) []sdk.ContentBlockParamUnion {
	var blocks []sdk.ContentBlockParamUnion
	// The API refuses empty text blocks.
	if strings.TrimSpace(m.Content) != "" {
		blocks = append(blocks, sdk.NewTextBlock(m.Content))
	}
	for _, c := range m.ToolCalls {
		// Arguments that were no object come as a string; the API takes objects only.
		input := map[string]any{}
		if json.Unmarshal(c.Arguments, &input) != nil {
			input = map[string]any{}
		}
		blocks = append(blocks, sdk.NewToolUseBlock(c.ID, input, c.Name))
	}
	return blocks
}

func inputSchema(raw json.RawMessage) (sdk.ToolInputSchemaParam, error) {
	var known struct {
		Properties any      `json:"properties"`
		Required   []string `json:"required"`
	}
	var rest map[string]any
	if err := json.Unmarshal(raw, &known); err != nil {
		return sdk.ToolInputSchemaParam{}, err
	}
	if err := json.Unmarshal(raw, &rest); err != nil {
		return sdk.ToolInputSchemaParam{}, err
	}
	for _, key := range []string{"type", "properties", "required"} {
		delete(rest, key)
	}
	return sdk.ToolInputSchemaParam{Properties: known.Properties, Required: known.Required, ExtraFields: rest}, nil
}

func toolChoice(choice string) sdk.ToolChoiceUnionParam {
	switch choice {
	case "", "auto":
		return sdk.ToolChoiceUnionParam{OfAuto: &sdk.ToolChoiceAutoParam{}}
	case "none":
		none := sdk.NewToolChoiceNoneParam()
		return sdk.ToolChoiceUnionParam{OfNone: &none}
	case "required":
		return sdk.ToolChoiceUnionParam{OfAny: &sdk.ToolChoiceAnyParam{}}
	}
	return sdk.ToolChoiceParamOfTool(choice)
}

// reply gathers the parts of a streamed reply that are known only at its end.
type reply struct {
	call   *llm.ToolCall // the tool_use block being received
	args   strings.Builder
	tools  int
	stop   sdk.StopReason
	input  int64
	output int64
	read   int64
	write  int64
	model  string
}

// add takes one event and returns the chunk it completes, if any.
func (r *reply) add(e sdk.MessageStreamEventUnion, x *wire.Exchange) (llm.Chunk, error) {
	switch e.Type {
	case "message_start":
		r.model = e.Message.Model
		u := e.Message.Usage
		r.input, r.output, r.read, r.write = u.InputTokens, u.OutputTokens, u.CacheReadInputTokens, u.CacheCreationInputTokens
	case "content_block_start":
		switch e.ContentBlock.Type {
		case "tool_use":
			r.call = &llm.ToolCall{ID: e.ContentBlock.ID, Name: e.ContentBlock.Name}
			r.args.Reset()
		case "text":
			if e.ContentBlock.Text != "" {
				return llm.Chunk{Kind: llm.ChunkText, Text: e.ContentBlock.Text}, nil
			}
		}
	case "content_block_delta":
		switch e.Delta.Type {
		case "text_delta":
			if e.Delta.Text != "" {
				return llm.Chunk{Kind: llm.ChunkText, Text: e.Delta.Text}, nil
			}
		case "input_json_delta":
			r.args.WriteString(e.Delta.PartialJSON)
		}
	case "content_block_stop":
		if r.call == nil {
			break
		}
		if r.call.Name == "" {
			return llm.Chunk{}, x.Malformed("tool call without a name")
		}
		call := *r.call
		call.Arguments = wire.Arguments(r.args.String())
		r.call = nil
		r.tools++
		return llm.Chunk{Kind: llm.ChunkToolCall, ToolCall: &call}, nil
	case "message_delta":
		r.stop = e.Delta.StopReason
		// These counts are cumulative; absent ones arrive as 0.
		r.input, r.output = max(r.input, e.Usage.InputTokens), max(r.output, e.Usage.OutputTokens)
		r.read, r.write = max(r.read, e.Usage.CacheReadInputTokens), max(r.write, e.Usage.CacheCreationInputTokens)
	case "message_stop":
		return r.done(x), nil
	}
	return llm.Chunk{}, nil
}

func (r *reply) done(x *wire.Exchange) llm.Chunk {
	finish := llm.FinishStop
	switch {
	case r.tools > 0:
		finish = llm.FinishTools
	case r.stop == sdk.StopReasonMaxTokens, r.stop == "model_context_window_exceeded":
		finish = llm.FinishLength
	case r.stop == sdk.StopReasonRefusal:
		finish = llm.FinishFilter
	}
	return llm.Chunk{
		Kind: llm.ChunkDone, Finish: finish, Model: r.model, RequestID: x.RequestID(),
		Usage: llm.Usage{
			PromptTokens: r.input + r.read + r.write, CompletionTokens: r.output, CachedTokens: r.read,
		},
	}
}
