package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// collector is a server that takes spans, and remembers where they were sent.
func collector(t *testing.T) (url string, got chan string) {
	t.Helper()
	got = make(chan string, 16)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		got <- r.URL.Path + " " + r.Header.Get("api-key")
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func TestTracesGoWhereTheConfigurationSays(t *testing.T) {
	url, got := collector(t)
	ambient, stray := collector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", ambient)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=ambient")
	c := testConfig(t, t.TempDir())
	ask := func() {
		t.Helper()
		s := open(t, c, Options{})
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx) }()
		answer, err := http.Get("http://" + s.Addr().String() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		stop()
		if err := errors.Join(<-served, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	ask() // with no collector named
	c.TraceEndpoint, c.TraceSample, c.TraceHeaders = url, 1, "api-key=ours"
	ask()
	select {
	case where := <-got:
		if where != "/v1/traces ours" {
			t.Errorf("spans were sent to %q, want /v1/traces with our header", where)
		}
	default:
		t.Error("no spans were sent")
	}
	if len(stray) > 0 {
		t.Errorf("spans were sent to what only the environment names: %s", <-stray)
	}
}
