package server

import (
	"context"
	"time"

	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/state"
)

// expireEvery is how often rows that are kept for a while are looked through.
const expireEvery = time.Hour

// expireCompletions is the job that deletes stored completions whose time is over.
type expireCompletions struct{}

func (expireCompletions) Kind() string { return "expire_completions" }

// expireAttempts is the same of the answers kept for requests that are sent again.
type expireAttempts struct{}

func (expireAttempts) Kind() string { return "expire_attempts" }

// workers do all jobs of a server.
func (s *Server) workers() []state.Worker {
	return append(append(s.files.Workers(), s.webhooks.Workers()...),
		state.Repeats[expireCompletions](expireEvery, func(ctx context.Context) error {
			return s.expire(ctx, "completions", inference.StoredFor, s.state.DeleteCompletionsBefore)
		}),
		state.Repeats[expireAttempts](expireEvery, func(ctx context.Context) error {
			return s.expire(ctx, "attempts", state.AttemptsFor, s.state.DeleteAttemptsBefore)
		}),
	)
}

// expire deletes the rows of a kind that have been kept for as long as they are.
func (s *Server) expire(ctx context.Context, kind string, kept time.Duration, deleteBefore func(context.Context, time.Time) (int64, error)) error {
	n, err := deleteBefore(ctx, time.Now().Add(-kept))
	if n > 0 {
		s.log.Info("deleted expired "+kind, "count", n)
	}
	return err
}
