// Package api is the HTTP side of the platform: which address means what, who
// may call it, how an answer is written, and what a failure looks like.
//
// Routes is the whole surface on one screen. A handler reads like its request:
// decode the body, call internal/platform, write the answer or return the
// error. Around every handler one function (serve, in serve.go) does what all
// requests need: an id, the key, the headers OpenAI documents, the time limits,
// a log line, and the one place where an error becomes an answer (errors.go).
//
// # Streams
//
// A streamed answer is server-sent events: one "data:" line and an empty line
// an event, flushed as it is written, the last one [DONE]. Whatever can be
// wrong with a request shows before the first byte and is a plain JSON error.
// A stream that breaks later ends with an error event and no [DONE], so that a
// client cannot take half an answer for a whole one. A stream that has been
// silent for a while is sent a comment (pulse.go), the first of which takes the
// place of the first byte. A caller that goes away cancels its work.
//
// # Attempts
//
// A POST with an Idempotency-Key runs once, goes on without its caller, and
// answers whatever is sent again within a day (attempts.go).
//
// # Limits
//
// Bodies, headers and the time to read, to answer and to take a piece of an
// answer are bounded (serve.go), and so is what the bodies of all requests take
// together while they are read and decoded (body.go). Bodies must be JSON, but for
// files, whose form is read as it arrives (form.go); a page elsewhere cannot post
// one, since a key is needed for everything but /healthz, /readyz and, from this
// machine, /metrics. Pages of other origins may read answers only if their
// origin is listed (cors.go).
//
// # Logs and traces
//
// Only this package and internal/server log. A line names the request's id,
// route, status, times, key and token counts; never a word of a prompt, an
// answer or a key. Neither do the spans of a request's trace (spans.go).
package api
