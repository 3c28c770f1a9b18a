package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/internal/buildinfo"
)

// metrics are the series of one kernel, in a registry of its own. No label
// holds a tenant, session, run, path or free text.
type metrics struct {
	handler http.Handler
	process *processSampler
	detach  func() // stops observing the kernel

	requests     *prometheus.CounterVec
	duration     *prometheus.HistogramVec
	inFlight     prometheus.Gauge
	authFailures *prometheus.CounterVec
	rateLimited  *prometheus.CounterVec
}

func newMetrics(k *llmspell.Kernel) *metrics {
	reg := prometheus.NewRegistry()
	m := &metrics{
		process: newProcessSampler(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "llmspell_http_requests_total", Help: "HTTP requests by route pattern, method and status class.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "llmspell_http_request_duration_seconds", Help: "Time to answer.", Buckets: []float64{.0001, .00025, .0005, .001, .005, .025, .1, .5, 2.5, 10, 60},
		}, []string{"route", "method"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "llmspell_http_requests_in_flight", Help: "HTTP requests being answered.",
		}),
		authFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "llmspell_auth_failures_total", Help: "Refused authentications.",
		}, []string{"reason"}),
		rateLimited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "llmspell_rate_limited_total", Help: "Requests refused by a rate limit.",
		}, []string{"surface"}),
	}
	build := buildinfo.Read()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "llmspell_build_info", Help: "The running build; always 1.",
		ConstLabels: prometheus.Labels{"version": build.Version, "commit": build.Commit},
	})
	info.Set(1)
	reg.MustRegister(info, m.requests, m.duration, m.inFlight, m.authFailures, m.rateLimited,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registerKernel(reg, k)
	m.detach = k.Observe(newKernelMetrics(reg))
	m.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true})
	return m
}

// observe counts one answered request.
func (m *metrics) observe(rt route, w *recorder, method string, start time.Time) {
	if rt.Method == "*" { // any other word a client may invent
		method = "other"
	}
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	m.requests.WithLabelValues(rt.Path, method, strconv.Itoa(status/100)+"xx").Inc()
	m.duration.WithLabelValues(rt.Path, method).Observe(time.Since(start).Seconds())
}

func getMetrics(a *api, w http.ResponseWriter, r *http.Request) error {
	a.metrics.handler.ServeHTTP(w, r)
	return nil
}

// registerKernel exports what the kernel counts itself.
func registerKernel(reg prometheus.Registerer, k *llmspell.Kernel) {
	gauge := func(name, help string, f func(llmspell.Stats) float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return f(k.Stats()) }))
	}
	gauge("llmspell_executions_running", "Executions running now.", func(s llmspell.Stats) float64 { return float64(s.ExecutionsRunning) })
	gauge("llmspell_executions_queued", "Executions waiting.", func(s llmspell.Stats) float64 { return float64(s.ExecutionsQueued) })
	gauge("llmspell_script_heap_bytes", "Counted bytes of all script heaps.", func(s llmspell.Stats) float64 { return float64(s.ScriptHeapBytes) })
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "llmspell_sessions", Help: "Open sessions.", ConstLabels: prometheus.Labels{"durable": "false"},
	}, func() float64 { return float64(k.Stats().Sessions) }))
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "llmspell_config_last_reload_successful", Help: "1 unless the last reload was refused.",
	}, func() float64 {
		if k.ReloadStatus().OK {
			return 1
		}
		return 0
	}))
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "llmspell_config_last_reload_success_timestamp_seconds", Help: "When the configuration in force was loaded.",
	}, func() float64 { return float64(k.ReloadStatus().LoadedAt.UnixNano()) / 1e9 }))
}
