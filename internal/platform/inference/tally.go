package inference

import (
	"strings"

	"github.com/ragstone/ragstone/internal/openai"
)

// A tally counts the tokens of text that comes in pieces. It stands in for the
// usage that an upstream does not tell, or that a broken stream did not come to:
// OpenAI's vocabularies are the measure, also of other models.
type tally struct {
	vocabulary string
	text       strings.Builder
	counted    int // tokens of what has been taken out of text
}

// tallyAtOnce is the text that is kept until it is counted. A cut through a word
// may add a token.
const tallyAtOnce = 32 << 10

func (t *tally) add(texts ...string) {
	for _, text := range texts {
		t.text.WriteString(text)
	}
	if t.text.Len() > tallyAtOnce {
		t.counted = t.tokens()
		t.text.Reset()
	}
}

func (t *tally) tokens() int { return t.counted + countTokens(t.vocabulary, t.text.String()) }

// countTokens returns the tokens of a text in one of OpenAI's vocabularies.
func countTokens(vocabulary, text string) int {
	if text == "" {
		return 0
	}
	f, err := vocabularies[vocabulary]()
	if err == nil {
		var n int
		if n, err = f.codec.Count(text); err == nil {
			return n
		}
	}
	return len(text) // no token is less than a byte
}

// vocabularyOf is the vocabulary of OpenAI's model of a name, and for all other
// models the newer one.
func vocabularyOf(model string) string {
	for _, newer := range []string{"gpt-4o", "gpt-4.1", "gpt-4.5"} {
		if strings.HasPrefix(model, newer) {
			return o200k
		}
	}
	for _, older := range []string{"gpt-3.5", "gpt-4", "text-embedding-", "davinci-002", "babbage-002"} {
		if strings.HasPrefix(model, older) {
			return cl100k
		}
	}
	return o200k
}

// What a chat's form adds to the tokens of its texts, as OpenAI's guide counts
// them.
const (
	tokensOfMessage = 3
	tokensOfName    = 1
	tokensOfAnswer  = 3 // that prime it
	tokensOfImage   = 765
)

// chatTokens counts the prompt of a chat request.
func chatTokens(vocabulary string, r *openai.ChatCompletionRequest) int {
	n := tokensOfAnswer
	add := func(texts ...string) {
		for _, text := range texts {
			n += countTokens(vocabulary, text)
		}
	}
	for _, m := range r.Messages {
		n += tokensOfMessage + len(m.Media)*tokensOfImage
		add(m.Role, m.Content.Text())
		if m.Name != nil {
			n += tokensOfName
			add(*m.Name)
		}
		for _, call := range m.ToolCalls {
			add(call.Name, call.Arguments)
		}
	}
	for _, tool := range r.Tools {
		add(tool.Name, tool.Description, string(tool.Parameters))
	}
	return n
}

// textTokens counts texts or token arrays.
func textTokens(vocabulary string, in openai.TextOrTokens) int {
	n := 0
	for _, text := range in.Texts {
		n += countTokens(vocabulary, text)
	}
	for _, ids := range in.Tokens {
		n += len(ids)
	}
	return n
}

// textBytes bounds the tokens of texts or token arrays.
func textBytes(in openai.TextOrTokens) int {
	n := 0
	for _, text := range in.Texts {
		n += len(text) + 4
	}
	for _, ids := range in.Tokens {
		n += len(ids) + 4
	}
	return n
}
