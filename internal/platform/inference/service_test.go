package inference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/llm"
)

// script is a Generator that plays its pieces to everybody.
type script []any // llm.Delta or error

func (s script) Generate(context.Context, llm.Request) iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		for _, step := range s {
			switch step := step.(type) {
			case llm.Delta:
				if !yield(step, nil) {
					return
				}
			case error:
				yield(llm.Delta{}, step)
				return
			}
		}
	}
}

var caller = account.Caller{KeyID: "key_a", Tenant: state.Tenant{OrganizationID: "org-a", ProjectID: "proj_a"}}

func chatRequest(maxTokens int64) *openai.ChatCompletionRequest {
	return &openai.ChatCompletionRequest{
		Model: "m", HasMessages: true, MaxTokens: &maxTokens,
		Messages: []openai.ChatMessage{{Role: "user", Content: openai.MessageContent{Given: true, Parts: []openai.ContentPart{{Text: "hello"}}}}},
	}
}

// However a request ends, what it used is taken from the bucket and the rest of
// what it reserved comes back, once.
func TestSettlement(t *testing.T) {
	whole := script{
		llm.Delta{Text: "a"}, llm.Delta{Text: "b"}, llm.Delta{FinishReason: "stop"},
		llm.Delta{Usage: &llm.Usage{PromptTokens: 9, CompletionTokens: 2}},
	}
	prompt := chatBound(llm.Request{Messages: []llm.Message{{Content: "hello"}}}, 0, 0).PromptTokens
	tests := []struct {
		name   string
		script script
		read   func(*ChatAnswer)
		want   int // tokens used
	}{
		{"read to its end", whole, func(a *ChatAnswer) { a.Completion() }, 11},
		{"streamed to its end", whole, func(a *ChatAnswer) {
			for range a.Chunks() {
			}
		}, 11},
		{"left after two pieces", whole, func(a *ChatAnswer) {
			n := 0
			for range a.Chunks() {
				if n++; n == 3 { // the role, a, b
					break
				}
			}
		}, prompt + 2},
		{"never read", whole, func(*ChatAnswer) {}, prompt},
		{"broken after one piece", script{llm.Delta{Text: "a"}, errors.New("broken")}, func(a *ChatAnswer) { a.Completion() }, prompt + 1},
		{"refused", script{llm.ErrBusy}, nil, 0},
		{"silent", script{}, nil, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // so that the buckets stand still
				const limit = 100_000
				limiter := account.NewLimiter(account.Rates{TokensPerMinute: limit})
				s := New(Config{Models: []Model{{Name: "m", Generator: test.script}}, Limiter: limiter})
				answer, err := s.Chat(t.Context(), caller, chatRequest(50))
				if (err != nil) != (test.read == nil) {
					t.Fatalf("Chat: %v", err)
				}
				if err == nil {
					if got := answer.Limits.Tokens.Remaining; got != limit-prompt-50 {
						t.Errorf("while it runs %d remain, want %d", got, limit-prompt-50)
					}
					test.read(answer)
					answer.Close()
					answer.Close()
				}
				after, err := limiter.Reserve(t.Context(), account.Demand{Tenant: caller.Tenant, Model: "m", Kind: account.KindCompletions})
				if err != nil || limit-after.Limits().Tokens.Remaining != test.want {
					t.Errorf("%d tokens were used, want %d (%v)", limit-after.Limits().Tokens.Remaining, test.want, err)
				}
			})
		})
	}
}

func TestRouting(t *testing.T) {
	local := Model{Name: "local", Generator: script{llm.Delta{FinishReason: "stop"}}}
	aliases := append(DefaultAliases("local", ""),
		Alias{Name: "mine", Model: "local", Configured: true}, Alias{Name: "theirs", Model: "qwen3", Configured: true})
	answers := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}`)
	}
	tests := []struct {
		name  string
		pool  *upstream.Pool
		asked string
		want  string // what runs; empty: not found
		where string // empty: here
	}{
		{"own name", nil, "local", "local", ""},
		{"alias", nil, "gpt-4o-mini", "local", ""},
		{"unknown", nil, "gpt-9", "", ""},
		{"an alias of what is not served", nil, "theirs", "", ""},
		{"own name beside an upstream", poolOf(answers), "local", "local", ""},
		{"an upstream wins over an alias", poolOf(answers), "gpt-4o-mini", "gpt-4o-mini", "other"},
		{"a configured alias wins over an upstream", poolOf(answers), "mine", "local", ""},
		{"an alias of an upstream's model", poolOf(answers), "theirs", "qwen3", "other"},
		{"an upstream knows more names", poolOf(answers), "gpt-9", "gpt-9", "other"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(Config{Models: []Model{local}, Aliases: aliases, Upstreams: test.pool})
			answer, err := s.Chat(t.Context(), caller, decoded(fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hello"}]}`, test.asked)))
			if test.want == "" {
				if missing, ok := errors.AsType[*ModelNotFoundError](err); !ok || missing.Name != test.asked {
					t.Errorf("Chat = %v, want that %s is not found", err, test.asked)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Close()
			completion, err := answer.Completion()
			if err != nil || answer.Model != test.want || answer.Upstream != test.where || completion.Model != test.asked {
				t.Errorf("%s ran at %q and the answer names %s (%v), want %s at %q and %s", answer.Model, answer.Upstream, completion.Model, err, test.want, test.where, test.asked)
			}
		})
	}
}

