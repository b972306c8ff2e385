package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Pool runs the pieces of a kernel on a fixed number of threads: its caller
// and threads-1 workers.
//
// A forward pass has about a hundred and fifty short parallel sections with a
// few microseconds between them, too short to sleep. So a worker that runs dry
// spins, but only briefly, and then parks until the next section wakes it; the
// caller waits for the last pieces in the same way. Pieces are handed out one
// by one and a section ends when every piece has, whoever ran it: a worker
// that the operating system has put aside for a busy neighbour holds up at most
// the one piece it had begun. (With one barrier per thread instead, a single
// stolen core stops everybody; that is how llama.cpp collapses on shared
// cores.)
//
// Pieces may run in any order on any thread, so what they compute must not
// depend on it.
type Pool struct {
	threads int
	mu      sync.Mutex // held during a section: one at a time
	section atomic.Pointer[section]
	workers []worker
	wait    sync.WaitGroup
	closed  atomic.Bool
}

// section is one call of Run.
type section struct {
	n    int64
	fn   func(i int)
	next atomic.Int64 // the next piece to hand out
	done atomic.Int64 // pieces finished
	// idle is set by a caller that parks on finished.
	idle     atomic.Bool
	finished chan struct{}
}

// worker is one goroutine of a pool.
type worker struct {
	parked atomic.Bool
	wake   chan struct{}
}

// spinTime is how long a thread without work looks for some before it parks:
// several gaps between two sections of a forward pass, and about what parking
// and waking cost.
const spinTime = 30 * time.Microsecond

// NewPool starts a pool of that many threads, the caller's own among them; one
// or less means no workers. Close it.
func NewPool(threads int) *Pool {
	p := &Pool{threads: max(1, threads)}
	p.workers = make([]worker, p.threads-1)
	for i := range p.workers {
		w := &p.workers[i]
		w.wake = make(chan struct{}, 1)
		p.wait.Add(1)
		go p.serve(w)
	}
	return p
}

// Threads returns the number of threads that Run uses.
func (p *Pool) Threads() int { return p.threads }

// Close ends the workers and waits for them. A closed pool still runs
// everything, on the caller's thread. Closing twice is fine.
func (p *Pool) Close() {
	p.closed.Store(true)
	for i := range p.workers {
		p.workers[i].unpark()
	}
	p.wait.Wait()
}

// Run calls fn(0) … fn(n-1), each once, on the pool's threads, and returns
// when all are done. It may be called from several goroutines: calls take
// turns. fn must not call Run on the same pool. A panic in fn ends the program.
func (p *Pool) Run(n int, fn func(i int)) {
	if p.threads == 1 || n <= 1 {
		for i := range n {
			fn(i)
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &section{n: int64(n), fn: fn}
	p.section.Store(s)
	for i := range min(n-1, len(p.workers)) {
		p.workers[i].unpark()
	}
	s.work()
	s.await()
}

// work runs pieces until none is left to hand out.
func (s *section) work() {
	for {
		i := s.next.Add(1) - 1
		if i >= s.n {
			return
		}
		s.fn(int(i))
		if s.done.Add(1) == s.n && s.idle.Load() {
			s.finished <- struct{}{}
		}
	}
}

// await returns when the pieces that others have begun are finished.
func (s *section) await() {
	if spinUntil(func() bool { return s.done.Load() == s.n }) {
		return
	}
	// Whoever finishes the last piece sees idle, or we see that it is finished.
	// Both may happen, hence the room for one message.
	s.finished = make(chan struct{}, 1)
	s.idle.Store(true)
	if s.done.Load() != s.n {
		<-s.finished
	}
}

// serve is the life of a worker.
func (p *Pool) serve(w *worker) {
	defer p.wait.Done()
	var last *section
	for {
		fresh := spinUntil(func() bool { return p.section.Load() != last || p.closed.Load() })
		if p.closed.Load() {
			return
		}
		if !fresh {
			w.park(func() bool { return p.section.Load() != last || p.closed.Load() })
			continue
		}
		last = p.section.Load()
		last.work()
	}
}

// park sleeps until unpark, unless there is work already.
func (w *worker) park(work func() bool) {
	w.parked.Store(true)
	if work() && w.parked.CompareAndSwap(true, false) {
		return
	}
	<-w.wake
}

// unpark wakes the worker if it sleeps or is about to.
func (w *worker) unpark() {
	if w.parked.Load() && w.parked.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}

// spinUntil looks at a condition for spinTime and reports whether it came true.
func spinUntil(condition func() bool) bool {
	if condition() {
		return true
	}
	start := time.Now()
	for i := 1; ; i++ {
		if condition() {
			return true
		}
		if i%64 == 0 {
			if time.Since(start) > spinTime {
				return false
			}
			runtime.Gosched()
		}
	}
}
