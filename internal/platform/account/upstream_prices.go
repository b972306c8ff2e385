package account

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// UpstreamPrice is what a model costs where an upstream runs it, in dollars per
// million tokens as decimal texts, from a time on. An empty cached price is that
// of input.
type UpstreamPrice struct {
	Upstream, Model       string
	Since                 time.Time // zero: always
	Input, Cached, Output string
}

// upstreamPrices are versions of prices by model and upstream, the oldest first.
type upstreamPrices map[string]map[string][]pricedSince

type pricedSince struct {
	since time.Time
	price Price
}

// SetUpstreamPrices makes models cost something of their own where an upstream
// runs them. What the operator has set for a model wins, and the built-in list
// counts where neither says anything. It is called before the books are used. An
// error is ErrMoney.
func (b *Books) SetUpstreamPrices(prices []UpstreamPrice) error {
	all := upstreamPrices{}
	for _, p := range prices {
		filed := tokenPrices{Input: p.Input, Output: &p.Output}
		if p.Cached != "" {
			filed.CachedInput = &p.Cached
		}
		price, err := filed.price()
		if err != nil {
			return fmt.Errorf("price of %s at upstream %s: %w", p.Model, p.Upstream, err)
		}
		if all[p.Model] == nil {
			all[p.Model] = map[string][]pricedSince{}
		}
		all[p.Model][p.Upstream] = append(all[p.Model][p.Upstream], pricedSince{p.Since, price})
	}
	for _, at := range all {
		for _, versions := range at {
			slices.SortFunc(versions, func(a, b pricedSince) int { return a.since.Compare(b.since) })
		}
	}
	b.upstreams = all
	return nil
}

// at returns the prices of a model at a time, by upstream.
func (u upstreamPrices) at(model string, t time.Time) map[string]Price {
	prices := map[string]Price{}
	for upstream, versions := range u[model] {
		for _, v := range slices.Backward(versions) {
			if !t.Before(v.since) {
				prices[upstream] = v.price
				break
			}
		}
	}
	return prices
}

// list returns all versions, by model, upstream and time.
func (u upstreamPrices) list() (prices []ListedPrice) {
	for _, model := range slices.Sorted(maps.Keys(u)) {
		for _, upstream := range slices.Sorted(maps.Keys(u[model])) {
			for _, v := range u[model][upstream] {
				prices = append(prices, listed(model, v.since, v.price, "upstream "+upstream))
			}
		}
	}
	return prices
}

// RunsAt says which upstream runs the request, whose price counts from then on.
// Until then, and where nobody says it, the dearest that might does.
func (b *Bill) RunsAt(upstream string) {
	if b == nil {
		return
	}
	price, ok := b.own[upstream]
	if !ok {
		price = b.common
	}
	b.price, b.upstream = price, upstream
}
