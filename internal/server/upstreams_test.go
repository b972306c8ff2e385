package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
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

// An address in a request is passed on to the upstream and never fetched here,
// whatever it is.
func TestAddressesInRequestsAreNotFetched(t *testing.T) {
	var fetched atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer inside.Close()
	var sent atomic.Pointer[string]
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text := string(body)
		sent.Store(&text)
		io.WriteString(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"a cat"},"finish_reason":"stop"}]}`)
	}))
	defer upstream.Close()
	c := testConfig(t, t.TempDir())
	c.Upstream = upstream.URL
	s := open(t, c, Options{})
	serve(t, s)
	for _, url := range []string{inside.URL + "/latest/meta-data", "file:///etc/passwd"} {
		body := `{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.Notice().URL+"/chat/completions", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.Notice().FirstKey)
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", url, answer.StatusCode)
		}
		if got := *sent.Load(); !strings.Contains(got, `{"url":"`+url+`"}`) {
			t.Errorf("the upstream was sent %s, want %s as it was", got, url)
		}
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("the address was fetched %d times", n)
	}
}
