package openai

import "encoding/json"

// UsagePage is a page of usage or costs over time.
type UsagePage[T any] struct {
	Object   string           `json:"object"` // page
	Data     []UsageBucket[T] `json:"data"`
	HasMore  bool             `json:"has_more"`
	NextPage *string          `json:"next_page"` // null on the last page
}

// UsageBucket is a stretch of time and what happened in it, by group.
type UsageBucket[T any] struct {
	Object    string `json:"object"` // bucket
	StartTime int64  `json:"start_time"`
	EndTime   int64  `json:"end_time"`
	Results   []T    `json:"results"` // empty where nothing happened
}

// CompletionsUsage is what chat and other completions took. Keys by which it
// is not grouped are null.
type CompletionsUsage struct {
	Object            string  `json:"object"` // organization.usage.completions.result
	InputTokens       int64   `json:"input_tokens"`
	InputCachedTokens int64   `json:"input_cached_tokens"`
	OutputTokens      int64   `json:"output_tokens"`
	InputAudioTokens  int64   `json:"input_audio_tokens"`
	OutputAudioTokens int64   `json:"output_audio_tokens"`
	NumModelRequests  int64   `json:"num_model_requests"`
	ProjectID         *string `json:"project_id"`
	UserID            *string `json:"user_id"`
	APIKeyID          *string `json:"api_key_id"`
	Model             *string `json:"model"`
	Batch             *bool   `json:"batch"`
	ServiceTier       *string `json:"service_tier"`
}

// EmbeddingsUsage is what embeddings took.
type EmbeddingsUsage struct {
	Object           string  `json:"object"` // organization.usage.embeddings.result
	InputTokens      int64   `json:"input_tokens"`
	NumModelRequests int64   `json:"num_model_requests"`
	ProjectID        *string `json:"project_id"`
	UserID           *string `json:"user_id"`
	APIKeyID         *string `json:"api_key_id"`
	Model            *string `json:"model"`
}

// NoUsage is what was taken of things that this server does not do.
type NoUsage struct{}

// Costs are what was spent.
type Costs struct {
	Object       string   `json:"object"` // organization.costs.result
	Amount       Amount   `json:"amount"`
	LineItem     *string  `json:"line_item"` // such as gpt-4o-mini, input
	ProjectID    *string  `json:"project_id"`
	APIKeyID     *string  `json:"api_key_id"`
	Quantity     *float64 `json:"quantity"` // with a line item
	QuantityUnit *string  `json:"quantity_unit"`
}

// Amount is an amount of money.
type Amount struct {
	Value    json.Number `json:"value"`
	Currency string      `json:"currency"` // usd
}
