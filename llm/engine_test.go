package llm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A long prompt takes no more than its share of a step: a stream that is
// running gets a token in each, and a short prompt does not wait for its end.
func TestLongPromptsDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &scriptedDecoder{script: arbitrary}
		gate := make(chan struct{})
		d.fail = func([]*input) error { <-gate; return nil }
		l := openScripted(t, d)
		var wait sync.WaitGroup
		start := func(req Request) {
			wait.Go(func() {
				if _, _, err := Collect(l.Generate(t.Context(), req)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		step := func() { gate <- struct{}{}; synctest.Wait() }

		start(Request{Prompt: "a stream", MaxTokens: 40, IgnoreEnd: true})
		step()
		start(Request{Prompt: strings.Repeat("long ", 100), MaxTokens: 2, IgnoreEnd: true})
		start(Request{Prompt: "a short one", MaxTokens: 2, IgnoreEnd: true})
		close(gate)
		wait.Wait()

		limit := testLimits().stepTokens
		singles := 0 // steps in which the stream has its one token
		for i, tokens := range d.steps {
			sum := 0
			for _, n := range tokens {
				sum += n
				if n == 1 {
					singles++
				}
			}
			if sum > limit+len(tokens) {
				t.Errorf("step %d runs %v tokens, want at most %d of prompts", i, tokens, limit)
			}
		}
		if singles < 39 {
			t.Errorf("steps %v: the stream has its token in %d, want 39", d.steps, singles)
		}
		const long = 501 / 64 // steps that the long prompt alone would take
		if short := stepOf(d.steps, 12); short < 0 || short > 3 {
			t.Errorf("steps %v: the short prompt is run in step %d, not before the long one's %d", d.steps, short, long)
		}
	})
}

// stepOf returns the first step in which an input has n tokens.
func stepOf(steps [][]int, n int) int {
	for i, tokens := range steps {
		for _, have := range tokens {
			if have == n {
				return i
			}
		}
	}
	return -1
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &scriptedDecoder{script: arbitrary}
		gate := make(chan struct{})
		d.fail = func([]*input) error { <-gate; return nil }
		l := openScripted(t, d, func(e *engineLimits) { e.running, e.queue = 2, 3 })
		var busy, done atomic.Int64
		for range 9 {
			go func() {
				_, _, err := Collect(l.Generate(t.Context(), Request{Prompt: "x", MaxTokens: 1}))
				if errors.Is(err, ErrBusy) {
					busy.Add(1)
				} else if err == nil {
					done.Add(1)
				}
			}()
		}
		synctest.Wait()
		if busy.Load() != 4 {
			t.Errorf("%d of 9 requests were refused, want 4: 2 run and 3 wait", busy.Load())
		}
		if _, err := l.Score(t.Context(), ScoreRequest{Items: []ScoreItem{{"x", "y"}}}); !errors.Is(err, ErrBusy) {
			t.Errorf("score: got %v, want ErrBusy", err)
		}
		close(gate)
		synctest.Wait()
		if done.Load() != 5 {
			t.Errorf("%d requests have been answered, want 5", done.Load())
		}
	})
}

// A tenant that floods the queue delays another's request by what already
// runs, not by what waits; and its place in a full queue is not taken.
func TestTenantsGetEqualTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &scriptedDecoder{script: arbitrary}
		gate := make(chan struct{})
		d.fail = func([]*input) error { <-gate; return nil }
		l := openScripted(t, d, func(e *engineLimits) { e.running, e.queue = 2, 6 })
		var mu sync.Mutex
		var ended []string
		start := func(tenant string) {
			go func() {
				_, _, err := Collect(l.Generate(t.Context(), Request{Prompt: "x", MaxTokens: 3, IgnoreEnd: true, Tenant: tenant}))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					tenant += ": " + err.Error()
				}
				ended = append(ended, tenant)
			}()
			synctest.Wait()
		}
		for range 8 {
			start("flood")
		}
		start("quiet")
		start("quiet")    // one more than the full queue gives a tenant
		for range 8 * 3 { // a step at a time, so that callers end in the engine's order
			select {
			case gate <- struct{}{}:
			default:
			}
			synctest.Wait()
		}
		close(gate)
		synctest.Wait()
		want := "quiet: " + ErrBusy.Error()
		if ended[0] != want {
			t.Errorf("the first to end is %q, want %q", ended[0], want)
		}
		at := slices.Index(ended, "quiet")
		if at < 0 || at > 4 {
			t.Errorf("ended in the order %v: quiet waited for more than what ran before", ended)
		}
	})
}

