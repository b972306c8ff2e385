package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/ragstone/ragstone/internal/config"
)

// traces sends spans to a collector. There are none unless the configuration
// names one: OTEL_EXPORTER_OTLP_ENDPOINT alone, which may lie in the environment
// for other programs, sends nothing out.
type traces struct{ provider *sdktrace.TracerProvider }

// tracesPath is where a collector takes spans, by the OTLP specification.
const tracesPath = "/v1/traces"

// openTraces returns nil where no collector is named.
func openTraces(ctx context.Context, c config.Config, log *slog.Logger) (*traces, error) {
	if c.TraceEndpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(c.TraceEndpoint)
	if err != nil {
		return nil, fmt.Errorf("trace to %s: %w", c.TraceEndpoint, err)
	}
	if u.Path == "" {
		u.Path = tracesPath
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()), otlptracehttp.WithHeaders(traceHeaders(c.TraceHeaders)))
	if err != nil {
		return nil, fmt.Errorf("trace to %s: %w", c.TraceEndpoint, err)
	}
	told := &loggingExporter{SpanExporter: exporter}
	told.warn = occasionally(time.Minute, func() { log.Warn("traces do not arrive", "collector", c.TraceEndpoint) })
	return &traces{sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(told),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(c.TraceSample))),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "ragstone"))),
	)}, nil
}

// traceHeaders are the pairs of NAME=VALUE,….
func traceHeaders(text string) map[string]string {
	headers := map[string]string{}
	for _, pair := range strings.Split(text, ",") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return headers
}

// tracer is nil where there are no traces.
func (t *traces) tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer("github.com/ragstone/ragstone")
}

// close sends what has not been sent. A collector that does not answer loses it:
// the server's end does not depend on it.
func (t *traces) close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // what was lost, the exporter has said
	return nil
}

// loggingExporter says in the log, now and then, that spans do not arrive.
type loggingExporter struct {
	sdktrace.SpanExporter
	warn func()
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *loggingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.warn()
	}
	return nil
}
