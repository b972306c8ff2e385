package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/state"
)

// BenchmarkChatRequest is a handler's own time for a chat request of 1 kB whose
// model answers at once: with the key, the limits and the JSON alone, and with the
// ledger and a hard budget too, which wait for two transactions.
func BenchmarkChatRequest(b *testing.B) {
	head := `{"model":"gpt-4o-mini","temperature":0.2,"max_completion_tokens":64,"messages":[{"role":"system","content":"Answer from the handbook, in two sentences, and name the section."},{"role":"user","content":"`
	tail := `"}]}`
	// Few words, since a word is a token of the fake model.
	body := head + strings.Repeat("x", 1024-len(head)-len(tail)) + tail
	plenty := account.Rates{RequestsPerMinute: 1 << 30, TokensPerMinute: 1 << 30}
	for _, bench := range []struct {
		name   string
		change func(*Config)
		budget bool
	}{
		{"own", func(c *Config) {
			c.Inference = fakeService(&fakeModel{}, inference.Config{Limiter: account.NewLimiter(plenty)})
		}, false},
		{"with ledger", nil, false},
		{"with ledger and budget", nil, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := newTestServer(b, &fakeModel{}, plenty, bench.change)
			tenant, err := s.store.DefaultTenant(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if bench.budget {
				budget := state.Budget{SubjectID: s.project.Project, Amount: 1 << 60, Hard: true, Every: "month"}
				if _, err := s.accounts.Organization.SetBudget(b.Context(), tenant.OrganizationID, budget); err != nil {
					b.Fatal(err)
				}
			}
			handler := s.Config.Handler
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+s.project.Secret)
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
