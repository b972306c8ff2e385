package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// ask sends a request with a key and decodes the answer, whose status must be
// the one wanted.
func ask[T any](t *testing.T, s *testServer, secret, request, body string, want int) (answer T, h http.Header) {
	t.Helper()
	method, address, _ := strings.Cut(request, " ")
	r, err := http.NewRequest(method, s.URL+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != want {
		t.Fatalf("%s %s: %d %s, want %d", request, body, response.StatusCode, text, want)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s: %v in %s", request, err, text)
	}
	return answer, response.Header
}

// chat sends a chat request, whatever becomes of it.
func (s *testServer) chat(t *testing.T, secret, body string) {
	t.Helper()
	r, err := http.NewRequest("POST", s.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

const hello = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello there"}],"max_tokens":3}`

// A project's life: made, used by a service account, limited, billed, archived.
func TestAProjectsLife(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	admin := s.admin.Secret
	began := time.Now().Unix()
	p, _ := ask[openai.Project](t, s, admin, "POST /v1/organization/projects", `{"name":"life"}`, 200)
	project := "/v1/organization/projects/" + p.ID
	bot, _ := ask[openai.NewServiceAccount](t, s, admin, "POST "+project+"/service_accounts", `{"name":"bot"}`, 200)
	key := bot.APIKey.Value
	if listed, _ := ask[json.RawMessage](t, s, admin, "GET "+project+"/api_keys", "", 200); strings.Contains(string(listed), key) {
		t.Errorf("the list of keys holds a key: %s", listed)
	}
	narrow, _ := ask[openai.ServiceAccountKey](t, s, admin, "POST "+project+"/service_accounts/"+bot.ID+"/api_keys", `{"scopes":["api.model.read"]}`, 200)
	ask[json.RawMessage](t, s, narrow.Value, "GET /v1/models", "", 200)
	if refusal, _ := ask[openai.ErrorResponse](t, s, narrow.Value, "POST /v1/chat/completions", hello, 401); *refusal.Error.Code != "missing_scope" || !strings.Contains(refusal.Error.Message, "Missing scopes: model.request.") {
		t.Errorf("a key without the scope: %+v", refusal.Error)
	}

	// A key's scopes and end change with the next request; its secret does not show.
	update := "POST " + project + "/api_keys/" + narrow.ID
	changed, _ := ask[openai.ProjectAPIKey](t, s, admin, update, `{"scopes":["model.request","api.of.another.server"],"expires_in_seconds":3600}`, 200)
	if left := *changed.ExpiresAt - began; left < 3600 || left > 3660 {
		t.Errorf("a key that is to end in an hour ends after %d s", left)
	}
	ask[openai.ErrorResponse](t, s, narrow.Value, "POST /v1/chat/completions", "{}", 400)
	ask[openai.ErrorResponse](t, s, narrow.Value, "GET /v1/models", "", 403)
	ask[openai.ProjectAPIKey](t, s, admin, update, `{"scopes":["api.all.read"]}`, 200)
	ask[json.RawMessage](t, s, narrow.Value, "GET /v1/models", "", 200)
	ask[openai.ErrorResponse](t, s, narrow.Value, "POST /v1/chat/completions", hello, 401)
	for _, refused := range []string{`{"scopes":["api.management.write"]}`, `{"scopes":["no scope"]}`, `{"expires_in_seconds":0}`} {
		ask[openai.ErrorResponse](t, s, admin, update, refused, 400)
	}
	alone, _ := ask[openai.NewServiceAccount](t, s, admin, "POST "+project+"/service_accounts", `{"name":"later","create_service_account_only":true,"expires_in_seconds":60}`, 200)
	if alone.APIKey != nil || alone.Role != "none" {
		t.Errorf("a service account that was to have no key: %+v", alone)
	}
	brief, _ := ask[openai.NewServiceAccount](t, s, admin, "POST "+project+"/service_accounts", `{"name":"brief","expires_in_seconds":60}`, 200)
	if k, _ := ask[openai.ProjectAPIKey](t, s, admin, "GET "+project+"/api_keys/"+brief.APIKey.ID, "", 200); k.ExpiresAt == nil || *k.ExpiresAt != k.CreatedAt+60 {
		t.Errorf("a service account's key of a minute: %+v", k)
	}

	// What costs something is billed to the project, to the last 10^-12 dollar.
	if err := s.accounts.Books.SetPrice(t.Context(), "fake-chat", time.Now(), "0.01", "", "0.03"); err != nil {
		t.Fatal(err)
	}
	answer, _ := ask[openai.ChatCompletion](t, s, key, "POST /v1/chat/completions", hello, 200)
	usage, _ := ask[openai.UsagePage[openai.CompletionsUsage]](t, s, admin, fmt.Sprintf("GET /v1/organization/usage/completions?start_time=%d&bucket_width=1m&group_by[]=project_id&group_by[]=model&project_ids[]=%s", began, p.ID), "", 200)
	var results []openai.CompletionsUsage
	for _, b := range usage.Data {
		results = append(results, b.Results...)
	}
	if len(results) != 1 || results[0].InputTokens != int64(answer.Usage.PromptTokens) || results[0].OutputTokens != int64(answer.Usage.CompletionTokens) || *results[0].Model != "fake-chat" || results[0].UserID != nil {
		t.Errorf("usage: got %+v, want that of %+v", results, answer.Usage)
	}
	costs, _ := ask[openai.UsagePage[openai.Costs]](t, s, admin, fmt.Sprintf("GET /v1/organization/costs?start_time=%d&group_by=line_item", began), "", 200)
	for i, want := range []struct {
		item   string
		amount int64
	}{{"fake-chat, input", int64(answer.Usage.PromptTokens) * 10_000}, {"fake-chat, output", int64(answer.Usage.CompletionTokens) * 30_000}} {
		got := costs.Data[0].Results[i]
		if *got.LineItem != want.item || string(got.Amount.Value) != account.Dollars(want.amount) {
			t.Errorf("costs: got %s for %s, want %s for %s", got.Amount.Value, *got.LineItem, account.Dollars(want.amount), want.item)
		}
	}

	// A limit holds with the next request, also under the model's other names.
	limit, _ := ask[openai.ProjectRateLimit](t, s, admin, "POST "+project+"/rate_limits/rl-gpt-4o-mini", `{"max_requests_per_1_minute":3}`, 200)
	if limit.MaxRequestsPerMinute != 3 {
		t.Errorf("the limit is %+v", limit)
	}
	// One of what there is nothing of yet is kept.
	ask[openai.ProjectRateLimit](t, s, admin, "POST "+project+"/rate_limits/rl-gpt-4o-mini", `{"max_images_per_1_minute":7,"max_audio_megabytes_per_1_minute":8,"batch_1_day_max_input_tokens":9}`, 200)
	if listed, _ := ask[openai.List[openai.ProjectRateLimit]](t, s, admin, "GET "+project+"/rate_limits", "", 200); !slices.ContainsFunc(listed.Data, func(l openai.ProjectRateLimit) bool {
		return l.ID == "rl-gpt-4o-mini" && l.MaxRequestsPerMinute == 3 && l.MaxImagesPerMinute == 7 && l.MaxAudioMegabytesPerMinute == 8 && l.MaxBatchTokensPerDay == 9
	}) {
		t.Errorf("the limits are %+v", listed.Data)
	}
	for range 2 { // and what was used before may count as one
		ask[json.RawMessage](t, s, key, "POST /v1/chat/completions", hello, 200)
	}
	local := strings.Replace(hello, "gpt-4o-mini", "fake-chat", 1)
	s.chat(t, key, local)
	refusal, h := ask[openai.ErrorResponse](t, s, key, "POST /v1/chat/completions", local, 429)
	want := regexp.MustCompile(`^Rate limit reached for fake-chat in organization org-\w+ on requests per min \(RPM\): Limit 3, Used 3, Requested 1\. Please try again in [\d.]+m?s\.$`)
	if !want.MatchString(refusal.Error.Message) || h.Get("x-ratelimit-remaining-requests") != "0" || h.Get("retry-after") != "20" || h.Get("x-ratelimit-limit-requests") != "3" {
		t.Errorf("the fourth request of three a minute: %+v %v", refusal.Error, h)
	}
	if above, _ := ask[openai.ErrorResponse](t, s, admin, "POST "+project+"/rate_limits/rl-fake-chat", `{"max_requests_per_1_minute":10001}`, 400); !strings.Contains(above.Error.Message, "organization") {
		t.Errorf("a limit above the organization's: %+v", above.Error)
	}

	ask[openai.Project](t, s, admin, "POST "+project+"/archive", "", 200)
	ask[openai.ErrorResponse](t, s, key, "GET /v1/models", "", 401)
}

// A budget that is spent refuses with insufficient_quota, and not to retry.
func TestAnEmptyBudgetRefuses(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	if err := s.accounts.Books.SetPrice(t.Context(), "fake-chat", time.Now(), "1", "", "1"); err != nil {
		t.Fatal(err)
	}
	tenant, err := s.store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, hard := range []bool{false, true} {
		budget := state.Budget{SubjectID: tenant.ProjectID, Hard: hard, Every: "month"}
		if _, err := s.accounts.Organization.SetBudget(t.Context(), tenant.OrganizationID, budget); err != nil {
			t.Fatal(err)
		}
		if !hard {
			_, h := ask[json.RawMessage](t, s, s.project.Secret, "POST /v1/chat/completions", hello, 200)
			if got := h.Get("x-ragstone-budget-warning"); !regexp.MustCompile(`^budget_\w{24}: \$0 is spent of \$0$`).MatchString(got) {
				t.Errorf("the soft budget's warning is %q", got)
			}
			continue
		}
		refusal, h := ask[openai.ErrorResponse](t, s, s.project.Secret, "POST /v1/chat/completions", hello, 429)
		if refusal.Error.Type != "insufficient_quota" || *refusal.Error.Code != "insufficient_quota" || h.Get("x-should-retry") != "false" || h.Get("retry-after") != "" {
			t.Errorf("the hard budget: %+v %v", refusal.Error, h)
		}
	}
}
