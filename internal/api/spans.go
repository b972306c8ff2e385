package api

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// beginSpan begins a request's span, after OpenTelemetry's semantic conventions
// for HTTP servers, below that of a caller who sends a traceparent (W3C Trace
// Context).
func (a *api) beginSpan(route string, r *http.Request) (context.Context, trace.Span) {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	return a.Tracer.Start(ctx, route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", r.Method),
		attribute.String("http.route", route),
	))
}

// endSpan says how the request ended. Of an error it tells what the log does.
func (c *call) endSpan(span trace.Span, err error) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(
		attribute.Int("http.response.status_code", c.w.status),
		attribute.String("ragstone.request_id", c.id),
		attribute.String("ragstone.key_id", c.caller.KeyID),
		attribute.String("ragstone.project_id", c.caller.Tenant.ProjectID),
	)
	if err == nil {
		return
	}
	answer := explain(err, c)
	kind := answer.code
	if kind == "" {
		kind = fmt.Sprint(answer.status)
	}
	span.SetAttributes(attribute.String("error.type", kind))
	if answer.status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, kind)
	}
}
