package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/llm"
)

// kernelMetrics receives what the kernel observes.
type kernelMetrics struct {
	executions    *prometheus.CounterVec
	executionTime *prometheus.HistogramVec
	llmRequests   *prometheus.CounterVec
	llmTokens     *prometheus.CounterVec
	llmCost       *prometheus.CounterVec
	llmTime       *prometheus.HistogramVec
	llmRetries    *prometheus.CounterVec
	toolCalls     *prometheus.CounterVec
	toolTime      *prometheus.HistogramVec
}

var (
	_            llmspell.Metrics = (*kernelMetrics)(nil)
	scriptTimes                   = []float64{.00005, .0001, .00025, .0005, .001, .005, .025, .1, .5, 2.5, 10, 60, 300}
	networkTimes                  = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
)

func newKernelMetrics(reg prometheus.Registerer) *kernelMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	m := &kernelMetrics{
		executions:    counter("llmspell_executions_total", "Executions that ended.", "source", "outcome"),
		executionTime: histogram("llmspell_execution_duration_seconds", "Time an execution took.", scriptTimes, "source"),
		llmRequests:   counter("llmspell_llm_requests_total", "Requests to models.", "provider", "model", "outcome"),
		llmTokens:     counter("llmspell_llm_tokens_total", "Tokens of models.", "provider", "model", "kind"),
		llmCost:       counter("llmspell_llm_cost_usd_total", "Cost of model calls with a known price.", "provider", "model"),
		llmTime:       histogram("llmspell_llm_request_duration_seconds", "Time of a request, retries included.", networkTimes, "provider", "model"),
		llmRetries:    counter("llmspell_llm_retries_total", "Repeated attempts.", "provider", "reason"),
		toolCalls:     counter("llmspell_tool_calls_total", "Tool calls.", "tool", "outcome"),
		toolTime:      histogram("llmspell_tool_call_duration_seconds", "Time of a tool call.", scriptTimes, "tool"),
	}
	reg.MustRegister(m.executions, m.executionTime, m.llmRequests, m.llmTokens, m.llmCost, m.llmTime, m.llmRetries, m.toolCalls, m.toolTime)
	return m
}

func (m *kernelMetrics) Execution(source, outcome string, took time.Duration) {
	m.executions.WithLabelValues(source, outcome).Inc()
	m.executionTime.WithLabelValues(source).Observe(took.Seconds())
}

func (m *kernelMetrics) LLMCall(provider, model, outcome string, took time.Duration, u llm.Usage) {
	m.llmRequests.WithLabelValues(provider, model, outcome).Inc()
	m.llmTime.WithLabelValues(provider, model).Observe(took.Seconds())
	for kind, n := range map[string]int64{"input": u.PromptTokens - u.CachedTokens, "cached": u.CachedTokens, "output": u.CompletionTokens} {
		m.llmTokens.WithLabelValues(provider, model, kind).Add(float64(max(0, n)))
	}
	if u.CostUSD != nil {
		m.llmCost.WithLabelValues(provider, model).Add(*u.CostUSD)
	}
}

func (m *kernelMetrics) LLMRetry(provider, reason string) {
	m.llmRetries.WithLabelValues(provider, reason).Inc()
}

func (m *kernelMetrics) ToolCall(tool, outcome string, took time.Duration) {
	m.toolCalls.WithLabelValues(tool, outcome).Inc()
	m.toolTime.WithLabelValues(tool).Observe(took.Seconds())
}
