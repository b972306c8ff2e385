package tokenizer

import (
	"errors"
	"fmt"
)

// postProcess sets what AddSpecial puts around a text, what Pair puts around
// two, and the ids that begin and end a text.
func (p *fileStep) postProcess(t *Tokenizer) error {
	var err error
	switch p.Type {
	case "Sequence":
		for i := range p.Processors {
			if err := p.Processors[i].postProcess(t); err != nil {
				return err
			}
		}
		return nil
	case "ByteLevel": // concerns offsets only
		return nil
	case "TemplateProcessing":
		err = p.template(t)
	case "BertProcessing", "RobertaProcessing":
		err = p.classic(t)
	default:
		err = fmt.Errorf("post_processor %q is %w", p.Type, ErrUnsupported)
	}
	if err != nil {
		return err
	}
	if len(t.prefix) > 0 {
		t.bos = t.prefix[0]
	}
	if n := len(t.suffix); n > 0 {
		t.eos = t.suffix[n-1]
	}
	return nil
}

// template reads the templates for one text and for two.
func (p *fileStep) template(t *Tokenizer) error {
	single, err := p.parts(t, p.Single)
	if err != nil {
		return err
	}
	if t.pair, err = p.parts(t, p.Pair); err != nil {
		return err
	}
	side := &t.prefix
	for _, part := range single {
		if part.text > 0 {
			side = &t.suffix
			continue
		}
		*side = append(*side, part.id)
	}
	return nil
}

// parts reads a template; a special token may stand for several.
func (p *fileStep) parts(t *Tokenizer, parts []filePart) ([]pairPart, error) {
	var out []pairPart
	for _, part := range parts {
		switch {
		case part.Sequence != nil && part.Sequence.ID == "B":
			out = append(out, pairPart{2, none, part.Sequence.Type})
		case part.Sequence != nil:
			out = append(out, pairPart{1, none, part.Sequence.Type})
		case part.SpecialToken != nil:
			name := part.SpecialToken.ID
			ids := p.SpecialTokens[name].IDs
			if len(ids) == 0 {
				id, err := t.postProcessorToken(name)
				if err != nil {
					return nil, err
				}
				ids = []int32{id}
			}
			for _, id := range ids {
				if !t.valid(id) {
					return nil, fmt.Errorf("post_processor: token %q has the id %d, the vocabulary has %d tokens", name, id, len(t.tokens))
				}
				out = append(out, pairPart{0, id, part.SpecialToken.Type})
			}
		}
	}
	return out, nil
}

// classic is one token before and one after, as BERT and RoBERTa have them.
func (p *fileStep) classic(t *Tokenizer) error {
	if p.CLS == nil || p.Sep == nil {
		return errors.New("post_processor: cls and sep are missing")
	}
	cls, err := t.postProcessorToken(p.CLS.name)
	if err != nil {
		return err
	}
	sep, err := t.postProcessorToken(p.Sep.name)
	if err != nil {
		return err
	}
	t.prefix, t.suffix = []int32{cls}, []int32{sep}
	t.pair = bertPair(cls, sep)
	if p.Type == "RobertaProcessing" {
		t.pair = robertaPair(cls, sep)
	}
	return nil
}

func (t *Tokenizer) postProcessorToken(name string) (int32, error) {
	id, ok := t.ids[name]
	if !ok {
		return none, fmt.Errorf("post_processor: token %q is not in the vocabulary", name)
	}
	return id, nil
}
