package inference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/llm"
)

// StoredFor is how long a stored completion is kept.
const StoredFor = 30 * 24 * time.Hour

// Archive has the completions that were stored when they were settled.
// *state.Store is one.
type Archive interface {
	Completion(ctx context.Context, projectID, id string) (state.Completion, error)
	Completions(ctx context.Context, projectID string, f state.CompletionFilter, p state.Page) ([]state.Completion, bool, error)
	SetCompletionMetadata(ctx context.Context, projectID, id string, pairs []state.Pair) error
	DeleteCompletion(ctx context.Context, projectID, id string) error
}

// NotStoredError means that a project has no stored completion of an id.
type NotStoredError struct{ ID string }

func (e *NotStoredError) Error() string { return fmt.Sprintf("no completion %s is stored", e.ID) }

// order is a request to keep an answer.
type order struct {
	project  string
	messages json.RawMessage
	metadata []openai.MetadataPair
}

// orderOf returns the request's wish, nil where it has none.
func (s *Service) orderOf(caller account.Caller, r *openai.ChatCompletionRequest) (*order, error) {
	if r.Store == nil || !*r.Store {
		return nil, nil
	}
	if s.books == nil {
		return nil, openai.Unsupported("store")
	}
	return &order{caller.Tenant.ProjectID, r.StoredMessages, r.Metadata}, nil
}

// completion is a finished answer as it is stored.
func (o *order) completion(c *openai.ChatCompletion) (*state.Completion, error) {
	body, err := openai.Encode(c)
	if err != nil {
		return nil, fmt.Errorf("store completion: %w", err)
	}
	return &state.Completion{
		ID:         c.ID,
		ProjectID:  o.project,
		CreatedAt:  time.Unix(c.Created, 0),
		Model:      c.Model,
		Completion: body,
		Messages:   o.messages,
		Metadata:   statePairs(o.metadata),
	}, nil
}

func statePairs(pairs []openai.MetadataPair) []state.Pair {
	var out []state.Pair
	for _, p := range pairs {
		out = append(out, state.Pair(p))
	}
	return out
}

// Stored returns a completion that was kept. The errors of the methods for
// stored completions are *NotStoredError and those of the archive.
func (s *Service) Stored(ctx context.Context, caller account.Caller, id string) (openai.StoredCompletion, error) {
	c, err := s.archive.Completion(ctx, caller.Tenant.ProjectID, id)
	return wireStored(c), notStored(err, id)
}

func wireStored(c state.Completion) openai.StoredCompletion {
	stored := openai.StoredCompletion{ID: c.ID, Completion: c.Completion}
	for _, p := range c.Metadata {
		stored.Metadata = append(stored.Metadata, openai.MetadataPair(p))
	}
	return stored
}

func notStored(err error, id string) error {
	if errors.Is(err, state.ErrNotFound) {
		return &NotStoredError{id}
	}
	return err
}

// StoredQuery says which of a project's completions are wanted.
type StoredQuery struct {
	Model    string
	Metadata []openai.MetadataPair
	Page     state.Page
}

// ListStored returns a page of the completions that were kept.
func (s *Service) ListStored(ctx context.Context, caller account.Caller, q StoredQuery) (openai.List[openai.StoredCompletion], error) {
	filter := state.CompletionFilter{Model: q.Model, Metadata: statePairs(q.Metadata)}
	found, more, err := s.archive.Completions(ctx, caller.Tenant.ProjectID, filter, q.Page)
	var data []openai.StoredCompletion
	for _, c := range found {
		data = append(data, wireStored(c))
	}
	return openai.NewList(data, more, func(c openai.StoredCompletion) string { return c.ID }), notStored(err, q.Page.After)
}

// UpdateStored replaces the metadata of a completion and returns it.
func (s *Service) UpdateStored(ctx context.Context, caller account.Caller, id string, metadata []openai.MetadataPair) (openai.StoredCompletion, error) {
	if err := s.archive.SetCompletionMetadata(ctx, caller.Tenant.ProjectID, id, statePairs(metadata)); err != nil {
		return openai.StoredCompletion{}, notStored(err, id)
	}
	return s.Stored(ctx, caller, id)
}

// DeleteStored forgets a completion.
func (s *Service) DeleteStored(ctx context.Context, caller account.Caller, id string) error {
	return notStored(s.archive.DeleteCompletion(ctx, caller.Tenant.ProjectID, id), id)
}

// StoredMessages returns a page of the messages that a completion answered.
func (s *Service) StoredMessages(ctx context.Context, caller account.Caller, id string, p state.Page) (openai.List[openai.StoredMessage], error) {
	var none openai.List[openai.StoredMessage]
	c, err := s.archive.Completion(ctx, caller.Tenant.ProjectID, id)
	if err != nil {
		return none, notStored(err, id)
	}
	var messages []openai.StoredMessage
	if err := json.Unmarshal(c.Messages, &messages); err != nil {
		return none, fmt.Errorf("read the messages of completion %s: %w", id, err)
	}
	for i := range messages {
		messages[i].ID = fmt.Sprintf("%s-%d", id, i)
	}
	if p.Descending {
		slices.Reverse(messages)
	}
	if p.After != "" {
		at := slices.IndexFunc(messages, func(m openai.StoredMessage) bool { return m.ID == p.After })
		if at < 0 || !strings.HasPrefix(p.After, id) {
			return none, &NotStoredError{p.After}
		}
		messages = messages[at+1:]
	}
	more := len(messages) > p.Limit
	return openai.NewList(messages[:min(len(messages), p.Limit)], more, func(m openai.StoredMessage) string { return m.ID }), nil
}

// recorder remembers the pieces of a streamed answer that is to be stored.
type recorder struct{ pieces []llm.Delta }

func (r *recorder) choices() ([]llm.Completion, llm.Usage, error) {
	return llm.Collect(func(yield func(llm.Delta, error) bool) {
		for _, d := range r.pieces {
			if !yield(d, nil) {
				return
			}
		}
	})
}
