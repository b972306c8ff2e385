package upstream

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := play(t, map[string]http.HandlerFunc{
			"listed": says(200, `{"data":[{"id":"gpt-x","created":7,"owned_by":"them"},{"id":"whisper"},{"id":"gpt-x"}]}`),
			"broken": says(500, "down"),
		},
			Server{Name: "listed", Models: []string{"gpt-*", "plain"}, Renames: map[string]string{"ours": "gpt-x"}, ListModels: true},
			Server{Name: "broken", ListModels: true}, Server{Name: "unlisted"})
		want := []Model{{Name: "ours", OwnedBy: "listed"}, {Name: "plain", OwnedBy: "listed"}, {"gpt-x", 7, "them"}}
		for range 3 {
			if diff := cmp.Diff(want, p.Models(t.Context())); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
		}
		if got := len(w.calls()); got != 2 {
			t.Errorf("%d requests, want one to each listed server", got)
		}
		time.Sleep(listAgain + time.Second)
		if p.Models(t.Context()); len(w.calls()) != 1 {
			t.Error("the broken server is to be asked again, and the other is not")
		}
	})
}
