package server

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ragstone/ragstone/internal/api"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/llm"
)

// metrics are the operator's counters. Those of models have vLLM's names behind
// our prefix, so that its dashboards need little change.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	tokens   *prometheus.CounterVec
	attempts *prometheus.CounterVec
	retries  *prometheus.CounterVec
	waits    *prometheus.HistogramVec
}

func newMetrics(models []observedModel) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ragstone_http_requests_total", Help: "Answers, by route and status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ragstone_e2e_request_latency_seconds", Help: "Time from a request to the end of its answer, by route.",
			Buckets: []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300},
		}, []string{"route"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ragstone_tokens_total", Help: "Tokens of answered requests, by model and kind (input, output).",
		}, []string{"model_name", "kind"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ragstone_upstream_requests_total", Help: "Requests to upstreams, by outcome; a broken one had answered before.",
		}, []string{"upstream", "outcome"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ragstone_upstream_retries_total", Help: "Requests to upstreams that were not their caller's first.",
		}, []string{"upstream"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ragstone_upstream_time_to_first_byte_seconds", Help: "Time from a request to an upstream to the first byte of its answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, []string{"upstream"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.tokens, modelCollector(models), m.attempts, m.retries, m.waits,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler answers with all counters in Prometheus' format.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// observe counts an answer.
func (m *metrics) observe(o api.Observation) {
	m.requests.WithLabelValues(o.Route, strconv.Itoa(o.Status)).Inc()
	m.duration.WithLabelValues(o.Route).Observe(o.Duration.Seconds())
	if o.Model != "" {
		m.tokens.WithLabelValues(o.Model, "input").Add(float64(o.Usage.PromptTokens))
		m.tokens.WithLabelValues(o.Model, "output").Add(float64(o.Usage.CompletionTokens))
	}
}

// attempt counts a request to an upstream.
func (m *metrics) attempt(a upstream.Attempt) {
	m.attempts.WithLabelValues(a.Server, string(a.Outcome)).Inc()
	if a.Retry {
		m.retries.WithLabelValues(a.Server).Inc()
	}
	if a.Outcome == upstream.Answered {
		m.waits.WithLabelValues(a.Server).Observe(a.Duration.Seconds())
	}
}

// observeUpstreams has the health of upstreams read when it is asked for.
func (m *metrics) observeUpstreams(p *upstream.Pool) { m.registry.MustRegister(upstreamCollector{p}) }

// upstreamCollector reads the upstreams' health when it is asked.
type upstreamCollector struct{ pool *upstream.Pool }

var (
	breakerState     = prometheus.NewDesc("ragstone_upstream_breaker_state", "1 for the state of an upstream's circuit breaker.", []string{"upstream", "state"}, nil)
	upstreamsRunning = prometheus.NewDesc("ragstone_upstream_requests_running", "Requests that an upstream runs.", []string{"upstream"}, nil)
)

// Describe implements prometheus.Collector.
func (c upstreamCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- breakerState
	descs <- upstreamsRunning
}

// Collect implements prometheus.Collector.
func (c upstreamCollector) Collect(metrics chan<- prometheus.Metric) {
	for _, h := range c.pool.Health() {
		for _, state := range []string{"closed", "half-open", "open"} {
			is := 0.0
			if state == h.Breaker {
				is = 1
			}
			metrics <- prometheus.MustNewConstMetric(breakerState, prometheus.GaugeValue, is, h.Server, state)
		}
		metrics <- prometheus.MustNewConstMetric(upstreamsRunning, prometheus.GaugeValue, float64(h.Running), h.Server)
	}
}

// observedModel is a local model whose engine has counts.
type observedModel struct {
	name  string
	stats func() llm.Stats
}

// modelCollector reads the engines when it is asked.
type modelCollector []observedModel

// modelMetric is one number of an engine.
type modelMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(llm.Stats) float64
}

func level(name, help string, value func(llm.Stats) float64) modelMetric {
	return modelMetric{prometheus.NewDesc("ragstone_"+name, help, []string{"model_name"}, nil), prometheus.GaugeValue, value}
}

func total(name, help string, value func(llm.Stats) float64) modelMetric {
	return modelMetric{prometheus.NewDesc("ragstone_"+name+"_total", help, []string{"model_name"}, nil), prometheus.CounterValue, value}
}

var modelMetrics = []modelMetric{
	level("num_requests_running", "Requests that have a slot.", func(s llm.Stats) float64 { return float64(s.Running) }),
	level("num_requests_waiting", "Requests in the queue.", func(s llm.Stats) float64 { return float64(s.Waiting) }),
	level("kv_cache_usage_perc", "Part of the memory for keys and values that is reserved or kept, 1 is all.", func(s llm.Stats) float64 {
		return float64(s.Reserved+s.Kept) / float64(max(1, s.CacheBytes))
	}),
	level("kv_cache_bytes", "Memory for keys and values.", func(s llm.Stats) float64 { return float64(s.CacheBytes) }),
	level("load_seconds", "Time the last load of the model took.", func(s llm.Stats) float64 { return s.Loading.Seconds() }),
	total("requests", "Requests that have ended, however.", func(s llm.Stats) float64 { return float64(s.Requests) }),
	total("requests_failed", "Requests that ended with an error.", func(s llm.Stats) float64 { return float64(s.Failed) }),
	total("requests_cancelled", "Requests that were given up.", func(s llm.Stats) float64 { return float64(s.Cancelled) }),
	total("requests_refused", "Requests for which the queue had no place.", func(s llm.Stats) float64 { return float64(s.Refused) }),
	total("prompt_tokens", "Tokens of prompts.", func(s llm.Stats) float64 { return float64(s.PromptTokens) }),
	total("prefix_cache_hits", "Tokens of prompts that were found already computed.", func(s llm.Stats) float64 { return float64(s.CachedTokens) }),
	total("generation_tokens", "Tokens written.", func(s llm.Stats) float64 { return float64(s.CompletionTokens) }),
	total("spec_decode_num_draft_tokens", "Tokens guessed ahead.", func(s llm.Stats) float64 { return float64(s.GuessedTokens) }),
	total("spec_decode_num_accepted_tokens", "Tokens guessed ahead that were right.", func(s llm.Stats) float64 { return float64(s.GuessedRight) }),
	total("constrained_hurried", "Answers held to a schema or grammar whose cap made them take a shorter way out.", func(s llm.Stats) float64 { return float64(s.Hurried) }),
	total("num_preemptions", "Kept prompts that gave way to requests.", func(s llm.Stats) float64 { return float64(s.Evicted) }),
	total("engine_steps", "Runs of the model.", func(s llm.Stats) float64 { return float64(s.Steps) }),
	total("engine_busy_seconds", "Time spent in runs of the model.", func(s llm.Stats) float64 { return s.Busy.Seconds() }),
	total("request_queue_time_seconds", "Time requests have waited.", func(s llm.Stats) float64 { return s.Timings.Waited.Seconds() }),
	total("request_prefill_time_seconds", "Time from leaving the queue to the first token, of all requests.", func(s llm.Stats) float64 { return s.Timings.Reading.Seconds() }),
	total("request_decode_time_seconds", "Time from the first token to the last, of all requests.", func(s llm.Stats) float64 { return s.Timings.Writing.Seconds() }),
}

// Describe implements prometheus.Collector.
func (modelCollector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, m := range modelMetrics {
		descriptions <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c modelCollector) Collect(values chan<- prometheus.Metric) {
	for _, model := range c {
		stats := model.stats()
		for _, m := range modelMetrics {
			values <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(stats), model.name)
		}
	}
}
