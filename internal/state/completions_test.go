package state

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func addCompletion(t *testing.T, s *Store, project string, n int, at int64, metadata ...Pair) Completion {
	t.Helper()
	c := Completion{
		ID:         fmt.Sprintf("chatcmpl-%s-%02d", project[len(project)-4:], n),
		ProjectID:  project,
		CreatedAt:  time.Unix(at, 0),
		Model:      fmt.Sprint("model-", n%2),
		Completion: fmt.Appendf(nil, `{"n":%d}`, n),
		Messages:   []byte(`[]`),
		Metadata:   metadata,
	}
	if err := s.AddCompletion(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func completionIDs(cs []Completion) []string {
	var ids []string
	for _, c := range cs {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestCompletionsArePagedAndFiltered(t *testing.T) {
	s := open(t, t.TempDir())
	tenant, err := s.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []Completion
	for n := range 7 {
		pair := Pair{"parity", fmt.Sprint(n % 2)}
		all = append(all, addCompletion(t, s, tenant.ProjectID, n, int64(100+n/3), pair, Pair{"run", "a"}))
	}
	for _, descending := range []bool{false, true} {
		want := completionIDs(all)
		if descending {
			slices.Reverse(want)
		}
		var got []string
		for page := (Page{Limit: 3, Descending: descending}); ; {
			cs, more, err := s.Completions(t.Context(), tenant.ProjectID, CompletionFilter{}, page)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, completionIDs(cs)...)
			if !more {
				break
			}
			page.After = got[len(got)-1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("descending %t (-want +got):\n%s", descending, diff)
		}
	}
	tests := []struct {
		filter CompletionFilter
		want   int
	}{
		{CompletionFilter{Model: "model-1"}, 3},
		{CompletionFilter{Metadata: []Pair{{"parity", "0"}, {"run", "a"}}}, 4},
		{CompletionFilter{Metadata: []Pair{{"parity", "0"}, {"run", "b"}}}, 0},
		{CompletionFilter{Model: "model-1", Metadata: []Pair{{"parity", "0"}}}, 0},
	}
	for _, test := range tests {
		cs, _, err := s.Completions(t.Context(), tenant.ProjectID, test.filter, Page{Limit: 100})
		if err != nil || len(cs) != test.want {
			t.Errorf("%+v: got %d completions, %v; want %d", test.filter, len(cs), err, test.want)
		}
	}
	if _, _, err := s.Completions(t.Context(), tenant.ProjectID, CompletionFilter{}, Page{After: "chatcmpl-none", Limit: 1}); !errors.Is(err, ErrNotFound) {
		t.Errorf("after an unknown id: got %v, want ErrNotFound", err)
	}
}

// Another project's completions are not there, not even to be deleted.
func TestCompletionsBelongToAProject(t *testing.T) {
	s := open(t, t.TempDir())
	tenant, err := s.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := addCompletion(t, s, tenant.ProjectID, 1, 100, Pair{"b", "2"}, Pair{"a", "1"})
	got, err := s.Completion(t.Context(), tenant.ProjectID, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const other = "proj_other"
	for name, err := range map[string]error{
		"read":   second(s.Completion(t.Context(), other, c.ID)),
		"update": s.SetCompletionMetadata(t.Context(), other, c.ID, nil),
		"delete": s.DeleteCompletion(t.Context(), other, c.ID),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s by another project: got %v, want ErrNotFound", name, err)
		}
	}
	if err := s.SetCompletionMetadata(t.Context(), tenant.ProjectID, c.ID, []Pair{{"c", "3"}}); err != nil {
		t.Fatal(err)
	}
	if got, err = s.Completion(t.Context(), tenant.ProjectID, c.ID); err != nil || len(got.Metadata) != 1 || got.Metadata[0] != (Pair{"c", "3"}) {
		t.Errorf("after an update: got %+v, %v", got.Metadata, err)
	}
	if err := s.DeleteCompletion(t.Context(), tenant.ProjectID, c.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteCompletion(t.Context(), tenant.ProjectID, c.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: got %v, want ErrNotFound", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestOldCompletionsGo(t *testing.T) {
	s := open(t, t.TempDir())
	tenant, err := s.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		addCompletion(t, s, tenant.ProjectID, n, int64(100+n), Pair{"k", "v"})
	}
	n, err := s.DeleteCompletionsBefore(t.Context(), time.Unix(103, 0))
	if err != nil || n != 3 {
		t.Errorf("got %d deleted, %v; want 3", n, err)
	}
	left, _, err := s.Completions(t.Context(), tenant.ProjectID, CompletionFilter{Metadata: []Pair{{"k", "v"}}}, Page{Limit: 9})
	if err != nil || len(left) != 2 {
		t.Errorf("got %d left, %v; want 2", len(left), err)
	}
}
