package inference

import (
	"context"
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/internal/openai"
)

// Alias is a name of somebody else's model that means one of ours.
type Alias struct {
	Name  string
	Model string // the name of one of Config.Models, or of an upstream's

	// Vocabulary is whose token ids arrays and biases under this name carry:
	// cl100k_base or o200k_base. Empty: the model's own.
	Vocabulary string

	// Window is how many tokens of that vocabulary a text to embed may have
	// under this name, whatever the model's own window is.
	Window int

	// OneSize refuses the dimensions parameter, as the model of that name does.
	OneSize bool

	// Configured says that the operator wants it, so that it wins over an
	// upstream that serves the name too.
	Configured bool
}

// openAIWindow is the window of OpenAI's embedding models, in tokens of
// cl100k_base.
const openAIWindow = 8192

// DefaultAliases are the names that unchanged programs ask for, for a model
// that writes and one that embeds. An empty name leaves its aliases out.
func DefaultAliases(writes, embeds string) []Alias {
	var aliases []Alias
	if writes != "" {
		aliases = append(aliases,
			Alias{Name: "gpt-4o-mini", Model: writes, Vocabulary: o200k},
			Alias{Name: "gpt-4o", Model: writes, Vocabulary: o200k},
			Alias{Name: "gpt-3.5-turbo", Model: writes, Vocabulary: cl100k},
			Alias{Name: "gpt-3.5-turbo-instruct", Model: writes, Vocabulary: cl100k})
	}
	if embeds != "" {
		aliases = append(aliases,
			Alias{Name: "text-embedding-3-small", Model: embeds, Vocabulary: cl100k, Window: openAIWindow},
			Alias{Name: "text-embedding-3-large", Model: embeds, Vocabulary: cl100k, Window: openAIWindow},
			Alias{Name: "text-embedding-ada-002", Model: embeds, Vocabulary: cl100k, Window: openAIWindow, OneSize: true})
	}
	return aliases
}

// ModelNotFoundError means that no model has the name asked for.
type ModelNotFoundError struct{ Name string }

func (e *ModelNotFoundError) Error() string {
	return fmt.Sprintf("the model %q does not exist", e.Name)
}

// route is a name with what it means.
type route struct {
	asked string
	model Model
	alias Alias // its zero value for a model's own name

	elsewhere bool // an upstream runs it; of the model only the name is known
}

// route finds what a name means: a model's own name, else an alias that the
// operator has configured, else a name that an upstream serves, else another
// alias.
func (s *Service) route(name string) (*route, error) {
	if m, ok := s.local(name); ok {
		return &route{asked: name, model: m}, nil
	}
	alias, aliased := s.alias(name)
	if aliased && alias.Configured {
		if m, ok := s.local(alias.Model); ok {
			return &route{asked: name, model: m, alias: alias}, nil
		}
		if s.upstreams.Serves(alias.Model) {
			return &route{asked: name, model: Model{Name: alias.Model}, alias: alias, elsewhere: true}, nil
		}
	}
	if s.upstreams.Serves(name) {
		return &route{asked: name, model: Model{Name: name}, alias: alias, elsewhere: true}, nil
	}
	if m, ok := s.local(alias.Model); ok && aliased {
		return &route{asked: name, model: m, alias: alias}, nil
	}
	return nil, &ModelNotFoundError{name}
}

func (s *Service) local(name string) (Model, bool) {
	for _, m := range s.models {
		if m.Name == name {
			return m, true
		}
	}
	return Model{}, false
}

func (s *Service) alias(name string) (Alias, bool) {
	for _, a := range s.aliases {
		if a.Name == name {
			return a, true
		}
	}
	return Alias{}, false
}

// routeToGenerator is route for a request that wants text written.
func (s *Service) routeToGenerator(name string) (*route, error) {
	r, err := s.route(name)
	if err == nil && r.model.Generator == nil && !r.elsewhere {
		err = openai.Refuse("model", openai.CodeInvalidValue, "The model '%s' embeds texts and does not write any. Use it with /v1/embeddings.", name)
	}
	return r, err
}

// routeToEmbedder is route for a request that wants vectors.
func (s *Service) routeToEmbedder(name string) (*route, error) {
	r, err := s.route(name)
	if err == nil && r.model.Embedder == nil && !r.elsewhere {
		err = openai.Refuse("model", openai.CodeInvalidValue, "The model '%s' writes texts and does not embed any. Use it with /v1/chat/completions.", name)
	}
	return r, err
}

// Models returns the names that can be asked for: the local models' own, the
// aliases, and what is known of the upstreams'.
func (s *Service) Models(ctx context.Context) []openai.Model {
	var list []openai.Model
	add := func(name string, created int64, owner string) {
		known := slices.ContainsFunc(list, func(m openai.Model) bool { return m.ID == name })
		if !known {
			list = append(list, openai.Model{ID: name, Created: created, Object: "model", OwnedBy: owner})
		}
	}
	for _, m := range s.models {
		add(m.Name, m.Created.Unix(), "ragstone")
	}
	for _, a := range s.aliases {
		switch r, err := s.route(a.Name); {
		case err != nil:
		case !r.elsewhere:
			add(a.Name, r.model.Created.Unix(), "ragstone")
		case a.Configured:
			add(a.Name, 0, "ragstone")
		}
	}
	for _, m := range s.upstreams.Models(ctx) {
		add(m.Name, m.Created, m.OwnedBy)
	}
	return list
}

// Model describes one of the names Models lists, or is a
// *ModelNotFoundError.
func (s *Service) Model(ctx context.Context, name string) (openai.Model, error) {
	for _, m := range s.Models(ctx) {
		if m.ID == name {
			return m, nil
		}
	}
	return openai.Model{}, &ModelNotFoundError{name}
}
