package llm

import "github.com/ragstone/ragstone/internal/tokenizer"

// prompter turns what a request says into tokens.
type prompter struct {
	vocabulary vocabulary
	render     renderer // nil for a model without a chat template

	begin []int32 // what the model's files put before every text
}

// renderer turns messages into the model's text, and says which parts of it
// the messages have written.
type renderer func([]Message) (string, []tokenizer.Span, error)

func newPrompter(v vocabulary, render renderer) *prompter {
	p := &prompter{vocabulary: v, render: render}
	// Some files also ask for a token after every text, which is to be gone
	// on with here.
	around := v.Encode("", tokenizer.Options{AddSpecial: true})
	if bos, ok := v.BOS(); ok && len(around) > 0 && around[0] == bos {
		p.begin = around[:1:1]
	}
	return p
}

// prompt returns the tokens of a valid request's prompt, and its text for Echo.
func (p *prompter) prompt(req *Request) ([]int32, string, error) {
	switch {
	case len(req.Messages) > 0:
		tokens, err := p.conversation(req.Messages)
		return tokens, "", err
	case len(req.Tokens) > 0:
		return req.Tokens, validText([]byte(p.vocabulary.Decode(req.Tokens))), nil
	}
	return p.text(req.Prompt, tokenizer.Options{Special: true}), req.Prompt, nil
}

// text returns the tokens of a text with what the model wants before it.
func (p *prompter) text(text string, o tokenizer.Options) []int32 {
	return append(p.begin, p.vocabulary.Encode(text, o)...)
}

// conversation renders messages with the chat template. Control tokens are
// recognised only in what the template itself has written.
func (p *prompter) conversation(messages []Message) ([]int32, error) {
	if p.render == nil {
		return nil, ErrNoTemplate
	}
	text, given, err := p.render(messages)
	if err != nil {
		return nil, err
	}
	return p.vocabulary.Encode(text, tokenizer.Options{Special: true, Verbatim: given}), nil
}