// Two tenants that read long prompts share each step, however many prompts
// each of them has.
func TestTenantsShareAStep(t *testing.T) {
	b := &batch{tokens: 60, rows: 10}
	reader := func(tenant string) *job {
		j := &job{tenant: tenant, work: &generation{req: &Request{}, most: 1}}
		p := &promptStrand{g: j.work.(*generation)}
		p.todo = make([]int32, 100)
		j.strands = []strand{p}
		return j
	}
	jobs := []*job{reader("many"), reader("many"), reader("one"), reader("many")}
	b.share(jobs)
	got := map[string]int{}
	for _, j := range jobs {
		got[j.tenant] += j.strands[0].state().part
	}
	if got["many"] != 30 || got["one"] != 30 {
		t.Errorf("got %v tokens, want 30 each", got)
	}
}

func TestMemoryIsReserved(t *testing.T) {
	d := &scriptedDecoder{script: arbitrary}
	l := openScripted(t, d, func(e *engineLimits) { e.cacheBytes = 400 * cacheBytesPerToken; e.keepBytes = e.cacheBytes })
	_, _, err := Collect(l.Generate(t.Context(), Request{Prompt: "x", MaxTokens: 500}))
	var tooLarge *MemoryError
	if !errors.As(err, &tooLarge) || tooLarge.Need <= tooLarge.Limit || tooLarge.Limit != 400*cacheBytesPerToken {
		t.Errorf("got %v, want a MemoryError with both numbers", err)
	}
	// Kept prefixes give way to requests, and a request that fits is never
	// refused for them.
	for i := range 12 {
		prompt := strings.Repeat(fmt.Sprint("prompt ", i%3), 20)
		if _, _, err := Collect(l.Generate(t.Context(), Request{Prompt: prompt, MaxTokens: 150})); err != nil {
			t.Errorf("request %d: %v", i, err)
		}
	}
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &scriptedDecoder{script: arbitrary}
		l := openScripted(t, d, func(e *engineLimits) { e.running = 1 })
		errs := make(chan error, 3)
		for range 3 { // one runs, two wait
			go func() {
				_, _, err := Collect(l.Generate(t.Context(), Request{Prompt: "x", IgnoreEnd: true}))
				errs <- err
			}()
		}
		time.Sleep(time.Nanosecond)
		if err := errors.Join(l.Close(), l.Close()); err != nil {
			t.Error(err)
		}
		for range 3 {
			if err := <-errs; err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		}
		if _, _, err := Collect(l.Generate(t.Context(), Request{Prompt: "x"})); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
	})
}

// An input that the model cannot run fails its own request only.
func TestFailuresStayAlone(t *testing.T) {
	broken := errors.New("layer 3 has NaN")
	d := &scriptedDecoder{script: arbitrary}
	d.fail = func(batch []*input) error {
		for _, in := range batch {
			if in.tokens[len(in.tokens)-1] == '!' {
				return broken
			}
		}
		return nil
	}
	l := openScripted(t, d)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			prompt := fmt.Sprint("prompt ", i)
			if i%2 == 1 {
				prompt += "!"
			}
			req := Request{Prompt: prompt, MaxTokens: 20, LogitBias: map[int32]float64{'!': -100}}
			_, _, err := Collect(l.Generate(t.Context(), req))
			if i%2 == 1 && !errors.Is(err, broken) || i%2 == 0 && err != nil {
				t.Errorf("%q: got error %v", prompt, err)
			}
		})
	}
	wait.Wait()
}

func TestPrefixesAreReused(t *testing.T) {
	d := &scriptedDecoder{script: arbitrary}
	l := openScripted(t, d)
	system := strings.Repeat("You are kind. ", 8)
	ask := func(req Request) (Completion, int) {
		t.Helper()
		req.MaxTokens, req.Temperature, req.IgnoreEnd, req.LogProbs = 6, new(0.0), true, true
		choices, usage := collect(t, l, req)
		return choices[0], usage.CachedTokens
	}
	cached := func(prompt string) (Completion, int) { return ask(Request{Prompt: prompt}) }
	first, n := cached(system + "Hello")
	if n != 0 {
		t.Errorf("the first prompt has %d cached tokens", n)
	}
	if _, n := cached(system + "Bye"); n != len(system)+1 {
		t.Errorf("a prompt that begins the same has %d cached tokens, want %d", n, len(system)+1)
	}
	if again, n := cached(system + "Hello"); again.Text != first.Text || n != len(system+"Hello") {
		t.Errorf("the same prompt: got %q with %d cached tokens, want %q with %d", again.Text, n, first.Text, len(system+"Hello"))
	}
	// What was written is kept too: the next turn begins with it.
	turn, err := l.PromptTokens(Request{Prompt: system + "Hello"})
	if err != nil {
		t.Fatal(err)
	}
	known := len(turn) + len(first.Tokens) - 1 // the last token written was never read
	for _, token := range first.Tokens {
		turn = append(turn, token.ID)
	}
	if _, n := ask(Request{Tokens: append(turn, 'Q')}); n != known {
		t.Errorf("the next turn has %d cached tokens, want %d", n, known)
	}
	if held := l.engine.prefixes.bytes; held > testLimits().keepBytes {
		t.Errorf("%d bytes are kept, more than %d", held, testLimits().keepBytes)
	}
}
