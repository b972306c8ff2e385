package api

import (
	"time"

	"github.com/ragstone/ragstone/internal/platform/inference"
)

// Observation is what can be counted of an answered request.
type Observation struct {
	Route    string // the pattern that matched, such as POST /v1/embeddings
	Status   int
	Duration time.Duration
	Model    string // what ran; empty where none did
	Usage    inference.Usage
}

// observe tells the operator's counters of the call.
func (c *call) observe() {
	if c.api.Observe != nil {
		c.api.Observe(Observation{c.route.pattern, c.w.status, time.Since(c.w.began), c.model, c.usage})
	}
}
