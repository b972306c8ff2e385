package account

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// A request is held at the dearest price of the upstreams that may run it, and
// charged at that of the one that does, as it is on the day.
func TestUpstreamsHavePricesOfTheirOwn(t *testing.T) {
	a, tenant := newAccounts(t, Rates{})
	yesterday, tomorrow := time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour)
	err := a.Books.SetUpstreamPrices([]UpstreamPrice{
		{Upstream: "dear", Model: "m", Input: "5", Cached: "1", Output: "10"},
		{Upstream: "spare", Model: "m", Since: tomorrow, Input: "9", Output: "9"},
		{Upstream: "spare", Model: "m", Since: yesterday, Input: "1", Output: "2"},
		{Upstream: "spare", Model: "m", Input: "7", Output: "7"},
		{Upstream: "spare", Model: "gpt-4o-mini", Input: "0.05", Output: "0.2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	key := create(t, a.Keys, KeyOptions{})
	used := Tokens{Input: 10, Cached: 4, Output: 10}
	tests := []struct {
		model, upstream string
		most, cost      int64
	}{
		{"m", "dear", 150_000_000, 6*5e6 + 4*1e6 + 10*10e6},
		{"m", "spare", 150_000_000, 10*1e6 + 10*2e6},
		{"m", "another", 150_000_000, 0}, // nobody has said anything
		{"m", "", 150_000_000, 6*5e6 + 4*1e6 + 10*10e6},
		{"gpt-4o-mini", "spare", 7_500_000, 10*50_000 + 10*200_000},
		{"gpt-4o-mini", "dear", 7_500_000, 6*150_000 + 4*75_000 + 10*600_000},
	}
	check := func() {
		t.Helper()
		if _, err := a.Keys.directory.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, test := range tests {
			bill, err := a.Books.Open(t.Context(), Purchase{ID: state.NewID("chatcmpl-"), Caller: Caller{KeyID: key.ID, Tenant: tenant}, Kind: KindCompletions, Model: test.model, Most: Tokens{Input: 10, Output: 10}})
			if err != nil {
				t.Fatal(err)
			}
			if test.upstream != "" { // else it is never known
				bill.RunsAt(test.upstream)
			}
			in, cached, out := bill.costs(used)
			if bill.most != test.most || in+cached+out != test.cost {
				t.Errorf("%s at %q costs %d of at most %d, want %d of %d", test.model, test.upstream, in+cached+out, bill.most, test.cost, test.most)
			}
			if err := bill.Drop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	check()

	// What the operator sets beside the running server wins.
	if err := a.Books.SetPrice(t.Context(), "m", time.Now(), "3", "3", "4"); err != nil {
		t.Fatal(err)
	}
	for i := range tests[:4] {
		tests[i].most, tests[i].cost = 70_000_000, 70_000_000
	}
	check()

	if err := a.Books.SetUpstreamPrices([]UpstreamPrice{{Upstream: "u", Model: "m", Input: "much", Output: "1"}}); !errors.Is(err, ErrMoney) {
		t.Errorf("SetUpstreamPrices = %v, want ErrMoney", err)
	}
}

// What a request takes beyond the tokens it was let in with is not charged, and
// the log says so.
func TestWhatCostsMoreThanWasHeldIsTold(t *testing.T) {
	a, tenant := newAccounts(t, Rates{})
	key := create(t, a.Keys, KeyOptions{})
	if err := a.Books.SetUpstreamPrices([]UpstreamPrice{{Upstream: "u", Model: "m", Input: "1", Output: "2"}}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		output int64
		want   []string
	}{
		{10, nil},
		{30, []string{"level=WARN", "model=m", "upstream=u", "cost=0.00007", "charged=0.00003", "output_tokens=30", "most_output_tokens=10"}},
	} {
		var log bytes.Buffer
		a.Books.Log = slog.New(slog.NewTextHandler(&log, nil))
		bill, err := a.Books.Open(t.Context(), Purchase{ID: state.NewID("chatcmpl-"), Caller: Caller{KeyID: key.ID, Tenant: tenant}, Kind: KindCompletions, Model: "m", Most: Tokens{Input: 10, Output: 10}})
		if err != nil {
			t.Fatal(err)
		}
		bill.RunsAt("u")
		if err := bill.Settle(t.Context(), Tokens{Input: 10, Output: test.output}, nil); err != nil {
			t.Fatal(err)
		}
		if test.want == nil && log.Len() > 0 {
			t.Errorf("%d tokens are told: %s", test.output, &log)
		}
		for _, want := range test.want {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log of %d tokens lacks %s: %q", test.output, want, &log)
			}
		}
		if n := strings.Count(log.String(), "\n"); n > 1 {
			t.Errorf("%d tokens are told in %d lines", test.output, n)
		}
	}
}
