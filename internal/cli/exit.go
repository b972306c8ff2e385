package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/ragstone/ragstone/internal/catalog"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/server"
	"github.com/ragstone/ragstone/vector"
)

// Exit codes, documented in the package comment, in `ragstone --help` and in
// docs/operating.md.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNoAnswer    = 3
	exitInterrupted = 130
)

// exitError ends the program with a code of its own; a nil cause prints
// nothing.
type exitError struct {
	code  int
	cause error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }

// misuse is an error of the command line or of a setting.
func misuse(format string, arguments ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, arguments...)}
}

// misuses are conditions that only what was asked for can bring about: values
// that cannot be, and names of what is not there.
var misuses = []error{
	account.ErrNoSuchKey, account.ErrName, account.ErrPermission, account.ErrMoney, account.ErrLimit, account.ErrBudget, account.ErrArchived, account.ErrDefaultProject,
	catalog.ErrNotFound, catalog.ErrTerms,
	server.ErrCertificate,
	vector.ErrInvalid, vector.ErrNotFound, vector.ErrSchema,
}

// isMisuse reports whether an error is of the command line or of a setting,
// though its command has not said so.
func (a *app) isMisuse(err error) bool {
	if _, ok := errors.AsType[*account.NotFoundError](err); ok {
		return true
	}
	if slices.ContainsFunc(misuses, func(m error) bool { return errors.Is(err, m) }) {
		return true
	}
	path, ok := errors.AsType[*fs.PathError](err)
	return ok && errors.Is(err, fs.ErrNotExist) && path.Path == a.config.SecretFile
}

// exitCode prints an error, unless it has nothing to say, and returns its code.
func (a *app) exitCode(ctx context.Context, err error, stderr io.Writer) int {
	exit, coded := errors.AsType[*exitError](err)
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "ragstone: interrupted")
		return exitInterrupted
	case coded && exit.cause == nil:
		return exit.code
	}
	fmt.Fprintln(stderr, "ragstone:", err)
	switch {
	case coded:
		return exit.code
	case a.isMisuse(err):
		return exitUsage
	}
	return exitFailed
}
