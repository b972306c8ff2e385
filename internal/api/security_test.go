package api

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/platform/upstream/upstreamtest"
)

// call sends a request with a body of JSON and a key, if there is one, and
// returns the status and the answer.
func (s *testServer) call(t *testing.T, key, request, body string) (int, string) {
	t.Helper()
	method, address, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// keyKind is a kind of key and the scopes that it may use.
type keyKind struct {
	name, secret string
	may          func(account.Scope) bool
}

// kinds makes a key of every kind. The operations are those that ask for scopes.
func (s *testServer) kinds(t *testing.T, operations map[string]account.Scope) []keyKind {
	secret := func(o account.KeyOptions) string {
		t.Helper()
		created, err := s.keys.Create(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return created.Secret
	}
	nothing := func(account.Scope) bool { return false }
	ofProject := func(scope account.Scope) bool { return !organizations(scope) }
	reads := func(scope account.Scope) bool { return strings.HasSuffix(string(scope), ".read") }

	project, _ := ask[openai.Project](t, s, s.admin.Secret, "POST /v1/organization/projects", `{"name":"another"}`, 200)
	bot, _ := ask[openai.NewServiceAccount](t, s, s.admin.Secret, "POST /v1/organization/projects/"+project.ID+"/service_accounts", `{"name":"bot"}`, 200)
	archived, _ := ask[openai.Project](t, s, s.admin.Secret, "POST /v1/organization/projects", `{"name":"archived"}`, 200)
	old := secret(account.KeyOptions{Project: archived.ID})
	s.call(t, s.admin.Secret, "POST /v1/organization/projects/"+archived.ID+"/archive", "")

	kinds := []keyKind{
		{"no key", "", nothing},
		{"an unknown key", "sk-proj-unknown", nothing},
		{"a revoked key", s.revoked.Secret, nothing},
		{"an expired key", secret(account.KeyOptions{Lifetime: time.Nanosecond}), nothing},
		{"a key of an archived project", old, nothing},
		{"a project's key", s.project.Secret, ofProject},
		{"a key of another project", secret(account.KeyOptions{Project: project.ID}), ofProject},
		{"a service account's key", bot.APIKey.Value, ofProject},
		{"a project's key that reads", secret(account.KeyOptions{Permission: account.PermissionReadOnly}), func(scope account.Scope) bool { return ofProject(scope) && reads(scope) }},
		{"an admin key", s.admin.Secret, organizations},
		{"an admin key that reads", secret(account.KeyOptions{Admin: true, Permission: account.PermissionReadOnly}), func(scope account.Scope) bool { return organizations(scope) && reads(scope) }},
	}
	restricted := map[account.Scope]bool{}
	for _, only := range operations {
		if restricted[only] {
			continue
		}
		restricted[only] = true
		kinds = append(kinds, keyKind{
			"a key for " + string(only) + " alone",
			secret(account.KeyOptions{Admin: organizations(only), Permission: account.PermissionRestricted, Scopes: []string{string(only)}}),
			func(scope account.Scope) bool {
				written, writes := strings.CutSuffix(string(only), ".write")
				return scope == only || writes && string(scope) == written+".read"
			},
		})
	}
	return kinds
}

// organizations reports whether a scope is an admin key's.
func organizations(s account.Scope) bool {
	return s == account.ScopeOrganization || s == account.ScopeOrganizationRead || s == account.ScopeUsage
}

// scopes are what the operations ask of a key.
func (a *api) scopes() map[string]account.Scope {
	scopes := map[string]account.Scope{}
	for pattern, r := range a.routes {
		scopes[pattern] = *r.scope
	}
	return scopes
}

// Every operation asks for a key, in force, of the right kind and with the right
// scope.
func TestAuthorizationMatrix(t *testing.T) {
	var routes *api
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) { routes = Routes(*c).(*api) })
	if len(routes.scopes()) < 50 {
		t.Fatalf("only %d operations want a key", len(routes.scopes()))
	}
	kinds := s.kinds(t, routes.scopes())
	for pattern, scope := range routes.scopes() {
		request := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(pattern, "none")
		for _, k := range kinds {
			status, text := s.call(t, k.secret, request, "{}")
			refused := status == 401 || strings.Contains(text, "missing_scope")
			if allowed := k.may(scope); refused == allowed || status >= 500 {
				t.Errorf("%s with %s: %d %s; want it allowed: %t", pattern, k.name, status, text, allowed)
			}
		}
	}
}

