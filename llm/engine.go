package llm

import (
	"context"
	"slices"
	"sync"
	"time"
)

// engine runs jobs on one model. Its goroutine owns the model: step by step it
// gathers what the running jobs' strands have to read next, runs all of it as
// one batch, and hands the logits back.
//
// A job waits in a bounded queue until one of the slots and the memory it may
// come to need are free: among tenants the one with the fewest running jobs
// comes first, among a tenant's jobs the first that came. From then on it cannot
// run out of memory. In a step every strand that is generating gets its one
// token, and those with more to read (prompts) share a bounded number of
// tokens, a tenant as many as another, so that a long prompt delays neither the
// streams nor the short prompts.
type engine struct {
	model  decoder
	limits engineLimits

	mu      sync.Mutex // guards waiting, load, counts and closed
	waiting []*job
	load    int // jobs waiting and running
	counts  Stats
	closed  bool

	wake   chan struct{} // holds one signal: the queue has changed
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}

	// The rest belongs to the goroutine.
	running  []*job
	turn     int   // rotates who comes first in a step
	reserved int64 // bytes promised to running jobs
	prefixes prefixCache
	rows     [][]float32 // logits of a step
	scratch  scratch
}

// engineLimits bounds what an engine takes on.
type engineLimits struct {
	running     int   // jobs at a time
	queue       int   // jobs that wait
	cacheBytes  int64 // keys and values, of jobs and of kept prefixes
	keepBytes   int64 // those of kept prefixes
	stepTokens  int   // prompt tokens in a step
	stepGuesses int   // guessed tokens in a step
	stepRows    int   // rows of logits in a step
}

// job is one request in the engine.
type job struct {
	ctx    context.Context // the request's; its end cancels the job
	work   work
	tenant string
	need   int64 // bytes of cache it may come to need
	queued bool  // it goes on from an earlier job, whose place it takes
	came   time.Time

	held    []*prefixEntry // kept from eviction until the job ends
	strands []strand
}

// work is what a job does; generation and scoring are the two kinds.
type work interface {
	// path returns the tokens a kept prefix may save it from reading.
	path() []int32
	// start returns the first strands. It runs in the engine's goroutine, as
	// everything the strands do.
	start(e *engine, j *job) []strand
	// end is called once, when the last strand has ended or the job failed.
	end(err error)
	// spent returns what it has used so far.
	spent() Usage
}

// strand is one sequence of a job: tokens that follow one another in a cache.
type strand interface {
	state() *feed
	// streams reports whether todo is one token of a stream and guesses of
	// what follows it, rather than a text to be read.
	streams() bool
	// wants reports whether the logits after todo[i] are needed.
	wants(i int) bool
	// read takes those logits, which are only lent.
	read(i int, logits []float32, w *scratch) error
	// next is called when todo has been run, and returns the strands to go on
	// with; if s is not among them its cache is freed.
	next() []strand
}

// feed is where a strand stands.
type feed struct {
	cache cache
	todo  []int32 // tokens still to be run
	part  int     // how many of them the step being built takes
}

func (f *feed) state() *feed { return f }

func (f *feed) streams() bool { return len(f.todo) == 1 }

