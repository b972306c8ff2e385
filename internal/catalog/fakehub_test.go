package catalog

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	hubCommit = "0123456789abcdef0123456789abcdef01234567"
	hubToken  = "hf_secret"
)

// A fakeHub behaves as the real one was seen to: large files are redirected to
// another host, with their hash and size announced on the way; small ones are
// answered at once, with their git blob identifier as ETag.
type fakeHub struct {
	hub, storage *httptest.Server
	files        map[string][]byte // by repository/file
	large        int               // files from this size on are large

	// atHub and atStorage may answer a request in the server's place; n counts
	// that server's requests from 1.
	atHub, atStorage func(w http.ResponseWriter, r *http.Request, n int) (answered bool)

	mu           sync.Mutex // guards what follows
	requests     []string   // "hub GET /path", with the range if one was asked
	hubN, storeN int
	leaked       []string // requests beyond the hub that carried the token
	withToken    int
}

func newFakeHub(t *testing.T, files map[string][]byte) *fakeHub {
	f := &fakeHub{files: files, large: 100}
	f.hub = httptest.NewServer(http.HandlerFunc(f.serveHub))
	f.storage = httptest.NewServer(http.HandlerFunc(f.serveStorage))
	t.Cleanup(f.hub.Close)
	t.Cleanup(f.storage.Close)
	return f
}

func (f *fakeHub) serveHub(w http.ResponseWriter, r *http.Request) {
	n := f.note("hub", r, &f.hubN)
	if f.atHub != nil && f.atHub(w, r, n) {
		return
	}
	if repo, ok := strings.CutPrefix(r.URL.Path, "/api/models/"); ok {
		f.serveListing(w, strings.TrimSuffix(repo, "/tree/main"))
		return
	}
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 5)
	if len(parts) != 5 || parts[2] != "resolve" {
		http.NotFound(w, r)
		return
	}
	content, ok := f.files[path.Join(parts[0], parts[1], parts[4])]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("X-Repo-Commit", hubCommit)
	if len(content) < f.large {
		w.Header().Set("Etag", `"`+gitBlob(content)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+sha256Hex(content)+`"`)
	w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
	w.Header().Set("Etag", `"`+strings.Repeat("e", 32)+`"`)
	http.Redirect(w, r, f.storage.URL+"/"+sha256Hex(content)+"?Signature=secret", http.StatusFound)
}

func (f *fakeHub) serveStorage(w http.ResponseWriter, r *http.Request) {
	n := f.note("storage", r, &f.storeN)
	if f.atStorage != nil && f.atStorage(w, r, n) {
		return
	}
	for _, content := range f.files {
		if "/"+sha256Hex(content) == r.URL.Path {
			w.Header().Set("Etag", `"`+strings.Repeat("f", 64)+`"`) // the storage's own idea of it
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
			return
		}
	}
	http.NotFound(w, r)
}

func (f *fakeHub) serveListing(w http.ResponseWriter, repo string) {
	var list []map[string]any
	for name, content := range f.files {
		below, ok := strings.CutPrefix(name, repo+"/")
		if !ok {
			continue
		}
		item := map[string]any{"type": "file", "path": below, "size": len(content), "oid": gitBlob(content)}
		if len(content) >= f.large {
			item["lfs"] = map[string]any{"oid": sha256Hex(content), "size": len(content)}
		}
		list = append(list, item)
	}
	json.NewEncoder(w).Encode(list)
}

func (f *fakeHub) note(server string, r *http.Request, counter *int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	*counter++
	line := fmt.Sprintf("%s %s %s", server, r.Method, r.URL.Path)
	if s := r.Header.Get("Range"); s != "" {
		line += " " + s
	}
	f.requests = append(f.requests, line)
	if r.Header.Get("Authorization") != "" {
		f.withToken++
		if server != "hub" {
			f.leaked = append(f.leaked, line)
		}
	}
	return *counter
}

// store opens a store on the fake hub that does not wait between attempts.
func (f *fakeHub) store(t *testing.T, o Options) *Store {
	t.Helper()
	o.HubURL, o.HubToken = f.hub.URL, hubToken
	if o.LookPath == nil {
		o.LookPath = noProgram
	}
	s, err := Open(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.hub.pause = time.Millisecond
	return s
}

func noProgram(name string) (string, error) { return "", fmt.Errorf("%s: no such program", name) }

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func gitBlob(b []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...))
	return hex.EncodeToString(sum[:])
}

// bytesOf is n bytes that look like nothing else in these tests.
func bytesOf(seed string, n int) []byte {
	var b []byte
	for i := 0; len(b) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", seed, i))
		b = append(b, sum[:]...)
	}
	return b[:n]
}

// tinyEntry is a catalog entry of one large pinned file and one small one.
func tinyEntry() (Entry, map[string][]byte) {
	weights, config := bytesOf("weights", 300_000), []byte(`{"tiny": true}`)
	return Entry{
			Name: "tiny", Family: "tiny", Task: Chat, Licence: "MIT", Size: "1",
			Files: []File{
				{Name: "weights.bin", Bytes: int64(len(weights)), SHA256: sha256Hex(weights)},
				{Name: "sub/config.json", Bytes: int64(len(config)), SHA256: sha256Hex(config)},
			},
			Sources: []Source{{Hub: &HubSource{Repo: "own/tiny"}}},
		}, map[string][]byte{
			"own/tiny/weights.bin":     weights,
			"own/tiny/sub/config.json": config,
		}
}
