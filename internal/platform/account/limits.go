package account

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// Rates are how fast a project may use one model.
type Rates struct {
	RequestsPerMinute int // default 10,000
	TokensPerMinute   int // prompt and completion together; default 2,000,000
}

func (r Rates) withDefaults() Rates {
	if r.RequestsPerMinute <= 0 {
		r.RequestsPerMinute = 10_000
	}
	if r.TokensPerMinute <= 0 {
		r.TokensPerMinute = 2_000_000
	}
	return r
}

// Limiter holds the buckets of all projects.
type Limiter struct {
	rates Rates

	mu    sync.Mutex // guards what follows, and every pool in it
	pools map[poolKey]*pool
}

// poolKey is what shares a pool of buckets.
type poolKey struct {
	tenant state.Tenant
	model  string
}

type pool struct{ requests, tokens bucket }

// NewLimiter returns a Limiter whose buckets are full.
func NewLimiter(rates Rates) *Limiter {
	return &Limiter{rates: rates.withDefaults(), pools: map[poolKey]*pool{}}
}

// bucket is a token bucket: it holds at most limit and gains limit a minute.
type bucket struct {
	limit int
	level float64
	at    time.Time // when level was true
}

func (b *bucket) refill(now time.Time) {
	gained := now.Sub(b.at).Minutes() * float64(b.limit)
	b.level, b.at = min(float64(b.limit), b.level+gained), now
}

// wait is how long the bucket takes to hold n.
func (b *bucket) wait(n float64) time.Duration {
	missing := max(0, n-b.level)
	return time.Duration(math.Ceil(missing / float64(b.limit) * float64(time.Minute)))
}

// Standing is the state of one bucket, as the rate-limit headers tell it.
type Standing struct {
	Limit     int           // what a full bucket holds, and gains in a minute
	Remaining int           // what it holds now
	Reset     time.Duration // until it is full
}

func (b *bucket) standing() Standing {
	return Standing{b.limit, int(max(0, b.level)), b.wait(float64(b.limit))}
}

// Limits are the buckets a request drew on.
type Limits struct{ Requests, Tokens Standing }

// LimitError means that a bucket does not hold what a request needs.
type LimitError struct {
	Model        string // as the request names it
	Organization string
	Unit         string // requests or tokens
	Limit        int
	Used         int // of the limit
	Requested    int
	RetryAfter   time.Duration // until there is enough; zero if there never will be
	Limits       Limits
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("rate limit for %s: %d of %d %s a minute are used, %d more were requested", e.Model, e.Used, e.Limit, e.Unit, e.Requested)
}

// TooLarge reports whether the request alone is beyond the limit, so that
// trying again cannot help.
func (e *LimitError) TooLarge() bool { return e.Requested > e.Limit }

// Demand is what a request is about to use.
type Demand struct {
	Tenant state.Tenant
	Model  string // what runs: names that mean the same model share its buckets
	Asked  string // the name the request gave it, for messages
	Tokens int    // an upper bound of prompt and completion
}

// Reserve takes one request and d.Tokens tokens from the caller's buckets, or
// returns a *LimitError. A request that is refused for its tokens still counts
// as a request. The reservation must be settled.
func (l *Limiter) Reserve(d Demand) (*Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	p := l.pool(poolKey{d.Tenant, d.Model}, now)
	if err := p.take(&p.requests, "requests", 1, d); err != nil {
		return nil, err
	}
	if err := p.take(&p.tokens, "tokens", d.Tokens, d); err != nil {
		return nil, err
	}
	return &Reservation{limiter: l, pool: p, tokens: d.Tokens, limits: p.limits()}, nil
}

// pool returns the refilled pool of a key.
func (l *Limiter) pool(key poolKey, now time.Time) *pool {
	p := l.pools[key]
	if p == nil {
		l.sweep(now)
		p = &pool{
			requests: bucket{l.rates.RequestsPerMinute, float64(l.rates.RequestsPerMinute), now},
			tokens:   bucket{l.rates.TokensPerMinute, float64(l.rates.TokensPerMinute), now},
		}
		l.pools[key] = p
	}
	p.requests.refill(now)
	p.tokens.refill(now)
	return p
}

// sweep forgets full pools once there are many: one made anew is as full.
func (l *Limiter) sweep(now time.Time) {
	const many = 10_000
	if len(l.pools) < many {
		return
	}
	for key, p := range l.pools {
		p.requests.refill(now)
		p.tokens.refill(now)
		if limits := p.limits(); limits.Requests.Reset == 0 && limits.Tokens.Reset == 0 {
			delete(l.pools, key)
		}
	}
}

// take takes n from one of the pool's buckets.
func (p *pool) take(b *bucket, unit string, n int, d Demand) error {
	if float64(n) > b.level {
		err := &LimitError{
			Model:        d.Asked,
			Organization: d.Tenant.OrganizationID,
			Unit:         unit,
			Limit:        b.limit,
			Used:         b.limit - int(max(0, b.level)),
			Requested:    n,
			Limits:       p.limits(),
		}
		if !err.TooLarge() {
			err.RetryAfter = b.wait(float64(n))
		}
		return err
	}
	b.level -= float64(n)
	return nil
}

func (p *pool) limits() Limits { return Limits{p.requests.standing(), p.tokens.standing()} }

// Reservation is what a running request has taken.
type Reservation struct {
	limiter *Limiter
	pool    *pool
	limits  Limits
	tokens  int
	settled bool
}

// Limits returns the buckets as the reservation left them.
func (r *Reservation) Limits() Limits { return r.limits }

// Settle gives back what the request did not use. Only the first call counts.
func (r *Reservation) Settle(used int) {
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	if r.settled {
		return
	}
	r.settled = true
	b := &r.pool.tokens
	b.refill(time.Now())
	b.level = min(float64(b.limit), b.level+float64(r.tokens-used))
}
