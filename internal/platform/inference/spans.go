package inference

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/ragstone/ragstone/llm"
)

// operation is what is asked of a model, by the names of OpenTelemetry's
// semantic conventions for generative AI.
type operation string

const (
	opChat       operation = "chat"
	opCompletion operation = "text_completion"
	opEmbeddings operation = "embeddings"
	opModeration operation = "moderation" // which they do not name
)

// operationOf is what an address of an upstream does.
var operationOf = map[string]operation{"/chat/completions": opChat, "/completions": opCompletion, "/embeddings": opEmbeddings, "/moderations": opModeration}

// work is the trace of one operation: a span, with spans of its phases below:
// admission, queue, prefill, decode, settle. Where the request is not traced it
// costs next to nothing. Spans hold names, counts and times; never a word of a
// prompt or an answer, which errors may quote, so that of these the type is told.
type work struct {
	ctx     context.Context
	span    trace.Span
	started time.Time // when the model was asked
}

// beginWork begins the trace of an operation below the request's span.
func beginWork(ctx context.Context, op operation, r *route) *work {
	ctx, span := tracerOf(ctx).Start(ctx, string(op)+" "+r.model.Name, trace.WithAttributes(
		attribute.String("gen_ai.operation.name", string(op)),
		attribute.String("gen_ai.request.model", r.asked),
	))
	return &work{ctx: ctx, span: span, started: time.Now()}
}

// tracerOf is a tracer of whoever traces the request.
func tracerOf(ctx context.Context) trace.Tracer {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer("github.com/ragstone/ragstone/internal/platform/inference")
}

// phase begins a span below the work's.
func (w *work) phase(name string) trace.Span {
	_, span := tracerOf(w.ctx).Start(w.ctx, name)
	return span
}

// admitted notes that the model is asked from now on, for the answer of an id.
func (w *work) admitted(id string) {
	w.started = time.Now()
	w.span.SetAttributes(attribute.String("gen_ai.response.id", id))
}

// told adds what the model has told with its last piece: how long it was in each
// phase, which lie one behind the other.
func (w *work) told(t llm.Timings) {
	if !w.span.IsRecording() || t == (llm.Timings{}) {
		return
	}
	at := w.started
	for _, phase := range []struct {
		name string
		took time.Duration
	}{{"load", t.Loading}, {"queue", t.Waited}, {"prefill", t.Reading}, {"decode", t.Writing}} {
		if phase.name == "load" && phase.took == 0 {
			continue // it was in memory
		}
		_, span := tracerOf(w.ctx).Start(w.ctx, phase.name, trace.WithTimestamp(at))
		at = at.Add(phase.took)
		span.End(trace.WithTimestamp(at))
	}
}

// took adds what ran, where, and how much it took.
func (w *work) took(head Head, u Usage) {
	provider := head.Upstream
	if provider == "" {
		provider = "ragstone"
	}
	w.span.SetAttributes(
		attribute.String("gen_ai.provider.name", provider),
		attribute.String("gen_ai.response.model", head.Model),
		attribute.Int("gen_ai.usage.input_tokens", u.PromptTokens),
		attribute.Int("gen_ai.usage.output_tokens", u.CompletionTokens),
	)
}

// end ends the work's span. Ending twice is fine.
func (w *work) end(err error) { endSpan(w.span, err) }

func endSpan(span trace.Span, err error) {
	failSpan(span, err)
	span.End()
}

func failSpan(span trace.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	kind := fmt.Sprintf("%T", err)
	span.SetAttributes(attribute.String("error.type", kind))
	span.SetStatus(codes.Error, kind)
}
