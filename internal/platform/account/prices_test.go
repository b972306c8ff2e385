package account

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/internal/testenv"
)

func TestPricesOfTheList(t *testing.T) {
	list := builtinPrices()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		model                 string
		tokens                Tokens
		input, cached, output int64
	}{
		{"gpt-4o-mini", Tokens{Input: 1, Output: 1}, 150_000, 0, 600_000},
		{"gpt-4o-mini-2024-07-18", Tokens{Input: 1_000_000}, Dollar * 15 / 100, 0, 0},
		{"gpt-4o", Tokens{Input: 3000, Cached: 2048, Output: 10}, 952 * 2_500_000, 2048 * 1_250_000, 10 * 10_000_000},
		{"gpt-4o-2024-05-13", Tokens{Input: 10, Cached: 10}, 0, 10 * 5_000_000, 0}, // no price of its own for cached ones
		{"text-embedding-3-small", Tokens{Input: 7}, 7 * 20_000, 0, 0},
		{"gpt-5.5", Tokens{Input: 272_000, Output: 2}, 272_000 * 5_000_000, 0, 2 * 30_000_000},
		{"gpt-5.5", Tokens{Input: 272_001, Cached: 1, Output: 2}, 272_000 * 10_000_000, 1_000_000, 2 * 45_000_000}, // a long prompt
		{"omni-moderation-latest", Tokens{Input: 5}, 0, 0, 0},
	} {
		p, ok := list.at(test.model, now)
		if !ok {
			t.Errorf("%s is not listed", test.model)
			continue
		}
		if in, cached, out := p.costs(test.tokens); in != test.input || cached != test.cached || out != test.output {
			t.Errorf("%+v of %s cost %d, %d and %d; want %d, %d and %d", test.tokens, test.model, in, cached, out, test.input, test.cached, test.output)
		}
		if in, cached, out := p.costs(test.tokens); p.most(test.tokens) < in+cached+out {
			t.Errorf("%+v of %s cost at most %d, and cost %d", test.tokens, test.model, p.most(test.tokens), in+cached+out)
		}
	}
	if _, ok := list.at("my-own-model", now); ok {
		t.Error("a model that nobody sells has a price")
	}
	if p := (Price{Input: 1e9, Output: 1e9}); p.most(Tokens{Input: math.MaxInt64, Output: math.MaxInt64}) != math.MaxInt64 {
		t.Error("a cost beyond all numbers is not the largest")
	}
}

func TestPricesHaveDates(t *testing.T) {
	list, err := readPrices([]byte(`{"versions":[
		{"since":"2026-06-01","models":{"m":{"input":"2","output":"2","batch":{"input":"1","output":"1"}}}},
		{"since":"2026-01-01","models":{"m":{"input":"3","output":"4"},"old":{"input":"1"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		date, model string
		want        int64 // of a token of input; -1: not listed
	}{
		{"2025-01-01", "m", 3e6}, {"2026-01-01", "m", 3e6}, {"2026-05-31", "m", 3e6}, {"2026-06-01", "m", 2e6}, {"2030-01-01", "m", 2e6},
		{"2026-05-31", "old", 1e6}, {"2026-06-01", "old", -1},
	} {
		at, err := time.Parse(time.DateOnly, test.date)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := list.at(test.model, at)
		if !ok {
			got.Input = -1
		}
		if got.Input != test.want {
			t.Errorf("on %s a token of %s costs %d, want %d", test.date, test.model, got.Input, test.want)
		}
	}
	for _, broken := range []string{`{`, `{"versions":[{"since":"soon"}]}`, `{"versions":[{"since":"2026-01-01","models":{"m":{"input":"-1"}}}]}`, `{"versions":[{"since":"2026-01-01","models":{"m":{"input":"0.0000001"}}}]}`} {
		if _, err := readPrices([]byte(broken)); err == nil {
			t.Errorf("%s was read", broken)
		}
	}
}

// The embedded list says what the shared table of prices says.
func TestPricesAreTheSharedTables(t *testing.T) {
	data, err := os.ReadFile(testenv.Shared(t, "openai", "prices.json"))
	if err != nil {
		t.Fatal(err)
	}
	var shared struct {
		Models map[string]struct {
			Input, Output json.Number
			CachedInput   *json.Number `json:"cached_input"`
			Snapshot      string
		}
	}
	if err := json.Unmarshal(data, &shared); err != nil {
		t.Fatal(err)
	}
	for name, m := range shared.Models {
		want := Price{}
		if want.Input, err = parsePerMillion(string(m.Input)); err != nil {
			t.Fatal(err)
		}
		want.Cached = want.Input
		if m.CachedInput != nil {
			want.Cached, _ = parsePerMillion(string(*m.CachedInput))
		}
		if m.Output != "" {
			want.Output, _ = parsePerMillion(string(m.Output))
		}
		for _, n := range []string{name, m.Snapshot} {
			if n == "" {
				continue
			}
			got, ok := builtinPrices().at(n, time.Now())
			if !ok || got.Input != want.Input || got.Cached != want.Cached || got.Output != want.Output {
				t.Errorf("%s costs %+v, want %+v", n, got, want)
			}
		}
	}
}

// What runs here costs nothing until the operator says so; what runs elsewhere
// costs what the list says unless the operator says otherwise.
func TestTheOperatorsPriceWins(t *testing.T) {
	a, tenant := newAccounts(t, Rates{})
	cost := func(model string, local bool) int64 {
		t.Helper()
		if _, err := a.Keys.directory.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		key := create(t, a.Keys, KeyOptions{})
		bill, err := a.Books.Open(t.Context(), Purchase{ID: state.NewID("chatcmpl-"), Caller: Caller{KeyID: key.ID, Tenant: tenant}, Kind: KindCompletions, Model: model, Local: local, Most: Tokens{Input: 10, Output: 10}})
		if err != nil {
			t.Fatal(err)
		}
		if err := bill.Settle(t.Context(), Tokens{Input: 10, Output: 10}, nil); err != nil {
			t.Fatal(err)
		}
		in, _, out := bill.costs(Tokens{Input: 10, Output: 10})
		return in + out
	}
	if got := cost("gpt-4o-mini", true); got != 0 {
		t.Errorf("a model that runs here costs %d, want nothing", got)
	}
	if got := cost("gpt-4o-mini", false); got != 7_500_000 {
		t.Errorf("ten tokens each way cost %d, want 7,500,000", got)
	}
	if err := a.Books.SetPrice(t.Context(), "gpt-4o-mini", time.Now(), "1", "", "2"); err != nil {
		t.Fatal(err)
	}
	for _, local := range []bool{true, false} {
		if got := cost("gpt-4o-mini", local); got != 30_000_000 {
			t.Errorf("at the operator's price (here: %v) they cost %d, want 30,000,000", local, got)
		}
	}
}

// A cost above what was held, which only a model that miscounts can cause, is
// charged up to that.
func TestNoMoreIsChargedThanWasHeld(t *testing.T) {
	b := &Bill{price: Price{Input: 10, Cached: 5, Output: 20}, most: 100}
	for _, tokens := range []Tokens{{Input: 5}, {Input: 50}, {Input: 9, Cached: 4, Output: 1000}, {Input: 0, Output: 6}} {
		in, cached, out := b.costs(tokens)
		if in+cached+out > 100 || in < 0 || cached < 0 || out < 0 {
			t.Errorf("%+v cost %d, %d and %d of at most 100", tokens, in, cached, out)
		}
	}
}
