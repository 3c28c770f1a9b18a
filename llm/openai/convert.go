package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/shared"

	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/internal/wire"
)

// params translates a request.
func (p *Provider) params(x *wire.Exchange, r llm.Request) (sdk.ChatCompletionNewParams, error) {
	out := sdk.ChatCompletionNewParams{
		Model:         r.Model,
		StreamOptions: sdk.ChatCompletionStreamOptionsParam{IncludeUsage: sdk.Bool(true)},
	}
	if r.System != "" {
		out.Messages = append(out.Messages, sdk.SystemMessage(r.System))
	}
	for _, m := range r.Messages {
		out.Messages = append(out.Messages, message(m))
	}
	for _, t := range r.Tools {
		var schema map[string]any
		if err := json.Unmarshal(t.Parameters, &schema); err != nil {
			return out, x.Invalid("schema of tool %s is not a JSON object", t.Name)
		}
		out.Tools = append(out.Tools, sdk.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name: t.Name, Description: sdk.String(t.Description), Parameters: schema,
		}))
	}
	if len(r.Tools) > 0 {
		out.ToolChoice = toolChoice(r.ToolChoice)
	}
	if len(r.Schema) > 0 {
		out.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "reply", Schema: r.Schema},
		}
	}
	if r.MaxTokens > 0 {
		// Only the vendor knows the newer name; other servers ignore or refuse it.
		if p.official {
			out.MaxCompletionTokens = sdk.Int(int64(r.MaxTokens))
		} else {
			out.MaxTokens = sdk.Int(int64(r.MaxTokens))
		}
	}
	if r.Temperature != nil {
		out.Temperature = sdk.Float(*r.Temperature)
	}
	if r.TopP != nil {
		out.TopP = sdk.Float(*r.TopP)
	}
	if r.Seed != nil {
		out.Seed = sdk.Int(*r.Seed)
	}
	if len(r.Stop) > 0 {
		out.Stop.OfStringArray = r.Stop
	}
	if len(r.Options) > 0 {
		out.SetExtraFields(r.Options)
	}
	return out, nil
}

func message(m llm.Message) sdk.ChatCompletionMessageParamUnion {
	switch m.Role {
	case llm.ToolRole:
		return sdk.ToolMessage(m.Content, m.ToolCallID)
	case llm.Assistant:
		a := sdk.ChatCompletionAssistantMessageParam{}
		if m.Content != "" || len(m.ToolCalls) == 0 {
			a.Content.OfString = sdk.String(m.Content)
		}
		for _, c := range m.ToolCalls {
			a.ToolCalls = append(a.ToolCalls, sdk.ChatCompletionMessageToolCallUnionParam{
				OfFunction: &sdk.ChatCompletionMessageFunctionToolCallParam{
					ID: c.ID,
					Function: sdk.ChatCompletionMessageFunctionToolCallFunctionParam{
						Name: c.Name, Arguments: argumentText(c.Arguments),
					},
				},
			})
		}
		return sdk.ChatCompletionMessageParamUnion{OfAssistant: &a}
	}
	return sdk.UserMessage(m.Content)
}

// argumentText gives back what the model sent: the object's JSON, or the text
// that was no object.
func argumentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func toolChoice(choice string) (u sdk.ChatCompletionToolChoiceOptionUnionParam) {
	switch choice {
	case "", "auto":
		return u
	case "none", "required":
		u.OfAuto = sdk.String(choice)
		return u
	}
	return sdk.ToolChoiceOptionFunctionToolChoice(sdk.ChatCompletionNamedToolChoiceFunctionParam{Name: choice})
}

// reply gathers the parts of a streamed reply that are known only at its end.
type reply struct {
	calls  []partialCall
	finish string
	usage  llm.Usage
	model  string
}

type partialCall struct {
	index int64
	id    string
	name  string
	args  strings.Builder
}

// add takes one event and returns its text.
func (r *reply) add(c sdk.ChatCompletionChunk) string {
	if c.Model != "" {
		r.model = c.Model
	}
	if u := c.Usage; u.TotalTokens > 0 || u.PromptTokens > 0 || u.CompletionTokens > 0 {
		r.usage = llm.Usage{
			PromptTokens: u.PromptTokens, CompletionTokens: u.CompletionTokens,
			CachedTokens: u.PromptTokensDetails.CachedTokens,
		}
	}
	var text strings.Builder
	for _, choice := range c.Choices {
		if choice.Index != 0 {
			continue
		}
		text.WriteString(choice.Delta.Content)
		text.WriteString(choice.Delta.Refusal)
		for _, t := range choice.Delta.ToolCalls {
			r.addCall(t)
		}
		if choice.FinishReason != "" {
			r.finish = choice.FinishReason
		}
	}
	return text.String()
}

func (r *reply) addCall(t sdk.ChatCompletionChunkChoiceDeltaToolCall) {
	var call *partialCall
	for i := range r.calls {
		if r.calls[i].index == t.Index {
			call = &r.calls[i]
		}
	}
	// Some servers number every call 0 and tell them apart by id only.
	if call == nil || (t.ID != "" && call.id != "" && call.id != t.ID) {
		r.calls = append(r.calls, partialCall{index: t.Index})
		call = &r.calls[len(r.calls)-1]
	}
	if t.ID != "" {
		call.id = t.ID
	}
	call.name += t.Function.Name
	call.args.WriteString(t.Function.Arguments)
}

func (r *reply) toolCalls(x *wire.Exchange) ([]llm.ToolCall, error) {
	out := make([]llm.ToolCall, 0, len(r.calls))
	for i := range r.calls {
		c := &r.calls[i]
		if c.name == "" {
			return nil, x.Malformed("tool call %d has no name", i+1)
		}
		out = append(out, llm.ToolCall{ID: c.id, Name: c.name, Arguments: wire.Arguments(c.args.String())})
	}
	return out, nil
}

func (r *reply) finishReason() llm.Finish {
	switch {
	case len(r.calls) > 0:
		return llm.FinishTools
	case r.finish == "length":
		return llm.FinishLength
	case r.finish == "content_filter":
		return llm.FinishFilter
	}
	return llm.FinishStop
}

func streamFault(ctx context.Context, x *wire.Exchange, err error) error {
	if e, ok := errors.AsType[*ssestream.StreamError](err); ok && ctx.Err() == nil {
		return x.StreamFault(bytes.TrimSpace(e.Event.Data))
	}
	return x.Fault(ctx, err)
}

// contextTokens reads the context length that compatible servers report beside
// the official fields (vLLM max_model_len, llama.cpp meta.n_ctx_train).
func contextTokens(m sdk.Model) int {
	var extra struct {
		MaxModelLen   int `json:"max_model_len"`
		ContextLength int `json:"context_length"`
		Meta          struct {
			NCtx      int `json:"n_ctx"`
			NCtxTrain int `json:"n_ctx_train"`
		} `json:"meta"`
	}
	if json.Unmarshal([]byte(m.RawJSON()), &extra) != nil {
		return 0
	}
	for _, n := range []int{extra.MaxModelLen, extra.ContextLength, extra.Meta.NCtx, extra.Meta.NCtxTrain} {
		if n > 0 {
			return n
		}
	}
	return 0
}