func TestBoundsCoverEveryRequest(t *testing.T) {
	tests := []struct {
		prompt, most, n, context int
		want                     Usage
	}{
		{100, 10, 1, 8192, Usage{100, 10}},
		{100, 10, 3, 8192, Usage{100, 30}},
		{100, 0, 1, 8192, Usage{100, 8192}},
		{100_000, 0, 2, 8192, Usage{8192, 16384}},
		{100, 1 << 30, 1, 8192, Usage{100, 8192}},
		{100, 5000, 1, 4096, Usage{100, 4096}},
		{100, 20_000, 1, 0, Usage{100, 20_000}},
	}
	for _, test := range tests {
		if got := capped(test.prompt, test.most, test.n, test.context); got != test.want {
			t.Errorf("capped(%d, %d, %d, %d) = %v, want %v", test.prompt, test.most, test.n, test.context, got, test.want)
		}
	}
}

func TestInParallelMergesEverything(t *testing.T) {
	const prompts, choices = 50, 2
	generate := func(_ context.Context, g int) iter.Seq2[llm.Delta, error] {
		s := script{}
		for i := range choices {
			s = append(s, llm.Delta{Index: i, Text: fmt.Sprint(g)}, llm.Delta{Index: i, FinishReason: "stop"})
		}
		return append(s, llm.Delta{Usage: &llm.Usage{PromptTokens: g, CompletionTokens: 1}}).Generate(t.Context(), llm.Request{})
	}
	got, usage, err := llm.Collect(inParallel(t.Context(), prompts, choices, generate))
	if err != nil || usage != (llm.Usage{PromptTokens: prompts * (prompts - 1) / 2, CompletionTokens: prompts}) || len(got) != prompts*choices {
		t.Fatalf("%d choices, usage %+v, %v", len(got), usage, err)
	}
	for i, c := range got {
		if c.Text != fmt.Sprint(i/choices) || c.FinishReason != "stop" {
			t.Errorf("choice %d is %+v", i, c)
		}
	}
}

// Leaving the loop, or an error in one generation, ends all of them before the
// loop returns.
func TestInParallelLeavesNothingRunning(t *testing.T) {
	for name, fail := range map[string]bool{"left": false, "failed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running atomic.Int32
				generate := func(ctx context.Context, g int) iter.Seq2[llm.Delta, error] {
					return func(yield func(llm.Delta, error) bool) {
						running.Add(1)
						defer running.Add(-1)
						if fail && g == 3 {
							yield(llm.Delta{}, errors.New("broken"))
							return
						}
						if yield(llm.Delta{Text: "x"}, nil) {
							<-ctx.Done()
						}
					}
				}
				var last error
				pieces := 0
				for _, err := range inParallel(t.Context(), 20, 1, generate) {
					last = err
					if pieces++; !fail && pieces == 5 {
						break
					}
				}
				if n := running.Load(); n != 0 || fail != (last != nil) {
					t.Errorf("%d generations still run, last error %v", n, last)
				}
			})
		})
	}
}

func TestCut(t *testing.T) {
	v := []float32{3, 4, 12}
	for n, want := range map[int][]float32{1: {1}, 2: {0.6, 0.8}, 3: v} {
		got := cut(v, n)
		if !slices.EqualFunc(got, want, func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-7 }) {
			t.Errorf("cut(%v, %d) = %v, want %v", v, n, got, want)
		}
	}
	if got := cut([]float32{0, 0, 1}, 2); !slices.Equal(got, []float32{0, 0}) {
		t.Errorf("cut of zeros = %v", got)
	}
}

func TestCachedSteps(t *testing.T) {
	for cached, want := range map[int]int{0: 0, 1023: 0, 1024: 1024, 1151: 1024, 1152: 1152} {
		if got := cachedSteps(cached); got != want {
			t.Errorf("cachedSteps(%d) = %d, want %d", cached, got, want)
		}
	}
}
