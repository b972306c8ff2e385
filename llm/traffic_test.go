package llm

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// requests is how many the random traffic makes; `make torture` makes more.
var requests = flag.Int("requests", 1000, "requests of the random traffic")

// Requests of all kinds come, go and are given up at random, and every other
// model is closed while they run. Whoever is answered gets the answer of a
// model without company, and nothing is left behind: the helper looks for
// caches and reservations, the test for goroutines.
func TestRandomTraffic(t *testing.T) {
	const perModel = 250
	before := runtime.NumGoroutine()
	var total traffic
	for i := range max(1, *requests/perModel) {
		t.Run(fmt.Sprint("seed ", i), func(t *testing.T) {
			total.add(runTraffic(t, uint64(i), perModel, i%2 == 1))
		})
		if t.Failed() {
			return
		}
	}
	if total.answered < 2*total.requests/5 || total.cancelled == 0 || total.closed == 0 {
		t.Errorf("%+v: the test wants all kinds of ends", total)
	}
	for ended := time.Now(); runtime.NumGoroutine() > before; runtime.Gosched() { // those that have told their end are leaving
		if time.Since(ended) > time.Minute {
			t.Fatalf("%d goroutines, %d at first", runtime.NumGoroutine(), before)
		}
	}
}

// traffic counts how requests have ended.
type traffic struct{ requests, answered, refused, cancelled, closed int64 }

func (t *traffic) add(o traffic) {
	t.requests += o.requests
	t.answered += o.answered
	t.refused += o.refused
	t.cancelled += o.cancelled
	t.closed += o.closed
}

// runTraffic sends requests of ten clients to a model, which is closed amid
// them or not.
func runTraffic(t *testing.T, seed uint64, requests int, closes bool) traffic {
	d := &scriptedDecoder{script: arbitrary, context: 300}
	l := openScripted(t, d, func(e *engineLimits) {
		e.cacheBytes = 900 * cacheBytesPerToken
		e.keepBytes = 300 * cacheBytesPerToken
		e.stepTokens = 40
	})
	const clients = 10
	var made, answered, refused, cancelled, closed atomic.Int64
	var wait sync.WaitGroup
	for client := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(client)))
		wait.Go(func() {
			for range requests / clients {
				err := randomRequest(t, l, rng)
				made.Add(1)
				switch {
				case err == nil:
					answered.Add(1)
				case errors.Is(err, ErrBusy):
					refused.Add(1)
				case errors.Is(err, context.Canceled):
					cancelled.Add(1)
				case closes && errors.Is(err, ErrClosed):
					closed.Add(1)
				default:
					t.Errorf("seed %d, client %d: %v", seed, client, err)
				}
				if closes && made.Load() == int64(requests*4/5) {
					go l.Close()
				}
			}
		})
	}
	wait.Wait()
	if closes {
		l.Close()
	} else { // what was given up ends before a later request begins
		collect(t, l, Request{Prompt: "the last one", MaxTokens: 1})
	}
	s := l.Stats()
	if s.Running != 0 || s.Waiting != 0 || s.Reserved != 0 {
		t.Errorf("seed %d: when all has ended: %+v", seed, s)
	}
	if s.Timings.Waited < 0 || s.Timings.Reading <= 0 || s.Timings.Writing <= 0 || s.Busy <= 0 {
		t.Errorf("seed %d: times make no sense: %+v", seed, s)
	}
	if s.Kept > s.CacheBytes || s.CachedTokens == 0 || s.GuessedRight > s.GuessedTokens {
		t.Errorf("seed %d: counts make no sense: %+v", seed, s)
	}
	return traffic{made.Load(), answered.Load(), refused.Load(), cancelled.Load(), closed.Load()}
}

// randomRequest makes one request and checks its answer.
func randomRequest(t *testing.T, l *Local, rng *rand.Rand) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shared := strings.Repeat("shared ", rng.IntN(12))
	if rng.IntN(4) == 0 {
		var req ScoreRequest
		for i := range 1 + rng.IntN(6) {
			req.Items = append(req.Items, ScoreItem{shared + fmt.Sprint("own ", i), " then this"})
		}
		if rng.IntN(4) == 0 {
			var giving sync.WaitGroup
			defer giving.Wait()
			turns := rng.IntN(300)
			giving.Go(func() {
				for range turns {
					runtime.Gosched()
				}
				cancel()
			})
		}
		got, err := l.Score(ctx, req)
		if err == nil {
			checkScores(t, req, got)
		}
		return err
	}
	seed := int64(rng.IntN(5))
	req := Request{
		Prompt:    shared + fmt.Sprint(rng.IntN(3)),
		MaxTokens: 1 + rng.IntN(30),
		Seed:      &seed,
		N:         rng.IntN(3),
		IgnoreEnd: rng.IntN(2) == 0,
		Tenant:    fmt.Sprint(rng.IntN(3)),
		LogProbs:  rng.IntN(5) == 0,
	}
	leave := -1
	if rng.IntN(4) == 0 {
		leave = rng.IntN(10)
	}
	return generateAndCheck(ctx, cancel, t, l, req, leave)
}

func generateAndCheck(ctx context.Context, cancel func(), t *testing.T, l *Local, req Request, leave int) error {
	texts := make([]string, max(1, req.N))
	for d, err := range l.Generate(ctx, req) {
		if err != nil {
			return err
		}
		texts[d.Index] += d.Text
		if leave--; leave == -1 {
			cancel()
		}
	}
	prompt, err := l.PromptTokens(req)
	if err != nil {
		return err
	}
	for i, got := range texts {
		if want := l.Decode(definition(arbitrary, prompt, req, i)); got != want {
			t.Errorf("%+v, choice %d: got %q, want %q", req, i, got, want)
		}
	}
	return nil
}