// What one project has made does not exist for another, whatever it asks.
func TestAnotherProjectsObjectsDoNotExist(t *testing.T) {
	var routes *api
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) { routes = Routes(*c).(*api) })
	p, _ := ask[openai.Project](t, s, s.admin.Secret, "POST /v1/organization/projects", `{"name":"another"}`, 200)
	other, err := s.keys.Create(t.Context(), account.KeyOptions{Project: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	completion := s.ask(t, "POST", "/v1/chat/completions", strings.Replace(hello, "{", `{"store":true,`, 1), 200)
	file := s.created(t, strings.NewReader("text"), "purpose", "assistants")
	upload := s.ask(t, "POST", "/v1/uploads", `{"filename":"a.txt","purpose":"assistants","bytes":4,"mime_type":"text/plain"}`, 200)
	ids := strings.NewReplacer("{id}", completion["id"].(string), "{file_id}", file, "{upload_id}", upload["id"].(string))
	tried := 0
	for pattern, scope := range routes.scopes() {
		request := ids.Replace(pattern)
		if organizations(scope) || request == pattern {
			continue
		}
		tried++
		status, text := 0, ""
		if strings.HasSuffix(pattern, "/parts") {
			_, address, _ := strings.Cut(request, " ")
			status, text = s.upload(t, other.Secret, address, "data", strings.NewReader("text"))
		} else {
			body := `{"metadata":{}}`
			if strings.HasSuffix(pattern, "/complete") {
				body = `{"part_ids":["part_a"]}`
			}
			status, text = s.call(t, other.Secret, request, body)
		}
		if status != 404 || strings.Contains(text, "a.txt") {
			t.Errorf("%s with a key of another project: %d %s, want 404", pattern, status, text)
		}
	}
	if tried < 9 {
		t.Errorf("only %d operations name an object", tried)
	}
	for _, list := range []string{"/v1/chat/completions", "/v1/files"} {
		if status, text := s.call(t, other.Secret, "GET "+list, ""); status != 200 || !strings.Contains(text, `"data":[]`) {
			t.Errorf("GET %s with a key of another project: %d %s, want no items", list, status, text)
		}
	}
}

// A file's name is text, and never a place.
func TestFileNamesAreNotPaths(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	dir := s.onFolder(t, asItIs)
	outside := filepath.Dir(dir)
	before := left(t, outside)
	names := []string{
		"../../escaped.txt", "..\\..\\escaped.txt", "/tmp/escaped.txt", "C:\\escaped.txt", "....//escaped.txt", "%2e%2e%2fescaped.txt",
		"~/escaped.txt", "file:///etc/passwd", "a\tb.txt", "..", ".", "con", strings.Repeat("x", 200) + "/../escaped",
	}
	accepted := 0
	for _, name := range names {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		form.WriteField("purpose", "assistants")
		part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + strings.ReplaceAll(name, `\`, `\\`) + `"`}})
		if err != nil {
			t.Fatal(err)
		}
		part.Write([]byte("text"))
		form.Close()
		r, err := http.NewRequest("POST", s.URL+"/v1/files", &body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.project.Secret)
		r.Header.Set("Content-Type", form.FormDataContentType())
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode >= 500 {
			t.Errorf("a file called %q: %s", name, answer.Status)
		}
		if answer.StatusCode == 200 {
			accepted++
		}
	}
	if in, all := left(t, dir), left(t, outside); in != accepted || all != before+accepted {
		t.Errorf("%d files were accepted: the folder has %d, and with what is beside it there are %d more; want %d of both", accepted, in, all-before, accepted)
	}
	for _, id := range []string{"..%2f..%2fetc%2fpasswd", "%2e%2e", "file-..%5c..", "file-a%00b"} {
		for _, address := range []string{"/v1/files/" + id, "/v1/files/" + id + "/content"} {
			if status, text := s.call(t, s.project.Secret, "GET "+address, ""); status != 404 && status != 400 {
				t.Errorf("GET %s: %d %s", address, status, text)
			}
		}
	}
	if _, err := os.Stat("/tmp/escaped.txt"); err == nil {
		t.Error("a name was taken for a path")
	}
}

// No operation fetches an address that a caller names.
func TestNothingIsFetchedForACaller(t *testing.T) {
	var fetched atomic.Int64
	witness := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer witness.Close()
	target := witness.URL + "/latest/meta-data"
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	image := `{"model":"gpt-4o-mini","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + target + `"}}]}]}`
	for request, bodies := range map[string][]string{
		"POST /v1/chat/completions": {
			image,
			strings.ReplaceAll(image, "http://", "HTTP://"),
			`{"model":"gpt-4o-mini","messages":[{"role":"user","content":[{"type":"file","file":{"file_data":"` + target + `"}}]}]}`,
			`{"model":"gpt-4o-mini","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"` + target + `","format":"wav"}}]}]}`,
			`{"model":"` + target + `","messages":[{"role":"user","content":"hello"}]}`,
			`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"$ref":"` + target + `"}}}}`,
			`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}],"tools":[{"type":"function","function":{"name":"a","parameters":{"$schema":"` + target + `","$ref":"` + target + `"}}}]}`,
		},
		"POST /v1/completions": {`{"model":"` + target + `","prompt":"hello"}`},
		"POST /v1/embeddings":  {`{"model":"` + target + `","input":"hello"}`, `{"model":"fake-embed","input":"` + target + `"}`},
		"POST /v1/moderations": {`{"model":"` + target + `","input":[{"type":"image_url","image_url":{"url":"` + target + `"}}]}`},
		"POST /v1/uploads":     {`{"filename":"` + target + `","purpose":"assistants","bytes":4,"mime_type":"text/plain"}`},
	} {
		for _, body := range bodies {
			if status, text := s.call(t, s.project.Secret, request, body); status >= 500 {
				t.Errorf("%s %s: %d %s", request, body, status, text)
			}
		}
	}
	s.created(t, strings.NewReader(target), "purpose", "assistants")
	if n := fetched.Load(); n != 0 {
		t.Errorf("the server fetched an address of a request %d times", n)
	}
	if _, err := http.Get(target); err != nil || fetched.Load() != 1 {
		t.Errorf("the witness does not see requests: %v", err)
	}
}

// A key shows in the one answer that makes it and nowhere else: in no other
// answer, and in no line of the log.
func TestKeysDoNotLeak(t *testing.T) {
	const upstreamKey = "sk-upstream-2f7a90cc41d84e6b"
	failing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s.","type":"invalid_request_error","code":"invalid_api_key"}}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	})
	pool, err := upstream.New([]upstream.Server{{Name: "elsewhere", URL: "http://upstream.test/v1", Key: upstreamKey, Models: []string{"far-*"}}},
		upstream.Options{Transport: upstreamtest.Transport(failing)})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) {
		c.Inference = fakeService(&fakeModel{}, inference.Config{Books: c.Books, Upstreams: pool})
	})
	secrets := map[string]string{"upstream": upstreamKey, "project": s.project.Secret, "admin": s.admin.Secret, "revoked": s.revoked.Secret, "unknown": "sk-proj-0123456789abcdefghijklmnopqrstuv"}
	var said strings.Builder
	tell := func(key, request, body string) string {
		_, text := s.call(t, key, request, body)
		said.WriteString(text)
		return text
	}
	created := func(name, request, body string) (id string) {
		t.Helper()
		_, text := s.call(t, s.admin.Secret, request, body)
		value := regexp.MustCompile(`"value":"(sk-[^"]+)"`).FindStringSubmatch(text)
		if value == nil {
			t.Fatalf("%s made no key: %s", request, text)
		}
		secrets[name] = value[1]
		said.WriteString(strings.Replace(text, value[0], "", 1))
		return regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(text)[1]
	}
	project := "/v1/organization/projects/" + s.project.Project
	adminID := created("a new admin key", "POST /v1/organization/admin_api_keys", `{"name":"second"}`)
	bot := created("a service account's key", "POST "+project+"/service_accounts", `{"name":"bot"}`)
	for _, key := range secrets {
		for _, request := range []string{
			"GET /v1/models", "GET /v1/files", "GET /v1/organization/admin_api_keys", "GET /v1/organization/admin_api_keys/" + adminID, "GET " + project + "/api_keys",
			"GET " + project + "/service_accounts/" + bot, "GET /v1/organization/costs?start_time=0",
		} {
			tell(key, request, "")
		}
		// The answer repeats what the caller wrote as an id; the log does not.
		s.call(t, key, "GET /v1/nowhere/"+key, "")
		s.call(t, key, "DELETE /v1/files/"+key, "")
		tell(key, "POST /v1/chat/completions", hello)
		tell(key, "POST /v1/chat/completions", `{"model":"far-away","messages":[{"role":"user","content":"hello"}]}`)
		tell(key, "POST /v1/chat/completions", `{"model":"far-away","stream":true,"messages":[{"role":"user","content":"hello"}]}`)
		tell(key, "POST /v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"PANIC"}]}`)
		tell(key, "POST /v1/chat/completions", `{"api_key":"x"}`)
		tell("Bearer "+key, "GET /v1/models", "")
	}
	tell(s.admin.Secret, "DELETE /v1/organization/admin_api_keys/"+adminID, "")
	for name, secret := range secrets {
		for where, text := range map[string]string{"an answer": said.String(), "the log": s.log.String()} {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s shows the key %q: …%s…", where, name, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
	if !strings.Contains(s.log.String(), "far-away") {
		t.Error("the log does not tell of the requests to the upstream")
	}
}
