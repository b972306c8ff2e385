package llm

import "github.com/ragstone/ragstone/internal/tokenizer"

// reader is what a local model can do without its weights: read texts and
// requests.
type reader struct {
	info        Info
	prompter    *prompter
	fingerprint func() (string, error)
}

// Info describes the model.
func (r *reader) Info() Info { return r.info }

// Fingerprint is a hash of the sizes, the settings and samples of the model's
// files: equal for equal weights, vocabulary and template, and different for any
// other training. It does not tell damage. It is computed on the first call.
func (r *reader) Fingerprint() (string, error) { return r.fingerprint() }

// PromptTokens returns the tokens a request's prompt has for this model, or
// the error that Generate would end with before it begins.
func (r *reader) PromptTokens(req Request) ([]int32, error) {
	tokens, _, err := r.promptTokens(&req)
	return tokens, err
}

func (r *reader) promptTokens(req *Request) ([]int32, string, error) {
	if err := req.validate(); err != nil {
		return nil, "", err
	}
	if err := req.checkTokens(r.prompter.vocabulary.Size()); err != nil {
		return nil, "", err
	}
	tokens, text, err := r.prompter.prompt(req)
	if err != nil {
		return nil, "", err
	}
	if len(tokens) == 0 {
		return nil, "", &InvalidError{"Messages", "the chat template renders them to nothing"}
	}
	if len(tokens) > r.info.Context {
		return nil, "", &ContextLengthError{Limit: r.info.Context, Requested: len(tokens)}
	}
	return tokens, text, nil
}

// Encode returns the tokens of a text. Special tokens are not recognised.
func (r *reader) Encode(text string) []int32 {
	return r.prompter.vocabulary.Encode(text, tokenizer.Options{})
}

// Decode returns the text of tokens. Control tokens add nothing, and bytes
// that are no part of a character become U+FFFD.
func (r *reader) Decode(tokens []int32) string {
	return validText([]byte(r.prompter.vocabulary.Decode(tokens)))
}

// Count returns the number of tokens of a text.
func (r *reader) Count(text string) int { return len(r.Encode(text)) }
