package llm

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// HostOptions says how a Host keeps its models. The zero value keeps all.
type HostOptions struct {
	// MaxMemory bounds, in bytes, what the models that are loaded take
	// together: weights, keys and values. Zero sets no bound.
	MaxMemory int64

	// Idle is how long a model that nobody uses stays loaded. Zero: until its
	// room is needed.
	Idle time.Duration
}

// Host keeps several local models under one ceiling of memory. A model is loaded
// when it is opened and again when it is asked for something; it is unloaded
// when another needs its room, the one unused longest first, and when it has
// been idle for long enough. A model in use is never unloaded.
//
// All methods are safe for concurrent use.
type Host struct {
	options HostOptions

	loading sync.Mutex // one model is loaded or unloaded at a time

	mu     sync.Mutex // guards the fields below, and those of places
	places []*place
	closed bool
}

// NewHost returns a host without models.
func NewHost(o HostOptions) *Host { return &Host{options: o} }

// resident is a loaded model.
type resident interface {
	Close() error
	footprint() int64 // bytes it may come to take
}

// place is one model of a host, loaded or not.
type place struct {
	host *Host
	open func(ctx context.Context, maxMemory int64) (resident, error)

	model resident // nil: not loaded
	past  Stats    // of the times it was loaded before
	bytes int64    // its footprint
	users int
	since time.Time // it has had no users
	timer *time.Timer
}

// add opens a model and gives it a place.
func (h *Host) add(ctx context.Context, open func(context.Context, int64) (resident, error)) (*place, error) {
	p := &place{host: h, open: open}
	h.mu.Lock()
	h.places = append(h.places, p)
	h.mu.Unlock()
	_, err := p.use(ctx)
	if err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.places = slices.DeleteFunc(h.places, func(other *place) bool { return other == p })
		return nil, err
	}
	p.leave()
	return p, nil
}

// use returns the model, loading it if need be, and keeps it loaded until
// leave. Where all the memory is taken by models in use, the error is ErrBusy.
func (p *place) use(ctx context.Context) (resident, error) {
	if m, err := p.enter(); m != nil || err != nil {
		return m, err
	}
	p.host.loading.Lock()
	defer p.host.loading.Unlock()
	if m, err := p.enter(); m != nil || err != nil { // loaded while we waited
		return m, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		limit, full := p.host.memoryLeft()
		var m resident
		err := error(&MemoryError{What: "the model", Need: 1, Limit: limit})
		if !full {
			m, err = p.open(ctx, limit)
		}
		if err == nil {
			return m, p.settle(m)
		}
		if _, tight := errors.AsType[*MemoryError](err); !tight {
			return nil, err
		}
		freed, others := p.host.makeRoom()
		switch {
		case freed:
		case others:
			return nil, ErrBusy
		default:
			return nil, err
		}
	}
}

// enter counts a user of the model if it is loaded.
func (p *place) enter() (resident, error) {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	if p.host.closed {
		return nil, ErrClosed
	}
	if p.model != nil {
		p.users++
	}
	return p.model, nil
}

// settle takes a model that has just been loaded, with its first user.
func (p *place) settle(m resident) error {
	p.host.mu.Lock()
	if p.host.closed {
		p.host.mu.Unlock()
		return errors.Join(ErrClosed, m.Close())
	}
	p.model, p.bytes, p.users = m, m.footprint(), 1
	p.host.mu.Unlock()
	return nil
}

// leave ends a use.
func (p *place) leave() {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	p.users--
	if p.users > 0 {
		return
	}
	p.since = time.Now()
	if p.timer != nil {
		p.timer.Stop()
	}
	if idle := p.host.options.Idle; idle > 0 && !p.host.closed {
		p.timer = time.AfterFunc(idle, func() { p.unload(idle) })
	}
}

// stats returns the counts of all the times a language model was loaded.
func (p *place) stats() Stats {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	s := p.past
	if l, ok := p.model.(*Local); ok {
		s.add(l.Stats())
	}
	return s
}

// loaded reports whether the model is in memory.
func (p *place) loaded() bool {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	return p.model != nil
}

// unload unloads the model if nobody uses it and it has been idle for so long.
func (p *place) unload(idle time.Duration) bool {
	p.host.loading.Lock()
	defer p.host.loading.Unlock()
	return p.evict(idle)
}

// evict is unload for whoever holds the host's loading lock, which keeps the
// memory from being given away before it is free.
func (p *place) evict(idle time.Duration) bool {
	p.host.mu.Lock()
	m := p.model
	if m == nil || p.users > 0 || time.Since(p.since) < idle {
		p.host.mu.Unlock()
		return false
	}
	p.model = nil
	if l, ok := m.(*Local); ok {
		p.past.add(l.Stats())
		p.past = p.past.unloaded()
	}
	p.host.mu.Unlock()
	m.Close()
	runtime.GC() // which gives the weights back: they lie outside its heap
	p.host.mu.Lock()
	p.bytes = 0
	p.host.mu.Unlock()
	return true
}

// memoryLeft is what the loaded models leave of the ceiling; zero is no
// ceiling, and full means that nothing is left.
func (h *Host) memoryLeft() (left int64, full bool) {
	if h.options.MaxMemory == 0 {
		return 0, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	left = h.options.MaxMemory
	for _, p := range h.places {
		left -= p.bytes
	}
	return max(0, left), left <= 0
}

// makeRoom unloads the model that nobody has used for longest. Where there is
// none, others tells whether models in use take the memory.
func (h *Host) makeRoom() (freed, others bool) {
	h.mu.Lock()
	var oldest *place
	for _, p := range h.places {
		switch {
		case p.model == nil:
		case p.users > 0:
			others = true
		case oldest == nil || p.since.Before(oldest.since):
			oldest = p
		}
	}
	h.mu.Unlock()
	if oldest == nil {
		return false, others
	}
	return oldest.evict(0), true
}

// Close unloads all models; what runs on them ends with ErrClosed. Closing
// twice is fine.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	var models []resident
	for _, p := range h.places {
		if p.timer != nil {
			p.timer.Stop()
		}
		if p.model != nil {
			models = append(models, p.model)
		}
		p.model, p.bytes = nil, 0
	}
	h.mu.Unlock()
	var errs []error
	for _, m := range models {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}
