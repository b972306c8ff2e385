package tokenizer

import (
	"errors"
	"fmt"
)

// postProcess sets what AddSpecial puts around a text, and the ids that begin
// and end one.
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
		err = p.pair(t)
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

// template takes the tokens before and after the text of a template for single
// texts.
func (p *fileStep) template(t *Tokenizer) error {
	side := &t.prefix
	for _, part := range p.Single {
		if part.SpecialToken == nil { // the text itself
			side = &t.suffix
			continue
		}
		id, err := t.postProcessorToken(part.SpecialToken.ID)
		if err != nil {
			return err
		}
		*side = append(*side, id)
	}
	return nil
}

// pair takes the one token before and the one after.
func (p *fileStep) pair(t *Tokenizer) error {
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
	return nil
}

func (t *Tokenizer) postProcessorToken(name string) (int32, error) {
	id, ok := t.ids[name]
	if !ok {
		return none, fmt.Errorf("post_processor: token %q is not in the vocabulary", name)
	}
	return id, nil
}
