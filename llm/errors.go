package llm

import (
	"errors"
	"fmt"
)

var (
	// ErrBusy means that the queue is full: try again later.
	ErrBusy = errors.New("the model is busy: its queue is full")

	// ErrClosed means that the model has been closed.
	ErrClosed = errors.New("the model is closed")

	// ErrNoTemplate means that the model has no chat template, so it cannot
	// answer Messages; it may still take a Prompt.
	ErrNoTemplate = errors.New("the model has no chat template: it continues text but does not chat")
)

// ContextLengthError reports a text that does not fit the model's window.
// Nothing is ever cut to make it fit.
type ContextLengthError struct {
	Limit     int // tokens the model can see
	Requested int // tokens the text has
}

func (e *ContextLengthError) Error() string {
	return fmt.Sprintf("the text has %d tokens, the model's context holds %d", e.Requested, e.Limit)
}

// OpenError reports a model that could not be opened: its file is missing,
// damaged, of a kind that is not supported, or fits no limit, as Err says.
type OpenError struct {
	Path string
	Kind string // "model" or "embedding model"
	Err  error
}

func (e *OpenError) Error() string { return fmt.Sprintf("open %s %s: %v", e.Kind, e.Path, e.Err) }
func (e *OpenError) Unwrap() error { return e.Err }

// MemoryError reports a model or a request that does not fit the memory limit
// even with nothing else loaded or running.
type MemoryError struct {
	What  string // what needs the memory
	Need  int64  // bytes
	Limit int64  // bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%s needs %s of memory, the limit leaves %s", e.What, megabytes(e.Need), megabytes(e.Limit))
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// InvalidError reports a field of a request that makes no sense.
type InvalidError struct {
	Field  string // its name in Request or ScoreRequest
	Reason string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("invalid %s: %s", e.Field, e.Reason) }

// UpstreamError is an answer of an upstream server that is not a success.
type UpstreamError struct {
	Status  int    // HTTP status; 0 when the error came inside a stream
	Message string // what the server said, shortened
	Type    string // the server's own kind of error, or empty
	Code    string // the server's own code, or empty
	Param   string // the field of the request it refuses, or empty
}

func (e *UpstreamError) Error() string {
	if e.Status == 0 {
		return "the upstream ended its stream with an error: " + e.Message
	}
	return fmt.Sprintf("the upstream answered with status %d: %s", e.Status, e.Message)
}
