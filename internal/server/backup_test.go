package server

import (
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/files"
	"github.com/ragstone/ragstone/internal/state"
)

// A backup that is made as docs/operating.md says, beside a server under load, has
// every answer that came before it, once, and the contents of every file that it
// has a row of.
func TestBackupBesideARunningServer(t *testing.T) {
	c := testConfig(t, t.TempDir())
	c.Upstream, c.RequestsPerMinute, c.TokensPerMinute = newCounter(t).URL, 1e9, 2e9
	s := open(t, c, Options{})
	serve(t, s)
	tenant, err := s.state.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	caller := account.Caller{Tenant: tenant}
	var old []string
	for range 20 {
		old = append(old, newFile(t, s.files, caller))
	}

	crowd := newClients(s.Notice().FirstKey)
	over := make(chan struct{})
	var wait sync.WaitGroup
	during := func(do func()) {
		wait.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					do()
				}
			}
		})
	}
	for range 4 {
		during(func() { crowd.ask(s.Notice().URL) })
	}
	during(func() {
		newFile(t, s.files, caller)
		if len(old) > 0 {
			if err := s.files.Delete(t.Context(), caller, old[0]); err != nil {
				t.Error(err)
			}
			old = old[1:]
		}
	})
	soon(t, "answers", func() bool { return crowd.count(200) >= 50 })

	crowd.mu.Lock()
	before := clients{answered: maps.Clone(crowd.answered), statuses: maps.Clone(crowd.statuses)}
	crowd.mu.Unlock()
	copied := c
	copied.Home = filepath.Join(t.TempDir(), "copy")
	backUp(t, c.Home, copied.Home)
	soon(t, "answers after the backup", func() bool { return crowd.count(200) >= len(before.answered)+20 })
	close(over)
	wait.Wait()

	store := openStore(t, copied)
	before.sent.Store(crowd.sent.Load())
	accounting(t, store, &before)
	restored := &Server{state: store}
	if err := restored.openFiles(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { restored.closers.close() })
	list, err := restored.files.List(t.Context(), caller, "", state.Page{Limit: 10_000})
	if err != nil || len(list.Data) < 20 {
		t.Fatalf("the backup has %d files, %v; want 20 and more", len(list.Data), err)
	}
	for _, f := range list.Data {
		content, err := restored.files.Content(t.Context(), caller, f.ID, files.Section{Length: f.Bytes})
		if err == nil {
			_, err = io.Copy(io.Discard, content)
			content.Close()
		}
		if err != nil {
			t.Errorf("the content of %s: %v", f.ID, err)
		}
	}
}

// newFile stores a file and returns its id.
func newFile(t *testing.T, s *files.Service, caller account.Caller) string {
	received, err := s.Receive(t.Context(), caller, openai.PurposeEvals, strings.NewReader(`{"item":{}}`+"\n"))
	if err != nil {
		t.Error(err)
		return ""
	}
	f, err := s.Create(t.Context(), caller, openai.FileRequest{Filename: "f.jsonl", Purpose: openai.PurposeEvals}, "", received)
	if err != nil {
		t.Error(err)
	}
	return f.ID
}

// backUp copies a home whose server runs: contents, journals, rows, the secret,
// and contents again.
func backUp(t *testing.T, home, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(to, "state", "servers"), 0o700); err != nil {
		t.Fatal(err)
	}
	copyTree(t, filepath.Join(home, "blobs"), filepath.Join(to, "blobs"))
	journals, err := filepath.Glob(filepath.Join(home, "state", "servers", "*.journal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, journal := range journals {
		copyFile(t, journal, filepath.Join(to, "state", "servers", filepath.Base(journal)))
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(home, "state", "ragstone.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "VACUUM INTO ?", filepath.Join(to, "state", "ragstone.db")); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(home, "state", "secret"), filepath.Join(to, "state", "secret"))
	copyTree(t, filepath.Join(home, "blobs"), filepath.Join(to, "blobs"))
}

// copyTree copies what stands in a folder and does not go while it is copied.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, inside), 0o700)
		}
		copyFile(t, path, filepath.Join(to, inside))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
