package llm

import (
	"cmp"
	"context"
	"path"
	"strings"

	"github.com/ragstone/ragstone/internal/model"
)

// prompts are what a model wants before what it embeds.
type prompts struct {
	usual   string // before a text of which nothing more is said
	query   string // before a question
	passage string // before a text that answers questions
}

// newPrompts takes the prompts from the model's files, by the names that
// Sentence-Transformers looks for. Where they have none, a few makers ask for
// some on their models' pages only.
func newPrompts(name string, p model.Prompts) prompts {
	found := prompts{
		usual:   p.ByName[p.Default],
		query:   p.ByName["query"],
		passage: cmp.Or(p.ByName["document"], p.ByName["passage"], p.ByName["corpus"]),
	}
	if found == (prompts{}) {
		return publishedPrompts(name)
	}
	return found
}

// publishedPrompts are what the makers of a model ask for on its page.
func publishedPrompts(name string) prompts {
	const search = "Represent this sentence for searching relevant passages: "
	name = path.Base(strings.ToLower(name))
	begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	has := func(part string) bool { return strings.Contains(name, part) }
	switch {
	case begins("bge-") && has("-en"), begins("mxbai-embed"):
		return prompts{query: search}
	case begins("bge-") && has("-zh"):
		return prompts{query: "为这个句子生成表示以用于检索相关文章："}
	case has("arctic-embed") && has("-v2"):
		return prompts{query: "query: "}
	case has("arctic-embed"):
		return prompts{query: search}
	case begins("nomic-embed-text"):
		return prompts{query: "search_query: ", passage: "search_document: "}
	case begins("e5-") || begins("multilingual-e5-"):
		if has("instruct") || has("mistral") { // these want a task's description
			return prompts{}
		}
		return prompts{query: "query: ", passage: "passage: "}
	}
	return prompts{}
}

// QueryPrefix is what the model wants before a question; mostly nothing.
func (e *LocalEmbedder) QueryPrefix() string { return e.prompts.query }

// PassagePrefix is what the model wants before a text that may answer one.
func (e *LocalEmbedder) PassagePrefix() string { return e.prompts.passage }

// EmbedQuery is Embed for questions: with QueryPrefix before each, in place of
// the model's usual prompt.
func (e *LocalEmbedder) EmbedQuery(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, e.prompts.query, texts, e.whole)
}

// EmbedPassage is Embed for texts that may answer questions: with PassagePrefix.
func (e *LocalEmbedder) EmbedPassage(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, e.prompts.passage, texts, e.whole)
}

// EmbedBare is Embed for texts that have their prefix already: nothing is put
// before them.
func (e *LocalEmbedder) EmbedBare(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, "", texts, e.whole)
}
