package server

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/api"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/llm"
)

func TestMetrics(t *testing.T) {
	stats := llm.Stats{Running: 2, Waiting: 1, Reserved: 30, Kept: 20, CacheBytes: 100, PromptTokens: 500, CachedTokens: 400, Timings: llm.Timings{Waited: 1500 * time.Millisecond}}
	m := newMetrics([]observedModel{{"small", func() llm.Stats { return stats }}})
	m.observe(api.Observation{Route: "POST /v1/embeddings", Status: 200, Duration: time.Second, Model: "small", Usage: inference.Usage{PromptTokens: 7}})
	m.observe(api.Observation{Route: "POST /v1/embeddings", Status: 429})
	answer := httptest.NewRecorder()
	m.handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`ragstone_http_requests_total{route="POST /v1/embeddings",status="200"} 1`,
		`ragstone_http_requests_total{route="POST /v1/embeddings",status="429"} 1`,
		`ragstone_e2e_request_latency_seconds_count{route="POST /v1/embeddings"} 2`,
		`ragstone_tokens_total{kind="input",model_name="small"} 7`,
		`ragstone_num_requests_running{model_name="small"} 2`,
		`ragstone_kv_cache_usage_perc{model_name="small"} 0.5`,
		`ragstone_prefix_cache_hits_total{model_name="small"} 400`,
		`ragstone_request_queue_time_seconds_total{model_name="small"} 1.5`,
	} {
		if !strings.Contains(answer.Body.String(), want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	stats.PromptTokens = 600
	answer = httptest.NewRecorder()
	m.handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if want := `ragstone_prompt_tokens_total{model_name="small"} 600`; !strings.Contains(answer.Body.String(), want) {
		t.Errorf("asked again, the metrics lack %s", want)
	}
}
