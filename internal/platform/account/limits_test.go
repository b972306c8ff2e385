package account

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/state"
)

var tenant = state.Tenant{OrganizationID: "org-a", ProjectID: "proj_a"}

func demand(tokens int) Demand {
	return Demand{Tenant: tenant, Model: "local", Asked: "gpt-4o-mini", Tokens: tokens}
}

func TestBucketsEmptyAndRefill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Rates{RequestsPerMinute: 2, TokensPerMinute: 600})

		first, err := l.Reserve(t.Context(), demand(500))
		if err != nil {
			t.Fatal(err)
		}
		want := Limits{Requests: Standing{2, 1, 30 * time.Second}, Tokens: Standing{600, 100, 50 * time.Second}}
		if diff := cmp.Diff(want, first.Limits()); diff != "" {
			t.Errorf("after the first request (-want +got):\n%s", diff)
		}

		// The second asks for 101 of 100 tokens: a tenth of a second short.
		_, err = l.Reserve(t.Context(), demand(101))
		var limit *LimitError
		if !errors.As(err, &limit) || limit.Unit != "tokens" || limit.Used != 500 || limit.RetryAfter != 100*time.Millisecond {
			t.Fatalf("Reserve(101) = %#v, want the tokens exhausted for 100 ms", err)
		}

		// It counted as a request all the same.
		_, err = l.Reserve(t.Context(), demand(1))
		if !errors.As(err, &limit) || limit.Unit != "requests" || limit.RetryAfter != 30*time.Second || limit.Limits.Requests.Remaining != 0 {
			t.Fatalf("third request = %#v, want the requests exhausted for 30 s", err)
		}

		time.Sleep(limit.RetryAfter)
		if _, err = l.Reserve(t.Context(), demand(101)); err != nil {
			t.Errorf("after the wait that was named: %v", err)
		}
		time.Sleep(time.Hour)
		again, err := l.Reserve(t.Context(), demand(0))
		if err != nil || again.Limits().Tokens != (Standing{600, 600, 0}) {
			t.Errorf("after an hour: %+v, %v; want a full bucket and no more", again.Limits(), err)
		}
	})
}

func TestSettleGivesBackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Rates{RequestsPerMinute: 100, TokensPerMinute: 1000})
		r, err := l.Reserve(t.Context(), demand(1000))
		if err != nil {
			t.Fatal(err)
		}
		r.Settle(300)
		r.Settle(0)
		next, err := l.Reserve(t.Context(), demand(0))
		if err != nil || next.Limits().Tokens.Remaining != 700 {
			t.Errorf("remaining after settling 300 of 1000 = %+v, %v; want 700", next.Limits().Tokens, err)
		}
	})
}

func TestARequestBeyondTheLimitNeedNotRetry(t *testing.T) {
	l := NewLimiter(Rates{TokensPerMinute: 1000})
	_, err := l.Reserve(t.Context(), demand(1001))
	var limit *LimitError
	if !errors.As(err, &limit) || !limit.TooLarge() || limit.RetryAfter != 0 {
		t.Errorf("Reserve(1001 of 1000) = %#v, want too large and no retry", err)
	}
}

func TestPoolsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Rates{RequestsPerMinute: 1})
		other := demand(1)
		other.Model = "embedder"
		stranger := demand(1)
		stranger.Tenant.ProjectID = "proj_b"
		for _, d := range []Demand{demand(1), other, stranger} {
			if _, err := l.Reserve(t.Context(), d); err != nil {
				t.Errorf("Reserve(%+v) = %v: another pool's use counted", d, err)
			}
		}
		alias := demand(1)
		alias.Asked = "gpt-4o"
		if _, err := l.Reserve(t.Context(), alias); err == nil {
			t.Error("another name for the same model had a bucket of its own")
		}
	})
}

// Whatever runs at once, no more is ever taken than a bucket held, and what
// was not used comes back.
func TestNeverOverspentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 10_000
		l := NewLimiter(Rates{RequestsPerMinute: 1_000_000, TokensPerMinute: limit})
		var mu sync.Mutex
		running, used, most := 0, 0, 0
		var wait sync.WaitGroup
		for i := range 64 {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			wait.Go(func() {
				for range 50 {
					n := random.IntN(700)
					r, err := l.Reserve(t.Context(), demand(n))
					if err != nil {
						continue
					}
					spent := random.IntN(n + 1)
					mu.Lock()
					running, most = running+n, max(most, running+used+n)
					mu.Unlock()
					mu.Lock()
					running, used = running-n, used+spent
					mu.Unlock()
					r.Settle(spent)
				}
			})
		}
		wait.Wait()
		if most > limit || used > limit {
			t.Errorf("%d tokens were spent and up to %d taken of %d", used, most, limit)
		}
		last, err := l.Reserve(t.Context(), demand(0))
		if err != nil || last.Limits().Tokens.Remaining != limit-used {
			t.Errorf("remaining = %+v, %v; want %d", last.Limits().Tokens, err, limit-used)
		}
	})
}