func startEngine(model decoder, limits engineLimits) *engine {
	e := &engine{
		model:  model,
		limits: limits,
		wake:   make(chan struct{}, 1),
		ended:  make(chan struct{}),
		prefixes: prefixCache{
			limit: limits.keepBytes,
			size:  model.CacheBytes,
		},
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	go e.loop()
	return e
}

// submit puts a job into the queue.
func (e *engine) submit(j *job) error {
	if j.need > e.limits.cacheBytes {
		return &MemoryError{What: "the request", Need: j.need, Limit: e.limits.cacheBytes}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	if !j.queued && !e.hasPlace(j.tenant) {
		e.counts.Refused++
		return ErrBusy
	}
	j.came = time.Now()
	e.load++
	e.waiting = append(e.waiting, j)
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return nil
}

// hasPlace reports whether a job of a tenant may still join. Where the queue is
// full of others' jobs, each tenant may have one wait nevertheless, up to as
// many again.
func (e *engine) hasPlace(tenant string) bool {
	full := e.limits.running + e.limits.queue
	if e.load < full {
		return true
	}
	waits := slices.ContainsFunc(e.waiting, func(j *job) bool { return j.tenant == tenant })
	return !waits && tenant != "" && e.load < full+e.limits.queue
}

// close ends all jobs and waits until the model is no longer used.
func (e *engine) close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	<-e.ended
}

func (e *engine) loop() {
	defer close(e.ended)
	for {
		e.dropCancelled()
		e.admit()
		if len(e.running) > 0 && e.ctx.Err() == nil {
			began := time.Now()
			e.step()
			e.publish(time.Since(began))
			continue
		}
		select {
		case <-e.wake:
		case <-e.ctx.Done():
			e.endAll()
			return
		}
	}
}

// dropCancelled ends the jobs whose requests have been given up.
func (e *engine) dropCancelled() {
	for _, j := range slices.Clone(e.running) {
		if err := j.ctx.Err(); err != nil {
			e.end(j, err)
		}
	}
	e.mu.Lock()
	var dropped []*job
	e.waiting = slices.DeleteFunc(e.waiting, func(j *job) bool {
		if j.ctx.Err() == nil {
			return false
		}
		dropped = append(dropped, j)
		return true
	})
	e.mu.Unlock()
	for _, j := range dropped {
		e.report(j, j.ctx.Err())
	}
}

// admit starts waiting jobs while there is room for them.
func (e *engine) admit() {
	for len(e.running) < e.limits.running {
		j := e.first()
		if j == nil || !e.reserve(j) {
			return
		}
		e.mu.Lock()
		at := slices.Index(e.waiting, j)
		e.waiting = slices.Delete(e.waiting, at, at+1)
		e.mu.Unlock()
		e.running = append(e.running, j)
		j.strands = j.work.start(e, j)
		if len(j.strands) == 0 {
			e.end(j, nil)
		}
	}
}

// first returns the waiting job whose turn it is, or nil.
func (e *engine) first() *job {
	running := map[string]int{}
	for _, j := range e.running {
		running[j.tenant]++
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var first *job
	for _, j := range e.waiting {
		if first == nil || running[j.tenant] < running[first.tenant] {
			first = j
		}
	}
	return first
}

// reserve sets a job's memory aside, evicting kept prefixes for it. What a kept
// prefix already holds of the job's tokens need not be reserved again.
func (e *engine) reserve(j *job) bool {
	entry, n := e.prefixes.lookup(j.work.path(), len(j.work.path()))
	if saved := e.model.CacheBytes(n / blockTokens * blockTokens); entry != nil && saved < j.need {
		e.hold(j, entry)
		if e.prefixes.shrink(e.limits.cacheBytes - e.reserved - (j.need - saved)) {
			j.need -= saved
			e.reserved += j.need
			return true
		}
		e.release(j)
	}
	if !e.prefixes.shrink(e.limits.cacheBytes - e.reserved - j.need) {
		return false
	}
	e.reserved += j.need
	return true
}

// hold keeps an entry from being evicted while the job runs.
func (e *engine) hold(j *job, entry *prefixEntry) {
	entry.refs++
	j.held = append(j.held, entry)
}

func (e *engine) release(j *job) {
	for _, entry := range j.held {
		entry.refs--
	}
	j.held = nil
}

// keep puts the cache of these tokens, which began as a fork of parent's first
// shared tokens, among the kept prefixes. The entry is held for the job.
func (e *engine) keep(j *job, tokens []int32, c cache, parent *prefixEntry, shared int) *prefixEntry {
	if len(tokens) < blockTokens {
		return nil
	}
	entry := e.prefixes.insert(tokens, c, parent, shared, e.limits.cacheBytes-e.reserved)
	if entry != nil {
		e.hold(j, entry)
	}
	return entry
}

// open returns a cache for a sequence that begins with tokens, with as many of
// the first of them as a kept prefix has, but at most most; and that prefix.
func (e *engine) open(j *job, tokens []int32, most int) (cache, *prefixEntry) {
	entry, n := e.prefixes.lookup(tokens, most)
	if entry == nil {
		return e.model.NewCache(), nil
	}
	e.hold(j, entry)
	c := entry.cache.Fork()
	c.Truncate(n)
	return c, entry
}

// end takes a job out of the engine.
func (e *engine) end(j *job, err error) {
	for _, s := range j.strands {
		s.state().cache.Free()
	}
	j.strands = nil
	e.release(j)
	e.reserved -= j.need
	e.running = slices.DeleteFunc(e.running, func(other *job) bool { return other == j })
	e.report(j, err)
}

// report counts a job that has left the engine and tells whoever waits for it.
func (e *engine) report(j *job, err error) {
	used := j.work.spent()
	e.mu.Lock()
	e.load--
	c := &e.counts
	c.Requests++
	switch {
	case err != nil && j.ctx.Err() != nil:
		c.Cancelled++
	case err != nil:
		c.Failed++
	}
	c.PromptTokens += int64(used.PromptTokens)
	c.CachedTokens += int64(used.CachedTokens)
	c.CompletionTokens += int64(used.CompletionTokens)
	c.GuessedTokens += int64(used.GuessedTokens)
	c.GuessedRight += int64(used.GuessedRight)
	c.Hurried += int64(used.Hurried)
	c.Timings.add(used.Timings)
	c.Reserved, c.Kept, c.Evicted = e.reserved, e.prefixes.bytes, e.prefixes.evicted
	e.mu.Unlock()
	j.work.end(err)
}

// endAll ends everything: the engine is closing.
func (e *engine) endAll() {
	for _, j := range slices.Clone(e.running) {
		e.end(j, ErrClosed)
	}
	e.mu.Lock()
	waiting := e.waiting
	e.waiting = nil
	e.mu.Unlock()
	for _, j := range waiting {
		e.report(j, ErrClosed)
	}
	e.prefixes.shrink(0)
}
