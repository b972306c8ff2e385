package inference

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/llm"
)

// Generator writes text. *llm.Local does.
type Generator interface {
	Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Delta, error]
}

// Embedder turns texts into vectors. *llm.LocalEmbedder does.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Vocabulary turns text into a model's own tokens and back.
type Vocabulary interface {
	Encode(text string) []int32
	Decode(tokens []int32) string
}

// Windowed is an Embedder that knows its limits and can embed longer texts in
// overlapping windows. *llm.LocalEmbedder is one.
type Windowed interface {
	EmbedLong(ctx context.Context, texts []string) ([][]float32, error)
	Dimensions() int
	Window() int // tokens
	Count(text string) int
}

// Model is something that runs. It writes, embeds, or does both.
type Model struct {
	Name        string // its own
	Created     time.Time
	Fingerprint string // of its weights; may be empty

	Generator  Generator  // nil: it does not write
	Vocabulary Vocabulary // nil: its tokens are not known
	Context    int        // tokens, of one that writes

	Embedder Embedder // nil: it does not embed
	Windowed Windowed // nil: its limits are not known
}

// Config says what a Service runs.
type Config struct {
	Models  []Model
	Aliases []Alias

	// Upstreams are other servers, whose models win over an alias of the same
	// name. Nil: there are none.
	Upstreams *upstream.Pool

	Limiter *account.Limiter

	// Books charge requests. Nil: nothing is charged, and nothing stored.
	Books *account.Books

	// CompletionCap is the most tokens of an upstream's answer that is asked for
	// without such a number. Default 4,096.
	CompletionCap int

	// Archive has what requests asked to store.
	Archive Archive
}

// Service runs requests.
type Service struct {
	models    []Model
	aliases   []Alias
	upstreams *upstream.Pool
	limiter   *account.Limiter
	archive   Archive

	books         *account.Books
	completionCap int
	newerCap      sync.Map // names of upstreams' models that want the cap under its newer name
}

// New returns a Service. It owns none of the models.
func New(c Config) *Service {
	if c.Limiter == nil {
		c.Limiter = account.NewLimiter(account.Rates{})
	}
	if c.CompletionCap <= 0 {
		c.CompletionCap = defaultCompletionCap
	}
	return &Service{
		models:        c.Models,
		aliases:       c.Aliases,
		upstreams:     c.Upstreams,
		limiter:       c.Limiter,
		archive:       c.Archive,
		books:         c.Books,
		completionCap: c.CompletionCap,
	}
}

// Head is known of an answer before the first byte of its body.
type Head struct {
	Model    string // what runs
	Limits   account.Limits
	Warnings []account.BudgetWarning

	Upstream       string            // where it runs; empty: here
	UpstreamLimits map[string]string // what the upstream says of its own limits, by header
}

// Usage is what an answer took, for the log.
type Usage struct {
	PromptTokens     int
	CompletionTokens int
}

func wireUsage(u llm.Usage) openai.Usage {
	return openai.Usage{
		PromptTokens:        u.PromptTokens,
		CompletionTokens:    u.CompletionTokens,
		TotalTokens:         u.PromptTokens + u.CompletionTokens,
		PromptTokensDetails: openai.PromptTokenDetails{CachedTokens: cachedSteps(u.CachedTokens)},
	}
}

// cachedSteps is the part of a prompt's cached tokens that the API reports:
// whole steps of 128, from 1,024 on.
func cachedSteps(cached int) int {
	if cached < 1024 {
		return 0
	}
	return cached - cached%128
}
