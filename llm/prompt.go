package llm

import "github.com/ragstone/ragstone/internal/tokenizer"

// prompter turns what a request says into tokens.
type prompter struct {
	vocabulary vocabulary
	dialect    *dialect         // nil for a model without a chat template
	marks      map[int32][]byte // control tokens that the dialect writes calls and reasoning with

	begin []int32   // what the model's files put before every text
	gap   *gapMarks // nil for a model that cannot fill in the middle
}

// gapMarks are the tokens that tell a model to write what belongs between two
// texts: the first goes before the text that precedes the gap, the second
// before the one that follows, and the third asks for the rest (the order
// prefix, suffix, middle of Bavarian et al. 2022, section 3).
type gapMarks [3]int32

// gapNames are the marks of the families that have them: Qwen and Granite,
// StarCoder, CodeLlama, DeepSeek.
var gapNames = [][3]string{
	{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
	{"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
	{"▁<PRE>", "▁<SUF>", "▁<MID>"},
	{"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},
}

// findGapMarks returns a vocabulary's marks, or nil.
func findGapMarks(v vocabulary) *gapMarks {
	for _, names := range gapNames {
		var marks gapMarks
		found := 0
		for i, name := range names {
			if id, ok := v.ID(name); ok {
				marks[i] = id
				found++
			}
		}
		if found == len(marks) {
			return &marks
		}
	}
	return nil
}

func newPrompter(v vocabulary, d *dialect) *prompter {
	p := &prompter{vocabulary: v, dialect: d, gap: findGapMarks(v), marks: map[int32][]byte{}}
	if d != nil {
		for _, mark := range d.family.Marks() {
			if id, ok := v.ID(mark); ok && v.TokenBytes(id) == nil {
				p.marks[id] = []byte(mark)
			}
		}
	}
	// Some files also ask for a token after every text, which is to be gone
	// on with here.
	around := v.Encode("", tokenizer.Options{AddSpecial: true})
	if bos, ok := v.BOS(); ok && len(around) > 0 && around[0] == bos {
		p.begin = around[:1:1]
	}
	return p
}

// prompt returns the tokens of a valid request's prompt, and its text.
func (p *prompter) prompt(req *Request) ([]int32, string, error) {
	switch {
	case len(req.Messages) > 0:
		return p.conversation(req)
	case len(req.Tokens) > 0:
		return req.Tokens, validText([]byte(p.vocabulary.Decode(req.Tokens))), nil
	case req.Suffix != "":
		tokens, err := p.around(req.Prompt, req.Suffix)
		return tokens, "", err
	}
	return p.text(req.Prompt, tokenizer.Options{Special: true}), req.Prompt, nil
}

// around returns the tokens that ask for the text between two others. Control
// tokens are not recognised in them: they are somebody's document.
func (p *prompter) around(before, after string) ([]int32, error) {
	if p.gap == nil {
		return nil, &InvalidError{"Suffix", "the model's vocabulary has no tokens to fill in the middle with"}
	}
	tokens := append(p.begin, p.gap[0])
	tokens = append(tokens, p.vocabulary.Encode(before, tokenizer.Options{})...)
	tokens = append(tokens, p.gap[1])
	tokens = append(tokens, p.vocabulary.Encode(after, tokenizer.Options{})...)
	return append(tokens, p.gap[2]), nil
}

// text returns the tokens of a text with what the model wants before it.
func (p *prompter) text(text string, o tokenizer.Options) []int32 {
	return append(p.begin, p.vocabulary.Encode(text, o)...)
}

// conversation renders messages with the chat template. Control tokens are
// recognised only in what the template itself has written.
func (p *prompter) conversation(req *Request) ([]int32, string, error) {
	if p.dialect == nil {
		return nil, "", ErrNoTemplate
	}
	text, given, err := p.dialect.render(req)
	if err != nil {
		return nil, "", err
	}
	return p.vocabulary.Encode(text, tokenizer.Options{Special: true, Verbatim: given}), text, nil
}
