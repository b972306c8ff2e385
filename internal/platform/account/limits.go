package account

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// Rates are how fast a project may use one model.
type Rates struct {
	RequestsPerMinute int // default 10,000
	TokensPerMinute   int // prompt and completion together; default 2,000,000
	RequestsPerDay    int // zero: any number

	// Of uses that this server does not have, and of which none can be too many:
	// they are kept as they are set, and shown. Zero: nothing is set.
	ImagesPerMinute         int
	AudioMegabytesPerMinute int
	BatchTokensPerDay       int
}

// limited pairs the numbers of rates with those of a stored limit.
func (r *Rates) limited(l *state.Limit) []ratePair {
	return []ratePair{
		{&r.RequestsPerMinute, &l.RequestsPerMinute}, {&r.TokensPerMinute, &l.TokensPerMinute}, {&r.RequestsPerDay, &l.RequestsPerDay},
		{&r.ImagesPerMinute, &l.ImagesPerMinute}, {&r.AudioMegabytesPerMinute, &l.AudioMegabytesPerMinute}, {&r.BatchTokensPerDay, &l.BatchTokensPerDay},
	}
}

type ratePair struct {
	rate   *int
	stored *int64
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

// Kinds of use. A model that is used in two ways has pools for each.
const (
	KindCompletions = "completions"
	KindEmbeddings  = "embeddings"
	KindModerations = "moderations"
)

// Limiter holds the buckets of all projects: in memory or, where servers share
// a database, there.
type Limiter struct {
	defaults  Rates
	directory *directory   // of stored limits; nil: there are none
	shared    *state.Store // keeps the pools; nil: this Limiter does

	mu    sync.Mutex // guards what follows, and every pool in it
	pools map[poolKey]*pool
}

// poolKey is what shares a pool of buckets.
type poolKey struct {
	tenant state.Tenant
	model  string
	kind   string
}

// pool is the buckets that a project draws on for a model.
type pool struct {
	requests, tokens bucket
	daily            bucket // of requests; its limit is zero where there is none
}

// NewLimiter returns a Limiter whose buckets are full.
func NewLimiter(rates Rates) *Limiter {
	return &Limiter{defaults: rates.withDefaults(), pools: map[poolKey]*pool{}}
}

// rates is how fast a project may use a model now: as its own limit says, else
// the organization's, else the defaults. A project's limit never passes the
// organization's.
func (l *Limiter) rates(tenant state.Tenant, model string) Rates {
	r := l.defaults
	if l.directory == nil {
		return r
	}
	s := l.directory.last.Load()
	if s == nil {
		return r
	}
	r = r.with(s.limits[limitKey{tenant.OrganizationID, "", model}])
	own := s.limits[limitKey{tenant.OrganizationID, tenant.ProjectID, model}]
	if tenant.ProjectID == "" {
		return r
	}
	most := r
	r = r.with(own)
	r.RequestsPerMinute = min(r.RequestsPerMinute, most.RequestsPerMinute)
	r.TokensPerMinute = min(r.TokensPerMinute, most.TokensPerMinute)
	if most.RequestsPerDay > 0 {
		r.RequestsPerDay = min(r.RequestsPerDay, most.RequestsPerDay)
	}
	return r
}

// with is r with what a stored limit sets.
func (r Rates) with(stored state.Limit) Rates {
	for _, n := range r.limited(&stored) {
		if *n.stored > 0 {
			*n.rate = int(*n.stored)
		}
	}
	return r
}

// bucket is a token bucket: it holds at most limit and gains limit in a
// period.
type bucket struct {
	limit  int
	period time.Duration
	level  float64
	at     time.Time // when level was true
}

func fullBucket(limit int, period time.Duration, now time.Time) bucket {
	return bucket{limit, period, float64(limit), now}
}

// refill brings the bucket to a time. Where servers share it, their clocks may
// disagree: it gains by the one that is ahead.
func (b *bucket) refill(now time.Time) {
	if now.Before(b.at) {
		return
	}
	gained := float64(now.Sub(b.at)) / float64(b.period) * float64(b.limit)
	b.level, b.at = min(float64(b.limit), b.level+gained), now
}

// resize gives the bucket another limit. What was used of the old one is used
// of the new one.
func (b *bucket) resize(limit int) {
	if limit != b.limit {
		b.level = max(0, float64(limit)-(float64(b.limit)-b.level))
		b.limit = limit
	}
}

// wait is how long the bucket takes to hold n.
func (b *bucket) wait(n float64) time.Duration {
	if b.limit == 0 {
		return 0
	}
	missing := max(0, n-b.level)
	return time.Duration(math.Ceil(missing / float64(b.limit) * float64(b.period)))
}

// Standing is the state of one bucket, as the rate-limit headers tell it.
type Standing struct {
	Limit     int           // what a full bucket holds, and gains in a minute or, of daily requests, in a day
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
	Daily        bool   // of a day; else of a minute
	Limit        int
	Used         int // of the limit
	Requested    int
	RetryAfter   time.Duration // until there is enough; zero if there never will be
	Limits       Limits
}

func (e *LimitError) Error() string {
	per := "minute"
	if e.Daily {
		per = "day"
	}
	return fmt.Sprintf("rate limit for %s: %d of %d %s a %s are used, %d more were requested", e.Model, e.Used, e.Limit, e.Unit, per, e.Requested)
}

// TooLarge reports whether the request alone is beyond the limit, so that
// trying again cannot help.
func (e *LimitError) TooLarge() bool { return e.Requested > e.Limit }

// Demand is what a request is about to use.
type Demand struct {
	Tenant state.Tenant
	Model  string // what runs: names that mean the same model share its buckets
	Asked  string // the name the request gave it, for messages
	Kind   string // of use
	Tokens int    // an upper bound of prompt and completion
}

// Reserve takes one request and d.Tokens tokens from the caller's buckets, or
// returns a *LimitError or, where servers share the buckets, an error of the
// store. A request that is refused counts as one of its minute: it takes what is
// left there, so that who does not wait does not get in. The reservation must be
// settled.
func (l *Limiter) Reserve(ctx context.Context, d Demand) (*Reservation, error) {
	r := &Reservation{limiter: l, key: poolKey{d.Tenant, d.Model, d.Kind}, tokens: d.Tokens}
	var refused *LimitError
	if err := l.change(ctx, r.key, func(p *pool) { refused = p.draw(d); r.limits = p.limits() }); err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	return r, nil
}

// draw takes what a demand needs, or says what is missing.
func (p *pool) draw(d Demand) *LimitError {
	late := p.requests.take(1)
	switch {
	case p.daily.limit > 0 && p.daily.level < 1:
		e := p.refuse(&p.daily, "requests", 1, d)
		e.Daily = true
		return e
	case late:
		return p.refuse(&p.requests, "requests", 1, d)
	case float64(d.Tokens) > p.tokens.level:
		return p.refuse(&p.tokens, "tokens", d.Tokens, d)
	}
	p.tokens.level -= float64(d.Tokens)
	p.daily.take(1)
	return nil
}

// take takes n from the bucket or, and reports it, the less that is there.
func (b *bucket) take(n float64) (missing bool) {
	missing = n > b.level
	b.level = max(0, b.level-n)
	return missing
}

// change lets do change a pool, which is as full as it is by now and of its
// rates' size.
func (l *Limiter) change(ctx context.Context, key poolKey, do func(*pool)) error {
	rates := l.rates(key.tenant, key.model)
	if l.shared != nil {
		return l.shared.ChangePool(ctx, key.name(), func(levels []byte) []byte { return changed(levels, rates, do) })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	p := l.pools[key]
	if p == nil {
		l.sweep(now)
		p = fullPool(rates, now)
		l.pools[key] = p
	}
	p.bring(now, rates)
	do(p)
	return nil
}

func fullPool(r Rates, now time.Time) *pool {
	return &pool{
		requests: fullBucket(r.RequestsPerMinute, time.Minute, now),
		tokens:   fullBucket(r.TokensPerMinute, time.Minute, now),
		daily:    fullBucket(r.RequestsPerDay, 24*time.Hour, now),
	}
}

// bring brings the pool to a time and to the size of rates.
func (p *pool) bring(now time.Time, r Rates) {
	p.refill(now)
	p.requests.resize(r.RequestsPerMinute)
	p.tokens.resize(r.TokensPerMinute)
	p.daily.resize(r.RequestsPerDay)
}

func (p *pool) refill(now time.Time) {
	p.requests.refill(now)
	p.tokens.refill(now)
	p.daily.refill(now)
}

// sweep forgets full pools once there are many: one made anew is as full.
func (l *Limiter) sweep(now time.Time) {
	const many = 10_000
	if len(l.pools) < many {
		return
	}
	for key, p := range l.pools {
		p.refill(now)
		full := func(b *bucket) bool { return b.wait(float64(b.limit)) == 0 }
		if full(&p.requests) && full(&p.tokens) && full(&p.daily) {
			delete(l.pools, key)
		}
	}
}

// refuse says that a bucket of the pool does not hold n.
func (p *pool) refuse(b *bucket, unit string, n int, d Demand) *LimitError {
	e := &LimitError{
		Model:        d.Asked,
		Organization: d.Tenant.OrganizationID,
		Unit:         unit,
		Limit:        b.limit,
		Used:         b.limit - int(max(0, b.level)),
		Requested:    n,
		Limits:       p.limits(),
	}
	if !e.TooLarge() {
		e.RetryAfter = b.wait(float64(n))
	}
	return e
}

// limits are the buckets as headers tell them. Of the two that count requests
// it is the one that has fewer left.
func (p *pool) limits() Limits {
	requests := p.requests.standing()
	if daily := p.daily.standing(); daily.Limit > 0 && daily.Remaining < requests.Remaining {
		requests = daily
	}
	return Limits{requests, p.tokens.standing()}
}

// Reservation is what a running request has taken.
type Reservation struct {
	limiter *Limiter
	key     poolKey
	limits  Limits
	tokens  int
	settled atomic.Bool
}

// Limits returns the buckets as the reservation left them.
func (r *Reservation) Limits() Limits { return r.limits }

// Settle gives back what the request did not use. Only the first call counts.
func (r *Reservation) Settle(used int) {
	if r.settled.Swap(true) {
		return
	}
	r.limiter.giveBack(r.key, r.tokens-used)
}

// giveBack puts tokens back into their bucket.
func (l *Limiter) giveBack(key poolKey, tokens int) {
	back := func(p *pool) { p.tokens.level = min(float64(p.tokens.limit), p.tokens.level+float64(tokens)) }
	if l.shared == nil {
		l.change(context.Background(), key, back) // in memory there is no error
		return
	}
	rates := l.rates(key.tenant, key.model)
	l.shared.ChangePoolLater(context.Background(), key.name(), func(levels []byte) []byte { return changed(levels, rates, back) })
}
