package provider

import (
	"math"
	"net/url"
	"strings"

	"github.com/llmspell/llmspell/llm"
)

// Price is what a model costs, in USD per million tokens. CachedInput 0 means
// that cached tokens cost as much as others.
type Price struct {
	Input       float64
	CachedInput float64
	Output      float64
}

// PriceVersion dates the built-in table.
const PriceVersion = "2026-01"

// builtinPrices are list prices by provider type. A model that is not here has
// no known price unless the configuration names one.
func builtinPrices(providerType string) map[string]Price {
	switch providerType {
	case "openai":
		return map[string]Price{
			"gpt-4o":                 {2.50, 1.25, 10},
			"gpt-4o-mini":            {0.15, 0.075, 0.60},
			"gpt-4.1":                {2, 0.50, 8},
			"gpt-4.1-mini":           {0.40, 0.10, 1.60},
			"gpt-4.1-nano":           {0.10, 0.025, 0.40},
			"gpt-5":                  {1.25, 0.125, 10},
			"gpt-5-mini":             {0.25, 0.025, 2},
			"gpt-5-nano":             {0.05, 0.005, 0.40},
			"o1":                     {15, 7.50, 60},
			"o3":                     {2, 0.50, 8},
			"o3-mini":                {1.10, 0.55, 4.40},
			"o4-mini":                {1.10, 0.275, 4.40},
			"text-embedding-3-small": {Input: 0.02},
			"text-embedding-3-large": {Input: 0.13},
		}
	case "anthropic":
		return map[string]Price{
			"claude-3-5-haiku":  {0.80, 0.08, 4},
			"claude-3-7-sonnet": {3, 0.30, 15},
			"claude-haiku-4-5":  {1, 0.10, 5},
			"claude-sonnet-4":   {3, 0.30, 15},
			"claude-sonnet-4-5": {3, 0.30, 15},
			"claude-opus-4":     {15, 1.50, 75},
			"claude-opus-4-1":   {15, 1.50, 75},
			"claude-opus-4-5":   {5, 0.50, 25},
		}
	}
	return nil
}

// price looks a model up: the configuration first, then the built-in table,
// where a dated name (gpt-4o-2024-08-06, claude-haiku-4-5-20251001) stands for
// its model. A server of one's own has no list price.
func (s *state) price(model string) (Price, bool) {
	if p, ok := s.Prices[model]; ok {
		return p, true
	}
	if !s.vendor() {
		return Price{}, false
	}
	table := builtinPrices(s.Type)
	if p, ok := table[model]; ok {
		return p, true
	}
	p, ok := table[withoutDate(model)]
	return p, ok
}

// vendor tells whether s speaks to its vendor's own server.
func (s *state) vendor() bool {
	u, err := url.Parse(s.BaseURL)
	return s.BaseURL == "" || err == nil && (u.Host == "api.openai.com" || u.Host == "api.anthropic.com")
}

// withoutDate cuts a trailing -20251001, -2024-08-06 or -latest.
func withoutDate(model string) string {
	if name, ok := strings.CutSuffix(model, "-latest"); ok {
		return name
	}
	for _, n := range []int{len("-2024-08-06"), len("-20251001")} {
		cut := len(model) - n
		if cut <= 0 || model[cut] != '-' || !strings.HasPrefix(model[cut:], "-20") {
			continue
		}
		if strings.Trim(model[cut:], "-0123456789") == "" {
			return model[:cut]
		}
	}
	return model
}

// priced returns u with its cost, rounded up to the nano-USD; unchanged when the
// provider told the cost itself or no price is known.
func (s *state) priced(model string, u llm.Usage) llm.Usage {
	p, ok := s.price(model)
	if u.CostUSD != nil || !ok {
		return u
	}
	cached := p.CachedInput
	if cached == 0 {
		cached = p.Input
	}
	micro := float64(u.PromptTokens-u.CachedTokens)*p.Input + float64(u.CachedTokens)*cached + float64(u.CompletionTokens)*p.Output
	// The subtraction keeps binary fractions such as 1.1 from adding a nano-USD.
	u.CostUSD = new(math.Ceil(micro*1000-1e-6) / 1e9)
	return u
}
