package server

import (
	"context"
	"time"

	"github.com/ragstone/ragstone/internal/platform/inference"
)

// sweepEvery is how often what has expired is deleted.
const sweepEvery = time.Hour

// sweep deletes what has expired, now and from time to time, until ctx ends.
func (s *Server) sweep(ctx context.Context) {
	ticks := time.NewTicker(sweepEvery)
	defer ticks.Stop()
	for {
		n, err := s.state.DeleteCompletionsBefore(ctx, time.Now().Add(-inference.StoredFor))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("delete expired completions", "error", err)
		case n > 0:
			s.log.Info("deleted expired completions", "count", n)
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
	}
}
