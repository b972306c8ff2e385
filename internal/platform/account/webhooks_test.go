package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// delivery is what a receiver of webhooks got.
type delivery struct {
	id, timestamp, signature, body string
}

// receiver refuses the first delivery and passes on every one.
func receiver(t *testing.T) (url string, got chan delivery) {
	t.Helper()
	got = make(chan delivery, 16)
	var tries atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		got <- delivery{r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), string(body)}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

// What is spent of a budget is told once for each part of it, signed, and again
// until the receiver takes it.
func TestSpentBudgetsAreTold(t *testing.T) {
	store, err := state.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	tenant, err := store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	budget, err := New(store, Rates{}).Organization.SetBudget(t.Context(), tenant.OrganizationID, state.Budget{SubjectID: tenant.ProjectID, Amount: 100, Every: "ever"})
	if err != nil {
		t.Fatal(err)
	}
	spend := func(id string, amount int64) {
		t.Helper()
		entry := state.Entry{ID: id, At: time.Now(), Spender: state.Spender{Tenant: tenant, KeyID: "key_x"}, Kind: KindCompletions, InputCost: amount}
		if err := store.Settle(t.Context(), state.Settlement{Entry: entry}); err != nil {
			t.Fatal(err)
		}
	}
	url, got := receiver(t)
	secret := []byte("a secret of webhooks")
	w, err := NewWebhooks(store, []string{url}, "whsec_"+base64.StdEncoding.EncodeToString(secret))
	if err != nil {
		t.Fatal(err)
	}
	look := func() {
		t.Helper()
		if err := w.Watch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	spend("one", 79)
	look() // nothing to tell
	spend("two", 5)
	look()
	look() // told already
	// Whoever does the jobs need not be who added them.
	stop, err := store.StartJobs(t.Context(), slog.New(slog.DiscardHandler), w.Workers()...)
	if err != nil {
		t.Fatal(err)
	}
	first, second := <-got, <-got
	if first.id != second.id || first.body != second.body {
		t.Errorf("the second try is another event:\n%+v\n%+v", first, second)
	}
	mac := hmac.New(sha256.New, secret)
	io.WriteString(mac, second.id+"."+second.timestamp+"."+second.body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); second.signature != want {
		t.Errorf("the signature is %s, want %s", second.signature, want)
	}
	var event budgetEvent
	if err := json.Unmarshal([]byte(second.body), &event); err != nil {
		t.Fatal(err)
	}
	data := event.Data
	if event.ID != second.id || event.Type != "ragstone.budget.spent" || data.ID != budget.ID || data.Percent != 80 || data.Spent != json.Number(Dollars(84)) || data.Amount != json.Number(Dollars(100)) {
		t.Errorf("the event is %s", second.body)
	}

	spend("three", 16)
	look()
	percents := map[string]bool{}
	for range 2 {
		d := <-got
		percents[d.body[strings.Index(d.body, `"percent":`):][:13]] = true
	}
	if !percents[`"percent":95,`] || !percents[`"percent":100`] {
		t.Errorf("after all is spent there are told %v", percents)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if len(got) > 0 {
		t.Errorf("%d deliveries too many, the first: %+v", len(got), <-got)
	}
}

func TestWebhooksWantASecret(t *testing.T) {
	for _, test := range []struct {
		urls   []string
		secret string
		good   bool
	}{
		{nil, "", true}, {[]string{"http://x"}, "", false}, {[]string{"http://x"}, "any text", true}, {[]string{"http://x"}, "whsec_%%", false},
	} {
		if _, err := NewWebhooks(nil, test.urls, test.secret); (err == nil) != test.good {
			t.Errorf("%q with secret %q: %v", test.urls, test.secret, err)
		}
	}
}
