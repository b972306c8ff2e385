package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options are what a Pool may be told beside its servers.
type Options struct {
	// Patience is how long after a request came a server may still be asked a
	// second time; for the first time each may be at any. Default 30 seconds.
	Patience time.Duration

	// Observe is told of every attempt, if it is set.
	Observe func(Attempt)

	// Transport carries the requests. By default they go straight to the
	// servers, by way of no proxy.
	Transport http.RoundTripper

	// Random draws from [0, 1), safe for concurrent use: which server is asked
	// first, and how long a back-off is. Default rand.Float64.
	Random func() float64
}

// Attempt is what became of one request to one server.
type Attempt struct {
	Server   string
	Outcome  Outcome
	Retry    bool          // it was not the request's first
	Duration time.Duration // to the first byte, or to the failure
}

// Outcome says how an attempt went.
type Outcome string

// The outcomes. A broken one had answered, and then broke off.
const (
	Answered  Outcome = "answered"
	Refused   Outcome = "refused"
	Limited   Outcome = "limited"
	Failed    Outcome = "failed"
	Broken    Outcome = "broken"
	Cancelled Outcome = "cancelled"
)

// outcomeOf names the end of an attempt.
func outcomeOf(err error) Outcome {
	e, ok := errors.AsType[*Error](err)
	switch {
	case err == nil:
		return Answered
	case !ok:
		return Cancelled
	case e.Status == http.StatusTooManyRequests:
		return Limited
	case e.fails():
		return Failed
	}
	return Refused
}

// Pool is a set of servers. Close ends its probes.
type Pool struct {
	peers    []*peer
	patience time.Duration
	observe  func(Attempt)
	random   func() float64
	lists    []*listing // of peers, by index

	stop   context.CancelFunc
	probes sync.WaitGroup
}

// New returns a pool of servers, and begins to probe those that want it. The
// error names everything that is wrong with them.
func New(servers []Server, o Options) (*Pool, error) {
	var problems []error
	named := map[string]bool{}
	for _, s := range servers {
		problems = append(problems, s.Validate())
		if named[s.Name] {
			problems = append(problems, fmt.Errorf("upstream %s: there are two of that name", s.Name))
		}
		named[s.Name] = true
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	p := &Pool{patience: cmp.Or(o.Patience, 30*time.Second), observe: o.Observe, random: o.Random}
	if p.observe == nil {
		p.observe = func(Attempt) {}
	}
	if p.random == nil {
		p.random = rand.Float64
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	for _, s := range servers {
		peer := newPeer(s, o.Transport)
		p.peers = append(p.peers, peer)
		p.lists = append(p.lists, &listing{peer: peer})
		if s.Probe > 0 {
			p.probes.Go(func() { peer.probe(ctx) })
		}
	}
	return p, nil
}

// Close ends the probes. Requests that run go on. A nil Pool has none.
func (p *Pool) Close() error {
	if p == nil {
		return nil
	}
	p.stop()
	p.probes.Wait()
	for _, peer := range p.peers {
		(&http.Client{Transport: peer.transport}).CloseIdleConnections()
	}
	return nil
}

// Serves reports whether a server serves a name. A nil Pool serves none.
func (p *Pool) Serves(name string) bool {
	if p == nil {
		return false
	}
	return slices.ContainsFunc(p.peers, func(s *peer) bool { _, ok := s.called(name); return ok })
}

// candidate is a server that may answer a request.
type candidate struct {
	*peer
	model string // what it calls it
	left  int    // attempts
	since time.Time
}

// choose returns the servers of a name in the order they are to be asked: by
// priority, and within one in an order drawn by weight.
func (p *Pool) choose(name string) []candidate {
	var chosen []candidate
	for _, s := range p.peers {
		if model, ok := s.called(name); ok {
			chosen = append(chosen, candidate{peer: s, model: model, left: 1 + s.Retries})
		}
	}
	slices.SortStableFunc(chosen, func(a, b candidate) int { return cmp.Compare(a.Priority, b.Priority) })
	for at := 0; at < len(chosen); {
		end := at
		for end < len(chosen) && chosen[end].Priority == chosen[at].Priority {
			end++
		}
		p.shuffle(chosen[at:end])
		at = end
	}
	return chosen
}

// shuffle draws one by weight to be the first, then one of the others, and so
// on.
func (p *Pool) shuffle(group []candidate) {
	for len(group) > 1 {
		sum := 0
		for _, c := range group {
			sum += c.Weight
		}
		drawn, at := p.random()*float64(sum), 0
		for at < len(group)-1 && drawn >= float64(group[at].Weight) {
			drawn -= float64(group[at].Weight)
			at++
		}
		group[0], group[at] = group[at], group[0]
		group = group[1:]
	}
}

// Health is what is known of a server.
type Health struct {
	Server  string
	Breaker string // closed, half-open or open
	Running int    // requests
}

// Health returns what is known of the servers, in the order given to New.
func (p *Pool) Health() []Health {
	if p == nil {
		return nil
	}
	var all []Health
	for _, s := range p.peers {
		all = append(all, Health{s.Name, s.breaker.State().String(), len(s.slots)})
	}
	return all
}
