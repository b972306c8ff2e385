package catalog

import (
	"errors"
	"fmt"
	"strings"
)

// Conditions a caller can act on.
var (
	// ErrNotFound says that a reference names no model we know.
	ErrNotFound = errors.New("no such model")

	// ErrTerms says that the model's terms of use were not accepted.
	ErrTerms = errors.New("its terms of use have not been accepted")

	// ErrUnreachable says that a source did not answer at all.
	ErrUnreachable = errors.New("not reachable")
)

// A PullError says that no source had the model, and why.
type PullError struct {
	Model string
	Tried []Attempt // in order; empty where the model has no source left
}

// An Attempt is one source that failed.
type Attempt struct {
	Source string
	Err    error
}

// Error lists every source with its reason, a line each.
func (e *PullError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pull %s: none of its sources could be used", e.Model)
	for _, a := range e.Tried {
		fmt.Fprintf(&b, "\n  %s: %v", a.Source, a.Err)
	}
	return b.String()
}

// Unwrap is the attempts' errors.
func (e *PullError) Unwrap() []error {
	errs := make([]error, len(e.Tried))
	for i, a := range e.Tried {
		errs[i] = a.Err
	}
	return errs
}

// A HashError says that a source gave other bytes than were promised. They have
// been removed.
type HashError struct {
	File      string
	Kind      string // "SHA-256" or "git blob"
	Got, Want string
}

func (e *HashError) Error() string {
	return fmt.Sprintf("%s has %s %s, want %s; it was removed", e.File, e.Kind, e.Got, e.Want)
}

// A SpaceError says that a model does not fit on the disk.
type SpaceError struct {
	Dir        string
	Need, Free int64 // bytes
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("%s has %d MB free, %d MB are needed", e.Dir, e.Free/1e6, (e.Need+1e6-1)/1e6)
}

// A storeError is a problem of the store itself, such as a full disk: another
// source would meet it too.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// inStore marks an error as the store's own.
func inStore(err error) error {
	if err == nil {
		return nil
	}
	return &storeError{err}
}
