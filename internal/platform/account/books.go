package account

import (
	"context"
	"log/slog"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// Books keep the money of requests: what they may spend, what they cost, and
// the ledger of it.
type Books struct {
	// Log is told of requests that cost more than was held for them. Nil: nobody
	// is.
	Log *slog.Logger

	store     *state.Store
	directory *directory
	list      priceList
	upstreams upstreamPrices
}

// Purchase is what a request is about to buy.
type Purchase struct {
	ID     string // of the answer to come
	Caller Caller
	Kind   string // of use
	Model  string // what runs
	Asked  string // the name it was asked for by
	Local  bool   // it runs here, and costs what the operator says
	Most   Tokens // an upper bound

	// Attempt is the id of an attempt (state.Store.BeginAttempt), which is charged
	// once; empty if it is none.
	Attempt string
}

// Bill is a purchase under way. It is settled or dropped, once.
type Bill struct {
	books    *Books
	purchase Purchase
	at       time.Time
	price    Price
	common   Price            // where no upstream has a price of its own
	own      map[string]Price // of upstreams that have
	upstream string           // that runs it; empty: unknown
	held     bool
	most     int64
	warnings []BudgetWarning
	closed   bool
}

// BudgetWarning means that a soft budget is spent. Requests go on.
type BudgetWarning struct {
	Budget string
	Amount int64 // 10^-12 dollar
	Spent  int64
}

// Open holds the most that a purchase may cost, where budgets concern it. The
// error is a *state.BudgetError, or one of the store's.
func (b *Books) Open(ctx context.Context, p Purchase) (*Bill, error) {
	s, err := b.directory.current(ctx)
	if err != nil {
		return nil, err
	}
	bill := &Bill{books: b, purchase: p, at: time.Now()}
	bill.common, bill.own = b.prices(s, p.Model, p.Local, bill.at)
	bill.price = bill.common
	for _, own := range bill.own {
		if own.most(p.Most) > bill.price.most(p.Most) {
			bill.price = own
		}
	}
	bill.most = bill.price.most(p.Most)
	if t := p.Caller.Tenant; !s.budgeted[p.Caller.KeyID] && !s.budgeted[t.ProjectID] && !s.budgeted[t.OrganizationID] {
		return bill, nil
	}
	standings, err := b.store.Hold(ctx, p.ID, p.Caller.spender(), bill.at, bill.most)
	if err != nil {
		return nil, err
	}
	bill.held = true
	for _, budget := range standings {
		if !budget.Hard && budget.Spent >= budget.Amount {
			bill.warnings = append(bill.warnings, BudgetWarning{budget.ID, budget.Amount, budget.Spent})
		}
	}
	return bill, nil
}

// prices are what a model's tokens cost at a time: what the operator says, else,
// unless it runs here, what the upstream that runs it costs, or the built-in list
// says, else nothing.
func (b *Books) prices(s *snapshot, model string, local bool, at time.Time) (common Price, own map[string]Price) {
	p, ok := s.operatorPrice(model, at)
	if ok || local {
		return p, nil
	}
	common, _ = b.list.at(model, at)
	return common, b.upstreams.at(model, at)
}

// Warnings are the soft budgets that were spent before the purchase.
func (b *Bill) Warnings() []BudgetWarning {
	if b == nil {
		return nil
	}
	return b.warnings
}

// Settle writes what the purchase took into the ledger, together with the
// object it paid for, which may be nil, and gives back what was held beyond.
// Only the first Settle or Drop counts. What is not settled for an error is
// held until it is, or until the process ends.
func (b *Bill) Settle(ctx context.Context, t Tokens, bought *state.Completion) error {
	if b == nil || b.closed {
		return nil
	}
	p := b.purchase
	t.Cached = min(t.Cached, t.Input)
	e := state.Entry{
		ID:           p.ID,
		At:           b.at,
		Spender:      p.Caller.spender(),
		Kind:         p.Kind,
		Model:        p.Model,
		Asked:        p.Asked,
		InputTokens:  t.Input,
		CachedTokens: t.Cached,
		OutputTokens: t.Output,
	}
	e.InputCost, e.CachedCost, e.OutputCost = b.costs(t)
	err := b.books.store.Settle(ctx, state.Settlement{Entry: e, Attempt: p.Attempt, Completion: bought})
	b.closed = err == nil
	if b.closed {
		b.tellExcess(t)
	}
	return err
}

// tellExcess logs that tokens cost more than was held: what runs the model took
// more of them than it was told to.
func (b *Bill) tellExcess(t Tokens) {
	if b.books.Log == nil {
		return
	}
	input, cached, output := b.price.costs(t)
	cost := plus(plus(input, cached), output)
	if cost <= b.most {
		return
	}
	b.books.Log.Warn("a request cost more than was held for it, which is all that is charged", "completion", b.purchase.ID,
		"model", b.purchase.Model, "upstream", b.upstream, "cost", Dollars(cost), "charged", Dollars(b.most),
		"input_tokens", t.Input, "output_tokens", t.Output, "most_input_tokens", b.purchase.Most.Input, "most_output_tokens", b.purchase.Most.Output)
}

// costs are the costs of tokens, of which all that passes the most that was
// foreseen is left out: the budget has no more.
func (b *Bill) costs(t Tokens) (input, cached, output int64) {
	input, cached, output = b.price.costs(t)
	input = min(input, b.most)
	cached = min(cached, b.most-input)
	output = min(output, b.most-input-cached)
	return input, cached, output
}

// Drop gives back all that was held for a purchase that came to nothing.
func (b *Bill) Drop(ctx context.Context) error {
	if b == nil || b.closed {
		return nil
	}
	b.closed = true
	if !b.held {
		return nil
	}
	return b.books.store.Release(ctx, b.purchase.ID)
}
