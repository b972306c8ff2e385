package llm

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragstone/ragstone/internal/testenv"
)

// fakeResident takes a fixed amount of memory, counted in held.
type fakeResident struct {
	bytes  int64
	held   *atomic.Int64
	closed atomic.Bool
}

func (r *fakeResident) footprint() int64 { return r.bytes }
func (r *fakeResident) Close() error {
	if !r.closed.Swap(true) {
		r.held.Add(-r.bytes)
	}
	return nil
}

// addFake gives a host a model of so many bytes.
func addFake(t *testing.T, h *Host, held *atomic.Int64, bytes int64) *place {
	t.Helper()
	p, err := h.add(t.Context(), func(_ context.Context, limit int64) (resident, error) {
		if h.options.MaxMemory > 0 && bytes > limit {
			return nil, &MemoryError{What: "the model", Need: bytes, Limit: limit}
		}
		if now := held.Add(bytes); h.options.MaxMemory > 0 && now > h.options.MaxMemory {
			t.Errorf("%d bytes are loaded, the ceiling is %d", now, h.options.MaxMemory)
		}
		return &fakeResident{bytes: bytes, held: held}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHostUnloadsTheOneUnusedLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var held atomic.Int64
		h := NewHost(HostOptions{MaxMemory: 100})
		defer h.Close()
		a := addFake(t, h, &held, 40)
		time.Sleep(time.Second)
		b := addFake(t, h, &held, 50)
		time.Sleep(time.Second)
		use(t, a)
		c := addFake(t, h, &held, 30)
		if !a.loaded() || b.loaded() || !c.loaded() {
			t.Errorf("loaded: a %t, b %t, c %t; want b to have given way", a.loaded(), b.loaded(), c.loaded())
		}
		use(t, b)
		if !b.loaded() || a.loaded() {
			t.Errorf("loaded: a %t, b %t; want b to have taken a's room", a.loaded(), b.loaded())
		}
	})
}

func use(t *testing.T, p *place) {
	t.Helper()
	if _, err := p.use(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.leave()
}

func TestHostKeepsWhatIsInUse(t *testing.T) {
	var held atomic.Int64
	h := NewHost(HostOptions{MaxMemory: 100})
	a := addFake(t, h, &held, 60)
	b := addFake(t, h, &held, 60)
	if _, err := b.use(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.use(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("with the memory in use: got %v, want ErrBusy", err)
	}
	b.leave()
	use(t, a)
	_, err := h.add(t.Context(), func(_ context.Context, limit int64) (resident, error) {
		return nil, &MemoryError{What: "the model", Need: 200, Limit: limit}
	})
	if _, ok := errors.AsType[*MemoryError](err); !ok {
		t.Errorf("a model above the ceiling: got %v, want a MemoryError", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if _, err := a.use(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
	if held.Load() != 0 {
		t.Errorf("%d bytes are still loaded", held.Load())
	}
}

func TestHostUnloadsTheIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var held atomic.Int64
		h := NewHost(HostOptions{Idle: time.Minute})
		defer h.Close()
		p := addFake(t, h, &held, 10)
		time.Sleep(40 * time.Second)
		use(t, p)
		time.Sleep(40 * time.Second)
		if !p.loaded() {
			t.Error("unloaded 40 s after its last use, want it after a minute")
		}
		time.Sleep(21 * time.Second)
		if p.loaded() {
			t.Error("still loaded a minute after its last use")
		}
	})
}

// Many users of many models, more than fit: nobody sees a closed model, and
// the ceiling holds all the time.
func TestHostUnderTraffic(t *testing.T) {
	var held atomic.Int64
	h := NewHost(HostOptions{MaxMemory: 100, Idle: time.Millisecond})
	var places []*place
	for i := range 6 {
		places = append(places, addFake(t, h, &held, int64(20+i*5)))
	}
	var used atomic.Int64
	var wait sync.WaitGroup
	for client := range 8 {
		rng := rand.New(rand.NewPCG(1, uint64(client)))
		wait.Go(func() {
			for range 300 {
				p := places[rng.IntN(len(places))]
				m, err := p.use(t.Context())
				if errors.Is(err, ErrBusy) {
					continue
				} else if err != nil {
					t.Error(err)
					return
				}
				used.Add(1)
				time.Sleep(time.Duration(rng.IntN(50)) * time.Microsecond)
				if m.(*fakeResident).closed.Load() {
					t.Error("a model was closed while it was used")
				}
				p.leave()
			}
		})
	}
	wait.Wait()
	if err := h.Close(); err != nil || held.Load() != 0 || used.Load() < 500 {
		t.Errorf("close: %v; %d bytes left, %d uses", err, held.Load(), used.Load())
	}
}

func TestHostedModelAnswersAfterUnloading(t *testing.T) {
	h := NewHost(HostOptions{})
	defer h.Close()
	m, err := h.OpenLocal(t.Context(), testenv.Model(t, testenv.ChatModel), Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (string, Timings) {
		choices, usage, err := Collect(m.Generate(t.Context(), Request{Prompt: "The capital of France is", MaxTokens: 5, Temperature: new(0.0)}))
		if err != nil {
			t.Fatal(err)
		}
		return choices[0].Text, usage.Timings
	}
	first, phases := ask()
	if phases.Loading != 0 || phases.Reading <= 0 || phases.Writing <= 0 {
		t.Errorf("a model in memory: %+v", phases)
	}
	before := m.Stats()
	if !m.Unload() || m.Loaded() {
		t.Fatal("the idle model was not unloaded")
	}
	if m.Count("some words") != 2 || m.Loaded() {
		t.Error("counting tokens loaded the model")
	}
	if s := m.Stats(); s.Requests != 1 || s.CompletionTokens != before.CompletionTokens || s.CacheBytes != 0 {
		t.Errorf("unloaded, the counts are %+v, before %+v", s, before)
	}
	again, phases := ask()
	if again != first || !m.Loaded() || phases.Loading <= 0 {
		t.Errorf("after loading again, which took %v: got %q, want %q", phases.Loading, again, first)
	}
}
