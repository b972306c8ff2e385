package server

import (
	"context"
	"time"

	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/state"
)

// sweepEvery is how often what has expired is deleted.
const sweepEvery = time.Hour

// expiring is a kind of row that is kept for a while.
type expiring struct {
	name   string
	lasts  time.Duration
	delete func(*state.Store, context.Context, time.Time) (int64, error)
}

var expirings = []expiring{
	{"completions", inference.StoredFor, (*state.Store).DeleteCompletionsBefore},
	{"attempts", state.AttemptsFor, (*state.Store).DeleteAttemptsBefore},
}

// sweep deletes what has expired, now and from time to time, until ctx ends.
func (s *Server) sweep(ctx context.Context) {
	ticks := time.NewTicker(sweepEvery)
	defer ticks.Stop()
	for {
		for _, e := range expirings {
			n, err := e.delete(s.state, ctx, time.Now().Add(-e.lasts))
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				s.log.Error("delete expired "+e.name, "error", err)
			case n > 0:
				s.log.Info("deleted expired "+e.name, "count", n)
			}
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
	}
}
