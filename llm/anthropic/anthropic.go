// Package anthropic is the adapter for the Anthropic Messages API:
//
//	p, err := anthropic.New(anthropic.Params{Key: key})
//	for chunk, err := range p.Stream(ctx, llm.Request{Model: "claude-haiku-4-5", Messages: msgs}) { ... }
//
// It reads no environment variable, retries nothing and keeps no conversation.
package anthropic

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/ssestream"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/internal/wire"
)

const vendorURL = "https://api.anthropic.com"

// Params configures a Provider.
type Params struct {
	Name       string        // in errors; default "anthropic"
	BaseURL    string        // default the vendor's; without /v1
	Key        string        // may be empty when BaseURL is set
	Timeout    time.Duration // of a whole call; 0 = only the context's
	HTTPClient *http.Client  // nil = one of its own
}

// Provider talks to one server. Safe for concurrent use.
type Provider struct {
	name     string
	key      string
	timeout  time.Duration
	messages sdk.MessageService
	models   sdk.ModelService
}

var (
	_ llm.Provider    = (*Provider)(nil)
	_ llm.ModelLister = (*Provider)(nil)
)

// New returns a Provider. It makes no connection. Errors: fault.InvalidArgument
// for a bad BaseURL, fault.ProviderNotConfigured without Key and BaseURL.
func New(p Params) (*Provider, error) {
	if p.Name == "" {
		p.Name = "anthropic"
	}
	if p.BaseURL == "" {
		if p.Key == "" {
			return nil, fault.Errorf(fault.ProviderNotConfigured, "anthropic.New: Key is required without BaseURL")
		}
		p.BaseURL = vendorURL
	}
	u, err := url.Parse(p.BaseURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fault.Errorf(fault.InvalidArgument, "anthropic.New: BaseURL must be an http or https URL")
	}
	// The services are made directly: the SDK's NewClient reads ANTHROPIC_*
	// variables and profile files. Tracing would read more of them.
	opts := []option.RequestOption{
		option.WithBaseURL(p.BaseURL),
		option.WithHTTPClient(wire.Client(p.HTTPClient)),
		option.WithMaxRetries(0),
		option.WithoutOpenTelemetry(),
		option.WithOpenTelemetryPropagation(false),
	}
	if p.Key != "" {
		opts = append(opts, option.WithAPIKey(p.Key))
	}
	return &Provider{
		name: p.Name, key: p.Key, timeout: p.Timeout,
		messages: sdk.NewMessageService(opts...),
		models:   sdk.NewModelService(opts...),
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
		x, middleware := p.exchange(r.Model)
		params, err := messageParams(x, r)
		if err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		stream := p.messages.NewStreaming(ctx, params, middleware)
		defer func() { _ = stream.Close() }()
		if err := relay(ctx, stream, x, yield); err != nil {
			yield(llm.Chunk{}, err)
		}
	}
}

// relay yields the stream's events as chunks. It returns the error to yield, if
// any; nil also when the consumer left.
func relay(ctx context.Context, stream *ssestream.Stream[sdk.MessageStreamEventUnion], x *wire.Exchange, yield func(llm.Chunk, error) bool) error {
	var reply reply
	for stream.Next() {
		chunk, err := reply.add(stream.Current(), x)
		if err != nil {
			return err
		}
		if chunk.Kind != "" && !yield(chunk, nil) {
			return nil
		}
		if chunk.Kind == llm.ChunkDone {
			return nil
		}
	}
	if err := stream.Err(); err != nil {
		if e, ok := errors.AsType[*sdk.Error](err); ok && ctx.Err() == nil && e.StatusCode < 400 {
			return x.StreamFault([]byte(e.RawJSON()))
		}
		return x.Fault(ctx, err)
	}
	if err := ctx.Err(); err != nil {
		return x.Fault(ctx, err)
	}
	return x.Truncated()
}

// Models implements [llm.ModelLister].
func (p *Provider) Models(ctx context.Context) ([]llm.ModelInfo, error) {
	ctx, cancel := p.deadline(ctx)
	defer cancel()
	x, middleware := p.exchange("")
	page, err := p.models.List(ctx, sdk.ModelListParams{Limit: sdk.Int(1000)}, middleware)
	if err != nil {
		return nil, x.Fault(ctx, err)
	}
	models := make([]llm.ModelInfo, 0, len(page.Data))
	for _, m := range page.Data {
		models = append(models, llm.ModelInfo{ID: m.ID, ContextTokens: int(m.MaxInputTokens)})
	}
	return models, nil
}
