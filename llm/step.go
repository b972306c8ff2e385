package llm

import (
	"fmt"
	"slices"
)

// batch is one step in the making: who takes part, with how many tokens.
type batch struct {
	members []member
	tokens  int // of prompts, still to be given out
	rows    int // of logits, still to be given out
}

// member is one strand of a batch.
type member struct {
	job    *job
	strand strand
}

// step runs the next tokens of the running jobs as one batch.
func (e *engine) step() {
	b := e.gather()
	inputs := make([]*input, len(b.members))
	used := 0
	for i, m := range b.members {
		f := m.strand.state()
		in := &input{cache: f.cache, tokens: f.todo[:f.part]}
		for at := range in.tokens {
			if m.strand.wants(at) {
				in.rows = append(in.rows, at)
				in.logits = append(in.logits, e.row(used))
				used++
			}
		}
		inputs[i] = in
	}
	errs := e.forward(inputs)
	for i, m := range b.members {
		if slices.Contains(e.running, m.job) { // and has not failed in this very step
			e.deliver(m, inputs[i], errs[i])
		}
	}
}

// row returns the i-th buffer for logits.
func (e *engine) row(i int) []float32 {
	for len(e.rows) <= i {
		e.rows = append(e.rows, make([]float32, e.model.Vocabulary()))
	}
	return e.rows[i]
}

// gather decides who takes part in a step. Every stream gets its one token;
// then a bounded number of guessed tokens is given out, in turn; then those
// that have more to read share the step's tokens.
func (e *engine) gather() *batch {
	b := &batch{tokens: e.limits.stepTokens, rows: e.limits.stepRows}
	e.turn++
	var readers []*job
	var streams []member
	for i := range e.running {
		j := e.running[(e.turn+i)%len(e.running)]
		reads := false
		for k := range j.strands {
			s := j.strands[(e.turn+k)%len(j.strands)]
			s.state().part = 0
			if s.streams() {
				streams = append(streams, member{j, s})
			} else {
				reads = true
			}
		}
		if reads {
			readers = append(readers, j)
		}
	}
	for _, m := range streams {
		b.addFree(m, 1)
	}
	guesses := e.limits.stepGuesses
	for _, m := range streams {
		guesses -= b.addFree(m, guesses)
	}
	b.share(readers)
	return b
}

// share gives out the step's tokens to the jobs that read: to each tenant as
// many, to each of its jobs as many, and what is left over in turn.
func (b *batch) share(readers []*job) {
	var tenants []string
	jobs := map[string][]*job{}
	for _, j := range readers {
		if jobs[j.tenant] == nil {
			tenants = append(tenants, j.tenant)
		}
		jobs[j.tenant] = append(jobs[j.tenant], j)
	}
	for i, tenant := range tenants {
		rest := max(1, b.tokens/(len(tenants)-i))
		for k, j := range jobs[tenant] {
			rest -= b.addJob(j, max(1, rest/(len(jobs[tenant])-k)))
		}
	}
	for _, j := range readers {
		b.addJob(j, b.tokens)
	}
}

// addJob gives a job's strands up to n more tokens and returns how many.
func (b *batch) addJob(j *job, n int) int {
	before := b.tokens
	for _, s := range j.strands {
		if !s.streams() {
			b.add(member{j, s}, n-(before-b.tokens))
		}
	}
	return before - b.tokens
}

// addFree gives a stream up to n more tokens, which cost a prompt nothing, and
// returns how many.
func (b *batch) addFree(m member, n int) int {
	f, before := m.strand.state(), m.strand.state().part
	if before == 0 && n > 1 {
		return 0 // its one token had no row left
	}
	b.tokens += n
	b.add(m, n)
	taken := f.part - before
	b.tokens -= n - taken
	return taken
}

// add gives a strand up to n more tokens, as far as the step's rows reach.
func (b *batch) add(m member, n int) {
	f := m.strand.state()
	n = min(n, b.tokens, len(f.todo)-f.part)
	taken := 0
	for ; taken < n; taken++ {
		if m.strand.wants(f.part + taken) {
			if b.rows == 0 {
				break
			}
			b.rows--
		}
	}
	if taken == 0 {
		return
	}
	if f.part == 0 {
		b.members = append(b.members, m)
	}
	f.part += taken
	b.tokens -= taken
}

// forward runs a batch. If that fails, each input is run alone, so that only
// those fail that cannot be run.
func (e *engine) forward(inputs []*input) []error {
	errs := make([]error, len(inputs))
	before := make([]int, len(inputs))
	for i, in := range inputs {
		before[i] = in.cache.Len()
	}
	err := e.model.Forward(e.ctx, inputs)
	if err == nil || len(inputs) == 1 || e.ctx.Err() != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	for i, in := range inputs {
		in.cache.Truncate(before[i])
	}
	for i := range inputs {
		errs[i] = e.model.Forward(e.ctx, inputs[i:i+1])
	}
	return errs
}

// deliver hands a strand its logits and replaces it by what follows it.
func (e *engine) deliver(m member, in *input, err error) {
	if err != nil {
		e.end(m.job, fmt.Errorf("run the model: %w", err))
		return
	}
	for i, at := range in.rows {
		if err := m.strand.read(at, in.logits[i], &e.scratch); err != nil {
			e.end(m.job, err)
			return
		}
	}
	f := m.strand.state()
	f.todo = f.todo[min(len(in.tokens), len(f.todo)):]
	if len(f.todo) > 0 {
		return
	}
	next := m.strand.next()
	if !slices.Contains(next, m.strand) {
		f.cache.Free()
	}
	at := slices.Index(m.job.strands, m.strand)
	m.job.strands = slices.Replace(m.job.strands, at, at+1, next...)
	if len(m.job.strands) == 0 {
		e.end(m.job, nil)
	}
}
