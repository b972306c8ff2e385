package llm

import (
	"strings"

	"github.com/ragstone/ragstone/internal/tokenizer"
)

// prompter turns what a request says into tokens.
type prompter struct {
	vocabulary vocabulary
	render     func([]Message) (string, error) // the chat template; nil for none

	begin    []int32  // what the model's files put before every text
	controls []string // spellings of control tokens
}

func newPrompter(v vocabulary, render func([]Message) (string, error)) *prompter {
	p := &prompter{vocabulary: v, render: render}
	// Some files also ask for a token after every text, which is to be gone
	// on with here.
	around := v.Encode("", tokenizer.Options{AddSpecial: true})
	if bos, ok := v.BOS(); ok && len(around) > 0 && around[0] == bos {
		p.begin = around[:1:1]
	}
	for id := range int32(v.Size()) {
		if name := v.Token(id); v.IsControl(id) && len(name) > 1 {
			p.controls = append(p.controls, name)
		}
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

// conversation renders messages with the chat template. The spelling of a
// control token in a message is broken by a mark before rendering, and the
// text is cut at the marks before it is tokenised: only the template can write
// control tokens.
func (p *prompter) conversation(messages []Message) ([]int32, error) {
	if p.render == nil {
		return nil, ErrNoTemplate
	}
	mark, err := unusedMark(messages)
	if err != nil {
		return nil, err
	}
	broken := make([]string, 0, 2*len(p.controls))
	for _, name := range p.controls {
		broken = append(broken, name, name[:1]+mark+name[1:])
	}
	breaker := strings.NewReplacer(broken...)
	shielded := make([]Message, len(messages))
	for i, m := range messages {
		shielded[i] = Message{Role: m.Role, Content: breaker.Replace(m.Content), Name: breaker.Replace(m.Name)}
	}
	text, err := p.render(shielded)
	if err != nil {
		return nil, err
	}
	var tokens []int32
	for part := range strings.SplitSeq(text, mark) {
		tokens = append(tokens, p.vocabulary.Encode(part, tokenizer.Options{Special: true})...)
	}
	return tokens, nil
}

// unusedMark returns a Unicode noncharacter, reserved for a program's own use,
// that no message holds.
func unusedMark(messages []Message) (string, error) {
	for r := '\uFDD0'; r <= '\uFDEF'; r++ {
		used := false
		for _, m := range messages {
			used = used || strings.ContainsRune(m.Content, r) || strings.ContainsRune(m.Name, r)
		}
		if !used {
			return string(r), nil
		}
	}
	return "", &InvalidError{"Messages", "they hold every noncharacter from U+FDD0 to U+FDEF"}
}
