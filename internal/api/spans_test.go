package api

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ragstone/ragstone/internal/platform/account"
)

// traced is a server whose spans are kept.
func traced(t *testing.T) (*testServer, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) { c.Tracer = provider.Tracer("test") })
	return s, spans
}

// outline is the spans' names, each after its parent's, with what is worth
// reading of them.
func outline(spans tracetest.SpanStubs) string {
	var lines []string
	names := map[string]string{}
	for _, s := range spans {
		names[s.SpanContext.SpanID().String()] = s.Name
	}
	for _, s := range spans {
		line := s.Name
		if parent := names[s.Parent.SpanID().String()]; parent != "" {
			line = parent + " > " + line
		}
		for _, a := range s.Attributes {
			switch a.Key {
			case "gen_ai.operation.name", "gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "http.response.status_code", "error.type":
				line += fmt.Sprintf(" %s=%s", a.Key[strings.LastIndex(string(a.Key), ".")+1:], a.Value.String())
			}
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestSpans(t *testing.T) {
	tests := []struct{ name, address, body, want string }{
		{"chat", "/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello there"}]}`, `
POST /v1/chat/completions > chat fake-chat name=chat model=gpt-4o-mini input_tokens=2 output_tokens=8
POST /v1/chat/completions status_code=200
chat fake-chat > admission
chat fake-chat > settle`},
		{"a stream that breaks", "/v1/completions", `{"model":"fake-chat","stream":true,"prompt":"BREAK it"}`, `
POST /v1/completions > text_completion fake-chat name=text_completion model=fake-chat type=*llm.UpstreamError input_tokens=12 output_tokens=2
POST /v1/completions status_code=200 type=upstream_error
text_completion fake-chat > admission
text_completion fake-chat > settle`},
		{"embeddings", "/v1/embeddings", `{"model":"text-embedding-3-small","input":"Hello there"}`, `
POST /v1/embeddings > embeddings fake-embed name=embeddings model=text-embedding-3-small input_tokens=2 output_tokens=0
POST /v1/embeddings status_code=200
embeddings fake-embed > admission
embeddings fake-embed > settle`},
		{"a model that is not there", "/v1/embeddings", `{"model":"other","input":"Hello there"}`, `
POST /v1/embeddings status_code=404 type=model_not_found`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, spans := traced(t)
			io.Copy(io.Discard, s.post(t, t.Context(), test.address, test.body).Body)
			s.Close() // waits for the handler's end
			if got := outline(spans.GetSpans()); got != strings.TrimPrefix(test.want, "\n") {
				t.Errorf("got\n%s\nwant%s", got, test.want)
			}
		})
	}
}

// The phases that a local model tells lie one behind the other.
func TestSpansOfPhases(t *testing.T) {
	s, spans := traced(t)
	io.Copy(io.Discard, s.post(t, t.Context(), "/v1/completions", `{"model":"fake-chat","prompt":"TIMED"}`).Body)
	s.Close()
	phases := map[string]tracetest.SpanStub{}
	for _, span := range spans.GetSpans() {
		phases[span.Name] = span
	}
	took := func(name string) time.Duration { return phases[name].EndTime.Sub(phases[name].StartTime) }
	if q, p, d := took("queue"), took("prefill"), took("decode"); q != time.Second || p != 2*time.Second || d != 3*time.Second {
		t.Errorf("queue took %s, prefill %s, decode %s; want 1s, 2s, 3s", q, p, d)
	}
	if phases["prefill"].StartTime != phases["queue"].EndTime || phases["decode"].StartTime != phases["prefill"].EndTime {
		t.Error("the phases overlap or leave gaps")
	}
}

// A caller's traceparent is the parent of the request's span.
func TestSpansBelongToTheCallersTrace(t *testing.T) {
	s, spans := traced(t)
	request, err := http.NewRequest("GET", s.URL+"/v1/models", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.project.Secret)
	request.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	s.Close()
	got := spans.GetSpans()
	if len(got) != 1 || got[0].SpanContext.TraceID().String() != "4bf92f3577b34da6a3ce929d0e0e4736" || got[0].Parent.SpanID().String() != "00f067aa0ba902b7" {
		t.Errorf("spans %+v, want one below the caller's", got)
	}
}

// Neither spans nor logs hold a key or a word of what was asked or answered,
// whatever went wrong.
func TestKeysAndContentsStayOutOfSpansAndLogs(t *testing.T) {
	s, spans := traced(t)
	const words = "marzipan-and-quince"
	for _, who := range []string{"project", "admin", "revoked", "wrong"} {
		for _, body := range []string{
			`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + words + `"}]}`,
			`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + words + ` BREAK PANIC"}]}`,
			`{"model":"` + words + `","messages":[{"role":"user","content":"x"}]}`,
			`{"model":"gpt-4o-mini","` + words + `":1}`,
			`{"model":"gpt-4o-mini","messages":[{"role":"` + words + `","content":"x"}]}`,
			words,
		} {
			s.send(t, t.Context(), who, "a-key-"+fmt.Sprint(len(body)), "/v1/chat/completions?key="+s.secret(who), body)
		}
	}
	s.Close()
	told := fmt.Sprintf("%+v", spans.GetSpans()) + s.log.String()
	for _, secret := range []string{words, "one two", s.project.Secret, s.admin.Secret, s.revoked.Secret, s.secret("wrong")} {
		if i := strings.Index(told, secret); i >= 0 {
			t.Errorf("spans or log hold %q:\n…%s…", secret, told[max(0, i-300):min(len(told), i+100)])
		}
	}
}
