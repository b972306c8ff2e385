package api

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/blobs"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/files"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/state"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// testServer is a server on fake models, with a key of each kind.
type testServer struct {
	*httptest.Server
	keys                    *account.Keys
	store                   *state.Store
	accounts                *account.Accounts
	project, admin, revoked account.Created
	log                     *lockedBuffer
}

// lockedBuffer is a log that handlers write while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newTestServer(t testing.TB, model *fakeModel, rates account.Rates, change func(*Config)) *testServer {
	t.Helper()
	store, err := state.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	accounts := account.New(store, rates)
	s := &testServer{keys: accounts.Keys, store: store, accounts: accounts, log: &lockedBuffer{}}
	for _, k := range []struct {
		into  *account.Created
		admin bool
	}{{&s.project, false}, {&s.admin, true}, {&s.revoked, false}} {
		if *k.into, err = s.keys.Create(t.Context(), account.KeyOptions{Admin: k.admin}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.keys.Revoke(t.Context(), s.revoked.ID); err != nil {
		t.Fatal(err)
	}
	config := Config{
		Keys:         s.keys,
		Organization: accounts.Organization,
		Books:        accounts.Books,
		Inference:    fakeService(model, inference.Config{Limiter: accounts.Limiter, Books: accounts.Books, Archive: store}),
		Files:        files.New(store, openBlobs(t), files.Options{}),
		Log:          slog.New(slog.NewJSONHandler(s.log, nil)),
		MaxBodyBytes: 4096,
		Attempts:     store,
	}
	if change != nil {
		change(&config)
	}
	s.Server = httptest.NewServer(Routes(config))
	t.Cleanup(func() { s.Close(); store.Close() })
	return s
}

// openBlobs opens a folder of blobs that is gone with the test.
func openBlobs(t testing.TB) *blobs.Bucket {
	t.Helper()
	bucket, err := blobs.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	return bucket
}

// secret returns the key that a scenario calls by a name.
func (s *testServer) secret(name string) string {
	return map[string]string{"project": s.project.Secret, "admin": s.admin.Secret, "revoked": s.revoked.Secret, "wrong": "sk-wrong-0000000000000000"}[name]
}

// TestScenarios runs the files of testdata. A file is a list of exchanges:
//
//	METHOD /address
//	header: value      key: NAME stands for the authorization of that key
//	                   never: TEXT must not appear in answer or log
//
//	body
//	----
//	STATUS, telling headers, body
//
// separated by lines of ====. Run with -update to write what the server says
// now, and read the diff.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, exchange := range strings.Split(string(data), "\n====\n") {
				request, _, _ := strings.Cut(strings.TrimSuffix(exchange, "\n"), "\n----\n")
				got = append(got, request+"\n----\n"+s.exchange(t, request))
			}
			written := strings.Join(got, "\n====\n") + "\n"
			if *update {
				if err := os.WriteFile(file, []byte(written), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(strings.Split(string(data), "\n"), strings.Split(written, "\n")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// exchange sends a scenario's request and returns what is worth reading of the
// answer.
func (s *testServer) exchange(t *testing.T, scenario string) string {
	t.Helper()
	head, body, _ := strings.Cut(scenario, "\n\n")
	lines := strings.Split(head, "\n")
	method, address, _ := strings.Cut(lines[0], " ")
	request, err := http.NewRequest(method, s.URL+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	never := []string{s.project.Secret, s.admin.Secret, s.revoked.Secret, "sk-wrong-0000000000000000", "/secret/path"}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "key":
			request.Header.Set("Authorization", "Bearer "+s.secret(value))
		case "never":
			never = append(never, value)
		default:
			request.Header.Set(name, value)
		}
	}
	logged := len(s.log.String())
	// No redirect is ever right: clients drop their key when they follow one.
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%s: %v", lines[0], err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s: %v", lines[0], err)
	}
	checkHeaders(t, lines[0], answer)
	line := s.log.String()[logged:]
	for _, n := range never {
		if strings.Contains(string(text), n) {
			t.Errorf("%s: the answer holds %q:\n%s", lines[0], n, text)
		}
		if n != "/secret/path" && strings.Contains(line, n) {
			t.Errorf("%s: the log holds %q:\n%s", lines[0], n, line)
		}
	}
	for _, text := range contents(body) {
		if strings.Contains(line, text) {
			t.Errorf("%s: the log holds what was asked, %q:\n%s", lines[0], text, line)
		}
	}
	return normalise(fmt.Sprintf("%d%s\n%s", answer.StatusCode, tellingHeaders(answer.Header), strings.TrimRight(string(text), "\n")))
}

// checkHeaders checks what every answer must carry.
func checkHeaders(t *testing.T, request string, answer *http.Response) {
	t.Helper()
	patterns := map[string]string{
		"x-request-id":         `^req_[0-9a-f]{32}$`,
		"openai-version":       `^2020-10-01$`,
		"openai-processing-ms": `^\d+$`,
		"content-type":         `^(application/json|text/event-stream; charset=utf-8)$`,
	}
	if answer.Header.Get("x-ragstone-model") != "" {
		for _, unit := range []string{"requests", "tokens"} {
			patterns["x-ratelimit-limit-"+unit] = `^\d+$`
			patterns["x-ratelimit-remaining-"+unit] = `^\d+$`
			patterns["x-ratelimit-reset-"+unit] = `^(\d+h)?(\d+m)?(\d+(\.\d+)?(s|ms))$`
		}
	}
	for name, pattern := range patterns {
		if got := answer.Header.Get(name); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s: header %s is %q, want it to match %s", request, name, got, pattern)
		}
	}
}

func tellingHeaders(h http.Header) string {
	var b strings.Builder
	for _, name := range []string{"content-type", "x-ragstone-model", "retry-after", "x-should-retry", "location"} {
		if v := h.Get(name); v != "" && v != "application/json" {
			fmt.Fprintf(&b, "\n%s: %s", name, v)
		}
	}
	return b.String()
}

var volatile = []struct{ pattern, shown string }{
	{`(chatcmpl-|cmpl-|key_|proj_|org-|file-|upload_|part_)[0-9A-Za-z]{24}`, "${1}ID"},
	{`req_[0-9a-f]{32}`, "req_ID"},
	{`"created":\d+`, `"created":0`},
	{`"(created_at|expires_at)":\d+`, `"${1}":0`},
	{`sk-proj-\w\w\*\*\*\w{4}`, "sk-proj-xx***xxxx"},
}

func normalise(text string) string {
	for _, v := range volatile {
		text = regexp.MustCompile(v.pattern).ReplaceAllString(text, v.shown)
	}
	return text
}

// contents are the texts of a request long enough to be recognised in a log.
func contents(body string) []string {
	var texts []string
	for _, m := range regexp.MustCompile(`"(?:content|prompt|input|text)": ?"([^"]{12,})"`).FindAllStringSubmatch(body, -1) {
		texts = append(texts, m[1])
	}
	return texts
}
