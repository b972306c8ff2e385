package state

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAttempts(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	attempt := Attempt{KeyID: "key_a", Key: "k", Request: []byte("what")}
	id, kept, err := s.BeginAttempt(ctx, attempt)
	if err != nil || id == "" || kept != nil {
		t.Fatalf("the first attempt: %q, %v, %v", id, kept, err)
	}
	if _, _, err := s.BeginAttempt(ctx, attempt); !errors.Is(err, ErrAttemptRunning) {
		t.Errorf("a second while it runs: %v", err)
	}
	differs := attempt
	differs.Request = []byte("something else")
	if _, _, err := s.BeginAttempt(ctx, differs); !errors.Is(err, ErrAttemptDiffers) {
		t.Errorf("another request: %v", err)
	}
	for _, other := range []Attempt{{"key_b", "k", attempt.Request}, {"key_a", "l", attempt.Request}} {
		if another, kept, err := s.BeginAttempt(ctx, other); err != nil || another == id || kept != nil {
			t.Errorf("%v is not an attempt of its own: %q, %v, %v", other, another, kept, err)
		}
	}

	if err := s.AbandonAttempt(ctx, id); err != nil {
		t.Fatal(err)
	}
	if again, kept, err := s.BeginAttempt(ctx, attempt); err != nil || again != id || kept != nil {
		t.Errorf("after one that was abandoned: %q, %v, %v; want %q to run", again, kept, err, id)
	}
	want := KeptAnswer{Status: 200, ContentType: "application/json", Model: "m", Body: []byte("{}")}
	if err := s.EndAttempt(ctx, id, want); err != nil {
		t.Fatal(err)
	}
	_, kept, err = s.BeginAttempt(ctx, attempt)
	if diff := cmp.Diff(&want, kept); err != nil || diff != "" {
		t.Errorf("after it ended: %v (-want +got):\n%s", err, diff)
	}
	if n, err := s.DeleteAttemptsBefore(ctx, time.Now().Add(time.Hour)); err != nil || n != 3 {
		t.Errorf("deleted %d, %v; want all 3", n, err)
	}
	if _, kept, err := s.BeginAttempt(ctx, attempt); err != nil || kept != nil {
		t.Errorf("after it was deleted: %v, %v", kept, err)
	}
}

// An attempt whose server has ended without a word is run by the next one.
func TestAttemptsOfDeadServers(t *testing.T) {
	s := open(t, t.TempDir())
	attempt := Attempt{KeyID: "key_a", Key: "k", Request: []byte("what")}
	id, _, err := s.BeginAttempt(t.Context(), attempt)
	if err != nil {
		t.Fatal(err)
	}
	err = s.inTransaction(t.Context(), func(tx *sql.Tx) error { // as the next start does
		_, err := tx.ExecContext(t.Context(), "DELETE FROM servers")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if again, kept, err := s.BeginAttempt(t.Context(), attempt); err != nil || again != id || kept != nil {
		t.Errorf("%q, %v, %v; want %q to run", again, kept, err, id)
	}
}

// Of one caller only so much is kept.
func TestAttemptsAreBounded(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	body := bytes.Repeat([]byte("x"), mostKept/4)
	for i, key := range []string{"a", "b", "c", "d", "e"} {
		attempt := Attempt{KeyID: "key_a", Key: key, Request: []byte("what")}
		id, _, err := s.BeginAttempt(ctx, attempt)
		if err == nil {
			err = s.EndAttempt(ctx, id, KeptAnswer{Status: 200, Body: body})
		}
		if err != nil {
			t.Fatal(err)
		}
		_, kept, err := s.BeginAttempt(ctx, attempt)
		if err != nil || (kept.Body == nil) != (i == 4) {
			t.Errorf("answer %d of 5: kept is %v, %v; want all but the last", i+1, kept.Body != nil, err)
		}
	}
}
