package account

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// Price is what a model's tokens cost, in 10^-12 dollar each.
type Price struct {
	Input  int64
	Cached int64 // of input that was found already computed
	Output int64

	// A prompt above LongOver tokens makes every token of its request dearer:
	// by these percentages, of which 100 changes nothing. Zero: none does.
	LongOver                          int64
	LongInput, LongCached, LongOutput int64
}

// Tokens are what a request took.
type Tokens struct {
	Input  int64 // cached ones included
	Cached int64
	Output int64
}

// costs are the three parts of what tokens cost.
func (p Price) costs(t Tokens) (input, cached, output int64) {
	if p.LongOver > 0 && t.Input > p.LongOver {
		p.Input, p.Cached, p.Output = p.Input*p.LongInput/100, p.Cached*p.LongCached/100, p.Output*p.LongOutput/100
	}
	return times(t.Input-t.Cached, p.Input), times(t.Cached, p.Cached), times(t.Output, p.Output)
}

// most is the most that so many tokens can cost, whatever of them is cached.
func (p Price) most(t Tokens) int64 {
	p.Cached = max(p.Cached, p.Input)
	t.Cached = 0
	p.Input = p.Cached
	input, _, output := p.costs(t)
	return plus(input, output)
}

//go:embed prices.json
var pricesJSON []byte

// priceList is prices.json: versions, the oldest first, each of which holds
// from its date on.
type priceList []priceVersion

type priceVersion struct {
	since         time.Time
	models, batch map[string]Price // by name; snapshots stand for themselves
}

// builtinPrices is the embedded list. That it can be read is tested.
var builtinPrices = sync.OnceValue(func() priceList {
	list, err := readPrices(pricesJSON)
	if err != nil {
		panic("account: prices.json: " + err.Error())
	}
	return list
})

// priceFile is the form of prices.json. Prices are decimal texts, so that none
// is rounded on its way.
type priceFile struct {
	Versions []struct {
		Since  string                `json:"since"` // 2026-09-23, in UTC
		Models map[string]filedPrice `json:"models"`
	} `json:"versions"`
}

type filedPrice struct {
	tokenPrices
	Batch       *tokenPrices `json:"batch"` // absent: there is none
	LongContext *struct {
		OverInputTokens int64 `json:"over_input_tokens"`
		InputPercent    int64 `json:"input_percent"`
		CachedPercent   int64 `json:"cached_percent"`
		OutputPercent   int64 `json:"output_percent"`
	} `json:"long_context"`
	Snapshots []string `json:"snapshots"` // dated names of the same model
}

type tokenPrices struct {
	Input       string  `json:"input"`
	CachedInput *string `json:"cached_input"` // absent: as input
	Output      *string `json:"output"`       // absent: it writes nothing
}

func readPrices(data []byte) (priceList, error) {
	var file priceFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	var list priceList
	for _, v := range file.Versions {
		since, err := time.Parse(time.DateOnly, v.Since)
		if err != nil {
			return nil, err
		}
		version := priceVersion{since, map[string]Price{}, map[string]Price{}}
		for name, m := range v.Models {
			if err := version.add(name, m); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		list = append(list, version)
	}
	slices.SortFunc(list, func(a, b priceVersion) int { return a.since.Compare(b.since) })
	return list, nil
}

func (v priceVersion) add(name string, m filedPrice) error {
	price, err := m.price()
	if err != nil {
		return err
	}
	if long := m.LongContext; long != nil {
		price.LongOver, price.LongInput, price.LongCached, price.LongOutput = long.OverInputTokens, long.InputPercent, long.CachedPercent, long.OutputPercent
	}
	for _, n := range append([]string{name}, m.Snapshots...) {
		v.models[n] = price
	}
	if m.Batch == nil {
		return nil
	}
	if price, err = m.Batch.price(); err != nil {
		return err
	}
	for _, n := range append([]string{name}, m.Snapshots...) {
		v.batch[n] = price
	}
	return nil
}

func (t tokenPrices) price() (p Price, err error) {
	if p.Input, err = parsePerMillion(t.Input); err != nil {
		return p, err
	}
	p.Cached = p.Input
	if t.CachedInput != nil {
		if p.Cached, err = parsePerMillion(*t.CachedInput); err != nil {
			return p, err
		}
	}
	if t.Output != nil {
		p.Output, err = parsePerMillion(*t.Output)
	}
	return p, err
}

// at returns the price of a model at a time: of the newest version that had
// begun, or of the oldest. A model that is not listed is not ok.
func (l priceList) at(model string, t time.Time) (p Price, ok bool) {
	for i, v := range slices.Backward(l) {
		if i == 0 || !t.Before(v.since) {
			p, ok = v.models[model]
			return p, ok
		}
	}
	return p, false
}

// operatorPrice is what the operator has set for a model at a time.
func (s *snapshot) operatorPrice(model string, t time.Time) (Price, bool) {
	for _, p := range slices.Backward(s.prices[model]) {
		if !t.Before(p.Since) {
			return Price{Input: p.Input, Cached: p.Cached, Output: p.Output}, true
		}
	}
	return Price{}, false
}

// SetPrice makes tokens of a model cost so many dollars per million, as decimal
// texts, from a time on. An empty cached price is that of input. The error is
// ErrMoney or one of the store's.
func (b *Books) SetPrice(ctx context.Context, model string, since time.Time, input, cached, output string) error {
	if cached == "" {
		cached = input
	}
	p := state.Price{Model: model, Since: since}
	for _, f := range []struct {
		into *int64
		text string
	}{{&p.Input, input}, {&p.Cached, cached}, {&p.Output, output}} {
		n, err := parsePerMillion(f.text)
		if err != nil {
			return fmt.Errorf("price %q per million tokens: %w", f.text, err)
		}
		*f.into = n
	}
	return b.store.SetPrice(ctx, p)
}

// ListedPrice is a price in dollars per million tokens.
type ListedPrice struct {
	Model                 string
	Since                 time.Time
	Input, Cached, Output string
	By                    string // who says so: you, upstream NAME, or built-in list
}

func listed(model string, since time.Time, p Price, by string) ListedPrice {
	perMillion := func(token int64) string { return Dollars(times(token, 1e6)) }
	return ListedPrice{model, since, perMillion(p.Input), perMillion(p.Cached), perMillion(p.Output), by}
}

// Prices returns the prices that the operator has set, then those of upstreams,
// then the newest of the built-in list, each by model.
func (b *Books) Prices(ctx context.Context) ([]ListedPrice, error) {
	set, err := b.store.Prices(ctx)
	if err != nil {
		return nil, err
	}
	var prices []ListedPrice
	for _, p := range set {
		prices = append(prices, listed(p.Model, p.Since, Price{Input: p.Input, Cached: p.Cached, Output: p.Output}, "you"))
	}
	prices = append(prices, b.upstreams.list()...)
	newest := b.list[len(b.list)-1]
	for _, model := range slices.Sorted(maps.Keys(newest.models)) {
		prices = append(prices, listed(model, newest.since, newest.models[model], "built-in list"))
	}
	return prices, nil
}

// ClearPrices forgets what was set for a model; nothing set is a
// *NotFoundError.
func (b *Books) ClearPrices(ctx context.Context, model string) error {
	return notFound(b.store.ClearPrices(ctx, model), "price of", model)
}
