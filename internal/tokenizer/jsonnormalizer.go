package tokenizer

import (
	"errors"
	"fmt"

	"golang.org/x/text/unicode/norm"
)

// normalizer builds a normaliser of a file; nil does nothing.
func (p *fileStep) normalizer() (normalizer, error) {
	switch p.Type {
	case "Sequence":
		var steps normalizers
		for i := range p.Normalizers {
			n, err := p.Normalizers[i].normalizer()
			if err != nil {
				return nil, err
			}
			if n != nil {
				steps = append(steps, n)
			}
		}
		switch len(steps) {
		case 0:
			return nil, nil
		case 1:
			return steps[0], nil
		}
		return steps, nil
	case "NFC":
		return unicodeForm(norm.NFC), nil
	case "NFD":
		return unicodeForm(norm.NFD), nil
	case "NFKC":
		return unicodeForm(norm.NFKC), nil
	case "NFKD":
		return unicodeForm(norm.NFKD), nil
	case "Lowercase":
		return lowercase{}, nil
	case "StripAccents":
		return stripAccents{}, nil
	case "Nmt":
		return nmt{}, nil
	case "Strip":
		return strip{flag(p.StripLeft, true), flag(p.StripRight, true)}, nil
	case "Prepend":
		return prepend(p.Prepend), nil
	case "Replace":
		find, err := p.Pattern.finder()
		if err != nil {
			return nil, fmt.Errorf("normalizer Replace: %w", err)
		}
		return replace{find, p.Content}, nil
	case "Precompiled":
		if len(p.Charsmap) == 0 {
			return nil, nil
		}
		return parseCharsmap(p.Charsmap)
	case "BertNormalizer":
		return bertText{p.bertNormalizer()}, nil
	}
	return nil, fmt.Errorf("normalizer %q is %w", p.Type, ErrUnsupported)
}

func (p *fileStep) bertNormalizer() bertNormalizer {
	lower := flag(p.Lowercase, true)
	return bertNormalizer{
		clean:   flag(p.CleanText, true),
		cjk:     flag(p.CJK, true),
		accents: flag(p.StripAccents, lower),
		lower:   lower,
	}
}

// finder finds a file's pattern.
func (p *filePattern) finder() (finder, error) {
	if p.String != "" {
		return findString(p.String), nil
	}
	if p.Regex == "" {
		return nil, errors.New("the pattern is empty")
	}
	c, err := parsePattern(p.Regex)
	if err != nil {
		return nil, err
	}
	return c.find, nil
}
