package state

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// open opens a test's folder and, when the test ends, verifies and closes it.
func open(t *testing.T, dir string) *Store {
	t.Helper()
	s := reopen(t, dir)
	t.Cleanup(func() {
		verify(t, s)
		s.Close()
	})
	return s
}

func newKey(t *testing.T, s *Store, secret string) Key {
	t.Helper()
	tenant, err := s.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return Key{ID: NewID("key_"), Tenant: tenant, Name: "test", Hash: s.HashKey(secret), Redacted: "sk-…", Permission: "all", CreatedAt: time.Unix(1_700_000_000, 0)}
}

func TestKeysSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	project, admin := newKey(t, s, "sk-proj-a"), newKey(t, s, "sk-admin-b")
	admin.Tenant.ProjectID = ""
	for _, k := range []Key{project, admin} {
		if err := s.AddKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RevokeKey(t.Context(), project.ID, time.Unix(1_700_000_100, 0)); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeKey(t.Context(), project.ID, time.Unix(1_700_000_900, 0)); err != nil {
		t.Fatal("revoking twice:", err)
	}

	again := open(t, dir)
	got, err := again.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	project.RevokedAt = time.Unix(1_700_000_100, 0)
	if diff := cmp.Diff([]Key{project, admin}, got); diff != "" {
		t.Errorf("Keys after reopening (-want +got):\n%s", diff)
	}
	if k, err := again.KeyByHash(t.Context(), again.HashKey("sk-admin-b")); err != nil || k.ID != admin.ID {
		t.Errorf("KeyByHash(sk-admin-b) = %v, %v; want %s", k.ID, err, admin.ID)
	}
	if _, err := again.KeyByHash(t.Context(), again.HashKey("sk-proj-x")); !errors.Is(err, ErrNotFound) {
		t.Errorf("KeyByHash of an unknown key: %v, want ErrNotFound", err)
	}
	if err := again.RevokeKey(t.Context(), "key_none", time.Now()); !errors.Is(err, ErrNotFound) {
		t.Errorf("RevokeKey of an unknown id: %v, want ErrNotFound", err)
	}
}

func TestTheKeyItselfIsNowhere(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const key = "sk-proj-ThisTextMustNotBeStored"
	if err := s.AddKey(t.Context(), newKey(t, s, key)); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("ThisTextMustNotBeStored")) {
			t.Errorf("%s holds the key", name)
		}
		if info, _ := os.Stat(name); runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(name, ".lock") {
			t.Errorf("%s has mode %o: others can read it", name, info.Mode().Perm())
		}
	}
}

// Many processes may start at once on a new folder: it gets one schema, one
// secret, one tenant and one first key.
func TestOpeningAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with a space, 100%?#")
	at := options(t, dir)
	const n = 4
	made := make([]bool, n)
	var tenants [n]Tenant
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			s, err := OpenWith(context.Background(), dir, at)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			k := newKey(t, s, NewID("sk-"))
			tenants[i] = k.Tenant
			if made[i], err = s.AddFirstKey(context.Background(), k); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	firsts := 0
	for i := range n {
		if made[i] {
			firsts++
		}
		if tenants[i] != tenants[0] {
			t.Errorf("opener %d has tenant %v, opener 0 has %v", i, tenants[i], tenants[0])
		}
	}
	if firsts != 1 {
		t.Errorf("%d first keys were made, want 1", firsts)
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  error
	}{
		{"a missing secret", func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "secret")) }, ErrSecret},
		{"another's secret", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "secret"), make([]byte, secretLength), 0o600); err != nil {
				t.Fatal(err)
			}
		}, ErrSecret},
		{"a newer schema", func(t *testing.T, dir string) {
			s := open(t, dir)
			if _, err := s.write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)"); err != nil {
				t.Fatal(err)
			}
		}, ErrNewerSchema},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			open(t, dir)
			test.spoil(t, dir)
			s, err := OpenWith(t.Context(), dir, options(t, dir))
			if !errors.Is(err, test.want) {
				t.Errorf("Open = %v, want %v", err, test.want)
			}
			if err == nil {
				s.Close()
			} else if !strings.Contains(err.Error(), dir) {
				t.Errorf("%q does not name the folder %s", err, dir)
			}
		})
	}
}

func TestOpenNamesAFolderItCannotUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Open of a file = %v, want an error that names it", err)
	}
}

// A secret written by an opener that was killed before its commit is replaced.
func TestSecretWithoutProofIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("left behind"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := open(t, dir); len(s.secret) != secretLength {
		t.Errorf("the secret has %d bytes, want %d", len(s.secret), secretLength)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID("key_")
		if rest, ok := strings.CutPrefix(id, "key_"); !ok || len(rest) != idLength || strings.Trim(rest, idLetters) != "" {
			t.Fatalf("NewID(key_) = %q", id)
		}
		if seen[id] {
			t.Fatalf("NewID gave %q twice", id)
		}
		seen[id] = true
	}
}

func TestIsFull(t *testing.T) {
	if *onPostgres {
		t.Skip("how to fill SQLite's disk")
	}
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.write.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil { // no more than there are
		t.Fatal(err)
	}
	_, err = s.write.ExecContext(t.Context(), "CREATE TABLE more AS SELECT zeroblob(1000000)")
	if !IsFull(err) || IsFull(ErrNotFound) {
		t.Errorf("IsFull(%v) = %v, IsFull(%v) = %v, want true and false", err, IsFull(err), ErrNotFound, IsFull(ErrNotFound))
	}
}
