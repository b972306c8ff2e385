package inference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/platform/upstream/upstreamtest"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/internal/testenv"
)

// TestMain lets this test program play the server that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "answer-until-killed" {
		answerUntilKilled(os.Args[2])
	}
	os.Exit(m.Run())
}

// dearPrompt is the tokens that a dear model says every prompt has.
const dearPrompt = 20

// dear plays an upstream. It writes as many pieces as it may, and half of the
// time fewer; a prompt that says BREAK makes it break off after some, REFUSE
// fail at once, and HUSH tell no usage.
func dear(w http.ResponseWriter, r *http.Request) {
	var request struct {
		MaxTokens int  `json:"max_tokens"`
		Stream    bool `json:"stream"`
		Messages  []struct{ Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		panic(err)
	}
	prompt := request.Messages[0].Content
	if strings.Contains(prompt, "REFUSE") {
		http.Error(w, `{"error":{"message":"no luck"}}`, http.StatusBadRequest) // which opens no breaker
		return
	}
	tokens := 1 + rand.IntN(request.MaxTokens)
	if rand.IntN(2) == 0 {
		tokens = request.MaxTokens
	}
	usage := fmt.Sprintf(`,"usage":{"prompt_tokens":%d,"completion_tokens":%d}`, dearPrompt, tokens)
	if strings.Contains(prompt, "HUSH") {
		usage = ""
	}
	if !request.Stream {
		if strings.Contains(prompt, "BREAK") {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}]%s}`, strings.Repeat("word ", tokens), usage)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for n := range tokens {
		if strings.Contains(prompt, "BREAK") && n == 3 {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n")
	}
	fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
	if usage != "" {
		fmt.Fprintf(w, "data: {\"choices\":[]%s}\n\n", usage)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// poolOf is an upstream that a handler plays, asked once for each request.
func poolOf(h http.HandlerFunc) *upstream.Pool {
	return poolWith(h, upstream.Server{Models: []string{"*"}})
}

func poolWith(h http.HandlerFunc, server upstream.Server) *upstream.Pool {
	server.Name, server.URL, server.MaxConcurrent, server.Retries = "other", "http://other/v1", 2000, -1
	pool, err := upstream.New([]upstream.Server{server}, upstream.Options{Transport: upstreamtest.Transport(h)})
	if err != nil {
		panic(err)
	}
	return pool
}

// shop is a service with a budget.
type shop struct {
	*Service
	store  *state.Store
	caller account.Caller
}

// openShop opens a folder with one key, which it makes if need be.
func openShop(ctx context.Context, dir string) (*shop, error) {
	store, err := state.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	accounts := account.New(store, account.Rates{RequestsPerMinute: 1e8, TokensPerMinute: 1e9})
	keys, err := accounts.Keys.List(ctx)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		created, err := accounts.Keys.Create(ctx, account.KeyOptions{})
		if err != nil {
			return nil, err
		}
		keys = append(keys, created.Key)
	}
	tenant, err := store.DefaultTenant(ctx)
	if err != nil {
		return nil, err
	}
	s := New(Config{
		Upstreams: poolOf(dear),
		Limiter:   accounts.Limiter,
		Books:     accounts.Books,
		Archive:   store,
	})
	return &shop{s, store, account.Caller{KeyID: keys[0].ID, Tenant: tenant, UserID: keys[0].User}}, nil
}

func (s *shop) setBudget(ctx context.Context, amount int64) error {
	return s.store.SetBudget(ctx, state.Budget{
		ID: state.NewID("budget_"), OrganizationID: s.caller.Tenant.OrganizationID, SubjectID: s.caller.Tenant.ProjectID,
		Amount: amount, Hard: true, Every: "ever", CreatedAt: time.Now(),
	})
}

// bought is a request for up to ten tokens of gpt-4o-mini.
func bought(text string, store, stream bool) *openai.ChatCompletionRequest {
	return decoded(fmt.Sprintf(`{"model":"gpt-4o-mini","max_tokens":10,"store":%v,"stream":%v,"messages":[{"role":"user","content":%q}]}`, store, stream, text))
}

// decoded is a request as it comes by wire.
func decoded(body string) *openai.ChatCompletionRequest {
	var r openai.ChatCompletionRequest
	if err := r.UnmarshalJSON([]byte(body)); err != nil {
		panic(err)
	}
	return &r
}

// mostOfOne is what one such request may cost: the bytes of its prompt with
// their overhead, and ten tokens.
func mostOfOne(text string) int64 {
	return int64(2*messageOverhead+len(text))*150_000 + 10*600_000
}

// ledger returns the costs of answers by id, and their sum.
func (s *shop) ledger(t *testing.T) (costs map[string]int64, sum int64) {
	t.Helper()
	costs = map[string]int64{}
	for e, err := range s.store.Entries(t.Context(), s.caller.Tenant.OrganizationID, time.Unix(0, 0), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		costs[e.ID], sum = e.Cost(), sum+e.Cost()
	}
	return costs, sum
}

// ordeal makes one request in one of the ways a client may, and returns the id
// of the answer and whether it came whole.
func (s *shop) ordeal(i int) (id string, whole bool, err error) {
	text := []string{"plain text", "BREAK text", "HUSH text!", "REFUSE txt", "plain text"}[i%5]
	answer, err := s.Chat(context.Background(), s.caller, bought(text, i%7 == 0, i%2 == 1))
	if err != nil {
		return "", false, err
	}
	defer answer.Close()
	if i%2 == 0 {
		_, err := answer.Completion()
		return answer.id, err == nil, err
	}
	pieces := 0
	for _, err := range answer.Chunks() {
		if err != nil {
			return answer.id, false, err
		}
		if pieces++; i%3 == 0 && pieces == 2 { // the client leaves
			return answer.id, false, nil
		}
	}
	return answer.id, true, nil
}

// A thousand requests at once against a budget that covers a hundred of them:
// streamed or not, left, broken and refused. Whatever comes of them, no more is
// spent than the budget has, every answer is in the ledger, and what no answer
// came of is not.
func TestAThousandAgainstABudgetOfAHundred(t *testing.T) {
	s, err := openShop(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	budget := 100 * mostOfOne("plain text")
	if err := s.setBudget(t.Context(), budget); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	begun := map[string]bool{} // and whether the answer came whole
	refused := 0
	var wait sync.WaitGroup
	for i := range 1000 {
		wait.Go(func() {
			id, whole, err := s.ordeal(i)
			mu.Lock()
			defer mu.Unlock()
			if id != "" {
				begun[id] = whole
			} else if _, ok := errors.AsType[*state.BudgetError](err); ok {
				refused++
			}
		})
	}
	wait.Wait()
	costs, spent := s.ledger(t)
	for id := range begun {
		if _, ok := costs[id]; !ok {
			t.Errorf("%s was answered and is not in the ledger", id)
		}
	}
	if len(costs) != len(begun) {
		t.Errorf("the ledger has %d rows of %d answers", len(costs), len(begun))
	}
	standings, err := s.store.BudgetStandings(t.Context(), s.caller.Tenant.OrganizationID, time.Now())
	if err != nil || standings[0].Spent != spent || standings[0].Held != 0 || spent > budget {
		t.Errorf("spent %d of %d: got %+v, %v", spent, budget, standings, err)
	}
	if refused == 0 || refused > 900 {
		t.Errorf("%d of 1000 were refused; want some, and the hundred that the budget covers let in", refused)
	}
	if err := s.store.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%d answers, %d refused, spent %.1f %% of the budget", len(begun), refused, 100*float64(spent)/float64(budget))
}

// What is left of a budget can be spent to the last request that it covers.
func TestABudgetIsSpentToTheEnd(t *testing.T) {
	s, err := openShop(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	most := mostOfOne("x")
	if err := s.setBudget(t.Context(), 20*most); err != nil {
		t.Fatal(err)
	}
	for {
		answer, err := s.Chat(t.Context(), s.caller, bought("x", false, false))
		if refusal, ok := errors.AsType[*state.BudgetError](err); ok {
			if left := refusal.Standing.Amount - refusal.Standing.Spent; left >= most {
				t.Errorf("refused with %d left for a request of at most %d", left, most)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := answer.Completion(); err != nil {
			t.Fatal(err)
		}
	}
}

// answerUntilKilled answers forty clients at once, and prints each answer's id
// once it is whole. It ends by itself when the budget is spent.
func answerUntilKilled(dir string) {
	s, err := openShop(context.Background(), dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var wait sync.WaitGroup
	for c := range 40 {
		wait.Go(func() {
			for i := c; ; i++ {
				id, whole, err := s.ordeal(i)
				if whole {
					fmt.Println(id)
				}
				if refusal, ok := errors.AsType[*state.BudgetError](err); ok && refusal.Standing.Held == 0 {
					return
				}
			}
		})
	}
	wait.Wait()
	os.Exit(0)
}

// However often the server is killed at its work, no more is spent than the
// budget has, every answer that came whole is in the ledger, and nothing stays
// held.
func TestKilledWhileAnswering(t *testing.T) {
	dir := t.TempDir()
	s, err := openShop(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	budget := 150 * mostOfOne("plain text")
	if err := errors.Join(s.setBudget(t.Context(), budget), s.store.Close()); err != nil {
		t.Fatal(err)
	}
	whole := 0
	for _, before := range []int{1, 20, 60, 60} {
		answered := testenv.KillAfter(t, before, "answer-until-killed", dir)
		if s, err = openShop(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		costs, spent := s.ledger(t)
		for _, id := range answered {
			if _, ok := costs[id]; !ok {
				t.Errorf("%s was answered and is not in the ledger", id)
			}
		}
		whole += len(answered)
		standings, err := s.store.BudgetStandings(t.Context(), s.caller.Tenant.OrganizationID, time.Now())
		if err != nil || standings[0].Spent != spent || standings[0].Held != 0 || spent > budget {
			t.Errorf("spent %d of %d: got %+v, %v", spent, budget, standings, err)
		}
		if err := errors.Join(s.store.Verify(t.Context()), s.store.Close()); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d whole answers in four lives", whole)
}
