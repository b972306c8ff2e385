package server

import (
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/state"
)

// While a server runs, stored completions whose time is over go, and others stay.
func TestExpiredCompletionsGo(t *testing.T) {
	s := open(t, testConfig(t, t.TempDir()), Options{})
	tenant, err := s.state.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id, age := range map[string]time.Duration{"old": inference.StoredFor + time.Hour, "young": inference.StoredFor - time.Hour} {
		c := state.Completion{ID: id, ProjectID: tenant.ProjectID, CreatedAt: time.Now().Add(-age), Model: "m", Completion: []byte("{}"), Messages: []byte("[]")}
		if err := s.state.AddCompletion(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, s)
	left := func() (ids []string) {
		list, _, err := s.state.Completions(t.Context(), tenant.ProjectID, state.CompletionFilter{}, state.Page{Limit: 9})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		return ids
	}
	soon(t, "the old completion to go", func() bool { return len(left()) < 2 })
	if got := left(); len(got) != 1 || got[0] != "young" {
		t.Errorf("%q are left, want the young one", got)
	}
}
