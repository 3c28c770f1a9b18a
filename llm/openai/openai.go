// Package openai is the adapter for OpenAI and for every server that speaks its
// chat-completions protocol (Ollama, llama.cpp, vLLM, gateways):
//
//	p, err := openai.New(openai.Params{BaseURL: "http://127.0.0.1:8080/v1"})
//	for chunk, err := range p.Stream(ctx, llm.Request{Model: "smollm2", Messages: msgs}) { ... }
//
// It reads no environment variable, retries nothing and keeps no conversation.
package openai

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"sync"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/internal/wire"
)

const vendorURL = "https://api.openai.com/v1"

// Params configures a Provider.
type Params struct {
	Name       string        // in errors; default "openai"
	BaseURL    string        // default the vendor's; up to and including /v1
	Key        string        // may be empty when BaseURL is set
	Timeout    time.Duration // of a whole call; 0 = only the context's
	HTTPClient *http.Client  // nil = one of its own
}

// Provider talks to one server. Safe for concurrent use.
type Provider struct {
	name     string
	key      string
	timeout  time.Duration
	official bool
	chat     sdk.ChatCompletionService
	models   sdk.ModelService
	embed    sdk.EmbeddingService

	mu    sync.Mutex
	first string // the server's first model, "" until asked
}

var (
	_ llm.Provider    = (*Provider)(nil)
	_ llm.ModelLister = (*Provider)(nil)
	_ llm.Embedder    = (*Provider)(nil)
)

// New returns a Provider. It makes no connection. Errors: fault.InvalidArgument
// for a bad BaseURL, fault.ProviderNotConfigured without Key and BaseURL.
func New(p Params) (*Provider, error) {
	if p.Name == "" {
		p.Name = "openai"
	}
	if p.BaseURL == "" {
		if p.Key == "" {
			return nil, fault.Errorf(fault.ProviderNotConfigured, "openai.New: Key is required without BaseURL")
		}
		p.BaseURL = vendorURL
	}
	u, err := url.Parse(p.BaseURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fault.Errorf(fault.InvalidArgument, "openai.New: BaseURL must be an http or https URL")
	}
	// The services are made directly: the SDK's NewClient reads OPENAI_* variables.
	opts := []option.RequestOption{
		option.WithBaseURL(p.BaseURL),
		option.WithHTTPClient(wire.Client(p.HTTPClient)),
		option.WithMaxRetries(0),
	}
	if p.Key != "" {
		opts = append(opts, option.WithAPIKey(p.Key))
	}
	return &Provider{
		name: p.Name, key: p.Key, timeout: p.Timeout, official: u.Host == "api.openai.com",
		chat:   sdk.NewChatCompletionService(opts...),
		models: sdk.NewModelService(opts...),
		embed:  sdk.NewEmbeddingService(opts...),
	}, nil
}

func (p *Provider) exchange(model string) (*wire.Exchange, option.RequestOption) {
	x := &wire.Exchange{Provider: p.name, Model: model, Key: p.key}
	return x, option.WithMiddleware(x.Middleware)
}

func (p *Provider) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, p.timeout)
}

// Stream implements [llm.Provider].
func (p *Provider) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		ctx, cancel := p.deadline(ctx)
		defer cancel()
		if r.Model == llm.DefaultModel && !p.official {
			r.Model = p.firstModel(ctx)
		}
		x, middleware := p.exchange(r.Model)
		params, err := p.params(x, r)
		if err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		stream := p.chat.NewStreaming(ctx, params, middleware)
		defer func() { _ = stream.Close() }()
		if err := relay(ctx, stream, x, yield); err != nil {
			yield(llm.Chunk{}, err)
		}
	}
}

// relay yields the stream's events as chunks. It returns the error to yield, if
// any; nil also when the consumer left.
func relay(ctx context.Context, stream *ssestream.Stream[sdk.ChatCompletionChunk], x *wire.Exchange, yield func(llm.Chunk, error) bool) error {
	var reply reply
	for stream.Next() {
		text := reply.add(stream.Current())
		if text != "" && !yield(llm.Chunk{Kind: llm.ChunkText, Text: text}, nil) {
			return nil
		}
	}
	if err := stream.Err(); err != nil {
		return streamFault(ctx, x, err)
	}
	if err := ctx.Err(); err != nil {
		return x.Fault(ctx, err)
	}
	if reply.finish == "" {
		return x.Truncated()
	}
	calls, err := reply.toolCalls(x)
	if err != nil {
		return err
	}
	for i := range calls {
		if !yield(llm.Chunk{Kind: llm.ChunkToolCall, ToolCall: &calls[i]}, nil) {
			return nil
		}
	}
	yield(llm.Chunk{
		Kind: llm.ChunkDone, Finish: reply.finishReason(), Usage: reply.usage,
		Model: reply.model, RequestID: x.RequestID(),
	}, nil)
	return nil
}

// firstModel is the first model the server lists, asked until it answered once.
// A server that lists none is left to choose.
func (p *Provider) firstModel(ctx context.Context) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first == "" {
		models, err := p.Models(ctx)
		if err != nil || len(models) == 0 {
			return llm.DefaultModel
		}
		p.first = models[0].ID
	}
	return p.first
}

// Models implements [llm.ModelLister].
func (p *Provider) Models(ctx context.Context) ([]llm.ModelInfo, error) {
	ctx, cancel := p.deadline(ctx)
	defer cancel()
	x, middleware := p.exchange("")
	page, err := p.models.List(ctx, middleware)
	if err != nil {
		return nil, x.Fault(ctx, err)
	}
	models := make([]llm.ModelInfo, 0, len(page.Data))
	for _, m := range page.Data {
		models = append(models, llm.ModelInfo{ID: m.ID, ContextTokens: contextTokens(m)})
	}
	return models, nil
}

// Embed implements [llm.Embedder].
func (p *Provider) Embed(ctx context.Context, model string, texts []string) (llm.Embeddings, error) {
	ctx, cancel := p.deadline(ctx)
	defer cancel()
	x, middleware := p.exchange(model)
	res, err := p.embed.New(ctx, sdk.EmbeddingNewParams{
		Model:          model,
		Input:          sdk.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts},
		EncodingFormat: sdk.EmbeddingNewParamsEncodingFormatFloat,
	}, middleware)
	if err != nil {
		return llm.Embeddings{}, x.Fault(ctx, err)
	}
	out := llm.Embeddings{Model: res.Model, Vectors: make([][]float32, len(texts))}
	out.Usage.PromptTokens = res.Usage.PromptTokens
	for _, e := range res.Data {
		if e.Index < 0 || e.Index >= int64(len(texts)) || out.Vectors[e.Index] != nil {
			return llm.Embeddings{}, x.Malformed("embedding with index %d of %d texts", e.Index, len(texts))
		}
		vector := make([]float32, len(e.Embedding))
		for i, f := range e.Embedding {
			vector[i] = float32(f)
		}
		out.Vectors[e.Index] = vector
	}
	for i, v := range out.Vectors {
		if v == nil {
			return llm.Embeddings{}, x.Malformed("no embedding for text %d of %d", i+1, len(texts))
		}
	}
	return out, nil
}
