package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/platform/account"
)

// ask sends a request with the project's key and decodes the answer.
func (s *testServer) ask(t *testing.T, method, address, body string, want int) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.project.Secret)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		t.Fatalf("%s %s: status %d, %v, want %d\n%s", method, address, answer.StatusCode, err, want, text)
	}
	var decoded map[string]any
	if strings.HasPrefix(string(text), "{") {
		if err := json.Unmarshal(text, &decoded); err != nil {
			t.Fatalf("%s %s: %v\n%s", method, address, err, text)
		}
	}
	return decoded
}

// A completion that is stored, streamed or not, can be read, listed, marked and
// forgotten.
func TestStoredCompletions(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	const address = "/v1/chat/completions"
	var ids []string
	for i := range 3 {
		answer := s.ask(t, "POST", address, fmt.Sprintf(`{"model":"gpt-4o-mini","store":true,"metadata":{"run":"r","n":"%d"},"messages":[{"role":"system","content":[{"type":"text","text":"s"}]},{"role":"user","content":"q"}]}`, i), 200)
		ids = append(ids, answer["id"].(string))
	}
	s.ask(t, "POST", address, `{"model":"gpt-4o-mini","store":true,"stream":true,"messages":[{"role":"user","content":"q"}]}`, 200)
	s.ask(t, "POST", address, `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"not kept"}]}`, 200)

	if all := s.ask(t, "GET", address, "", 200)["data"].([]any); len(all) != 4 || all[0].(map[string]any)["id"] != ids[0] {
		t.Errorf("got %d stored, want 4, oldest first: %v", len(all), all)
	}
	page := s.ask(t, "GET", address+"?metadata[run]=r&limit=2&order=desc", "", 200)
	if data := page["data"].([]any); len(data) != 2 || page["first_id"] != ids[2] || page["last_id"] != ids[1] || page["has_more"] != true {
		t.Errorf("a page of those with run r, newest first: %v", page)
	}
	s.ask(t, "GET", address+"?limit=0", "", 400)
	s.ask(t, "GET", address+"?order=up", "", 400)
	s.ask(t, "GET", address+"?after=chatcmpl-none", "", 404)

	messages := s.ask(t, "GET", address+"/"+ids[0]+"/messages", "", 200)["data"].([]any)
	first := messages[0].(map[string]any)
	if len(messages) != 2 || first["id"] != ids[0]+"-0" || first["role"] != "system" || first["content"] != nil || first["content_parts"] == nil {
		t.Errorf("messages %v", messages)
	}

	changed := s.ask(t, "POST", address+"/"+ids[0], `{"metadata":{"x":"y"}}`, 200)
	if fmt.Sprint(changed["metadata"]) != "map[x:y]" || changed["id"] != ids[0] || changed["object"] != "chat.completion" {
		t.Errorf("after the update: %v", changed)
	}
	s.ask(t, "POST", address+"/"+ids[0], `{}`, 400)
	if deleted := s.ask(t, "DELETE", address+"/"+ids[0], "", 200); deleted["deleted"] != true || deleted["object"] != "chat.completion.deleted" {
		t.Errorf("deletion: %v", deleted)
	}
	for _, method := range []string{"GET", "DELETE"} {
		s.ask(t, method, address+"/"+ids[0], "", 404)
	}
	s.ask(t, "GET", address+"/"+ids[0]+"/messages", "", 404)
}

// A filter that is misspelt would list everything.
func TestStoredListsRefuseUnknownParameters(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	for query, param := range map[string]string{"modle=x": "modle", "limit=3&before=chatcmpl-a": "before", "metadata=x&meta[a]=b": "meta[a]"} {
		answer := s.ask(t, "GET", "/v1/chat/completions?"+query, "", 400)
		if refused := answer["error"].(map[string]any); refused["param"] != param || refused["code"] != "unknown_parameter" {
			t.Errorf("?%s: %v, want param %s", query, refused, param)
		}
	}
	s.ask(t, "GET", "/v1/chat/completions?model=x&metadata[a]=b&limit=3&order=desc", "", 200)
}
