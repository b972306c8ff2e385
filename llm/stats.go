package llm

import "time"

// Stats says what a local model has done since it was opened, and what it is
// doing. The first group are levels, the rest only grow.
type Stats struct {
	Running    int   // requests that have a slot
	Waiting    int   // requests in the queue
	Reserved   int64 // bytes of keys and values promised to running requests
	Kept       int64 // bytes of keys and values kept of earlier prompts
	CacheBytes int64 // bytes there are for both

	Requests         int64 // that have ended, however
	Failed           int64 // of them, those that ended with an error
	Cancelled        int64 // of them, those that were given up
	Refused          int64 // for which there was no place in the queue
	PromptTokens     int64 // asked to be read
	CachedTokens     int64 // of them, those found already computed
	CompletionTokens int64 // generated
	GuessedTokens    int64 // run ahead of time
	GuessedRight     int64 // of them, those that were right
	Hurried          int64 // choices that took their constraint's way out; see Usage
	Evicted          int64 // kept prompts that gave way

	Timings Timings // of all requests together

	Steps   int64
	Busy    time.Duration // spent in steps
	Loading time.Duration // spent on opening the model
}

// add continues the counts with those of a later time, whose levels hold.
func (s *Stats) add(o Stats) {
	s.Running, s.Waiting = o.Running, o.Waiting
	s.Reserved, s.Kept, s.CacheBytes = o.Reserved, o.Kept, o.CacheBytes
	s.Requests += o.Requests
	s.Failed += o.Failed
	s.Cancelled += o.Cancelled
	s.Refused += o.Refused
	s.PromptTokens += o.PromptTokens
	s.CachedTokens += o.CachedTokens
	s.CompletionTokens += o.CompletionTokens
	s.GuessedTokens += o.GuessedTokens
	s.GuessedRight += o.GuessedRight
	s.Hurried += o.Hurried
	s.Evicted += o.Evicted
	s.Timings.add(o.Timings)
	s.Steps += o.Steps
	s.Busy += o.Busy
	s.Loading = o.Loading
}

// unloaded are the counts of a model that is not in memory.
func (s Stats) unloaded() Stats {
	s.Running, s.Waiting, s.Reserved, s.Kept, s.CacheBytes = 0, 0, 0, 0, 0
	return s
}

// Stats returns the counts as they were after the last step.
func (l *Local) Stats() Stats { return l.engine.stats() }

// Timings are the phases of a request, one behind the other. Its first token is
// there after the first three.
type Timings struct {
	Loading time.Duration // of a HostedModel that was not in memory; zero in Stats, which have their own
	Waited  time.Duration // in the queue
	Reading time.Duration // from there to the first token: the prompt
	Writing time.Duration // the rest
}

// add adds another request's phases.
func (t *Timings) add(o Timings) {
	t.Waited += o.Waited
	t.Reading += o.Reading
	t.Writing += o.Writing
}

func (e *engine) stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.counts
	s.Waiting = len(e.waiting)
	s.Running = e.load - len(e.waiting)
	s.CacheBytes = e.limits.cacheBytes
	return s
}

// loaded notes how long opening the model took.
func (e *engine) loaded(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts.Loading = d
}

// publish counts a step, and makes what it has changed visible to stats.
func (e *engine) publish(step time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts.Steps++
	e.counts.Busy += step
	e.counts.Reserved, e.counts.Kept, e.counts.Evicted = e.reserved, e.prefixes.bytes, e.prefixes.evicted
}
