package inference

import (
	"fmt"

	"github.com/ragstone/ragstone/internal/openai"
)

// Alias is a name of somebody else's model that means one of ours.
type Alias struct {
	Name  string
	Model string // the name of one of Config.Models

	// Vocabulary is whose token ids arrays and biases under this name carry:
	// cl100k_base or o200k_base. Empty: the model's own.
	Vocabulary string

	// Window is how many tokens of that vocabulary a text to embed may have
	// under this name, whatever the model's own window is.
	Window int

	// OneSize refuses the dimensions parameter, as the model of that name does.
	OneSize bool
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
}

// route finds what a name means: a model's own name, else the upstream's if
// there is one, else an alias.
func (s *Service) route(name string) (route, error) {
	for _, m := range s.models {
		if m.Name == name {
			return route{name, m, Alias{}}, nil
		}
	}
	alias, known := s.alias(name)
	if s.upstream != nil {
		return route{name, s.upstream(name), alias}, nil
	}
	for _, m := range s.models {
		if known && m.Name == alias.Model {
			return route{name, m, alias}, nil
		}
	}
	return route{}, &ModelNotFoundError{name}
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
func (s *Service) routeToGenerator(name string) (route, error) {
	r, err := s.route(name)
	if err == nil && r.model.Generator == nil {
		err = openai.Refuse("model", openai.CodeInvalidValue, "The model '%s' embeds texts and does not write any. Use it with /v1/embeddings.", name)
	}
	return r, err
}

// routeToEmbedder is route for a request that wants vectors.
func (s *Service) routeToEmbedder(name string) (route, error) {
	r, err := s.route(name)
	if err == nil && r.model.Embedder == nil {
		err = openai.Refuse("model", openai.CodeInvalidValue, "The model '%s' writes texts and does not embed any. Use it with /v1/chat/completions.", name)
	}
	return r, err
}

// Models returns the names that can be asked for: the models' own and the
// aliases. An upstream's other names are not known.
func (s *Service) Models() []openai.Model {
	var list []openai.Model
	add := func(name string, m Model) {
		list = append(list, openai.Model{ID: name, Created: m.Created.Unix(), Object: "model", OwnedBy: "ragstone"})
	}
	for _, m := range s.models {
		add(m.Name, m)
	}
	for _, a := range s.aliases {
		if r, err := s.route(a.Name); err == nil {
			add(a.Name, r.model)
		}
	}
	return list
}

// Model describes one of the names Models lists, or is a
// *ModelNotFoundError.
func (s *Service) Model(name string) (openai.Model, error) {
	for _, m := range s.Models() {
		if m.ID == name {
			return m, nil
		}
	}
	return openai.Model{}, &ModelNotFoundError{name}
}
