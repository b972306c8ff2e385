package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/testenv"
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

// sentAgain is the request that a server is killed over.
var sentAgain = Attempt{KeyID: "key_a", Key: "k", Request: []byte("what")}

// attemptUntilKilled prints the id of an attempt and the server's, and never ends
// it.
func attemptUntilKilled(dir string, o Options) {
	s, err := OpenWith(context.Background(), dir, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	id, _, err := s.BeginAttempt(context.Background(), sentAgain)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(id)
	fmt.Println(s.server.id)
	select {}
}

// An attempt of a server that is killed is run by the next one, also where that
// has served all along.
func TestAttemptsOfAKilledServer(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	said := testenv.KillAfter(t, 2, "attempt-until-killed", dir, options(t, dir).Database)
	if len(said) != 2 {
		t.Fatalf("the other server said %q", said)
	}
	if *onPostgres { // which hears a little later that the process has gone
		conn, err := s.write.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"SELECT pg_advisory_lock(?)", "SELECT pg_advisory_unlock(?)"} {
			if _, err := conn.ExecContext(t.Context(), statement, lockOfServer(said[1])); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if id, kept, err := s.BeginAttempt(t.Context(), sentAgain); err != nil || id != said[0] || kept != nil {
		t.Errorf("%q, %v, %v; want %q to run", id, kept, err, said[0])
	}
	if _, _, err := s.BeginAttempt(t.Context(), sentAgain); !errors.Is(err, ErrAttemptRunning) {
		t.Errorf("a second while it runs: %v", err)
	}
}

// An attempt of another server that lives is not taken from it.
func TestAttemptsOfALivingServer(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	if _, _, err := a.BeginAttempt(t.Context(), sentAgain); err != nil {
		t.Fatal(err)
	}
	if id, kept, err := b.BeginAttempt(t.Context(), sentAgain); !errors.Is(err, ErrAttemptRunning) {
		t.Errorf("got %q, %v, %v; want ErrAttemptRunning", id, kept, err)
	}
}

// An attempt runs until its process says that it ended, whether or not the
// database could be told, and whatever the process was called when it began.
func TestAttemptsOfAServerWithAnotherID(t *testing.T) {
	for name, rename := range map[string]bool{"the same id": false, "another id": true} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			id, _, err := s.BeginAttempt(t.Context(), sentAgain)
			if err != nil {
				t.Fatal(err)
			}
			if rename {
				live := s.server
				s.lost(live.id)
				if err := live.unmark(); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := s.BeginAttempt(t.Context(), sentAgain); !errors.Is(err, ErrAttemptRunning) {
				t.Errorf("while it runs: %v, want ErrAttemptRunning", err)
			}
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.AbandonAttempt(cancelled, id); err == nil {
				t.Fatal("the database was told")
			}
			if again, kept, err := s.BeginAttempt(t.Context(), sentAgain); err != nil || again != id || kept != nil {
				t.Errorf("after it ended: %q, %v, %v; want %q to run", again, kept, err, id)
			}
		})
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
