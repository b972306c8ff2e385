package server

import (
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/config"
)

// What an upstream's model costs in the configuration is what the ledger says.
func TestTheLedgerHasTheUpstreamsPrice(t *testing.T) {
	c := testConfig(t, t.TempDir())
	c.Upstreams = []config.Upstream{{
		Name: "spare", URL: newCounter(t).URL, Models: []string{"gpt-4o-mini"},
		Prices: []config.Price{
			{Model: "gpt-4o-mini", Input: "7", Output: "7"},
			{Model: "gpt-4o-mini", Since: "2026-01-01", Input: "0.5", Cached: "0.5", Output: "2"},
		},
	}}
	s := open(t, c, Options{})
	serve(t, s)
	crowd := newClients(s.Notice().FirstKey)
	for range 2 { // one of which is streamed
		if status := crowd.ask(s.Notice().URL); status != 200 {
			t.Fatalf("status %d", status)
		}
	}
	tenant, err := s.state.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range s.state.Entries(t.Context(), tenant.OrganizationID, time.Unix(0, 0), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if want := e.InputTokens*500_000 + outputTokens*2_000_000; e.Cost() != want {
			t.Errorf("%d tokens and %d of output cost %d, want %d", e.InputTokens, e.OutputTokens, e.Cost(), want)
		}
	}
	if n != 2 {
		t.Errorf("the ledger has %d rows, want 2", n)
	}
}
