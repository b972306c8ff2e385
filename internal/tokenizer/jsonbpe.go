package tokenizer

import (
	"fmt"
	"strings"
)

// byteLevel builds byte-level BPE.
func (f *tokenizerFile) byteLevel(t *Tokenizer) error {
	if f.Model.Prefix != nil && *f.Model.Prefix != "" || f.Model.Suffix != nil && *f.Model.Suffix != "" {
		return fmt.Errorf("BPE with a subword prefix or suffix is %w", ErrUnsupported)
	}
	var p pretokenizer
	b := byteLevelSteps{}
	if f.PreTokenizer != nil {
		if err := b.add(f.PreTokenizer); err != nil {
			return err
		}
	}
	if !b.found {
		return fmt.Errorf("BPE without a ByteLevel pre-tokenizer is %w", ErrUnsupported)
	}
	p.splitters, p.wholeWords = b.splitters, f.Model.IgnoreMerges
	f.texts(t, func(name string) string {
		if text, ok := unspell(name); ok {
			return text
		}
		return name
	})
	merges := make([][2]string, len(f.Model.Merges))
	for i, m := range f.Model.Merges {
		merges[i] = m
	}
	m := newBPE(t, p, merges)
	m.leadingSpace = b.leadingSpace
	if f.Model.UnkToken != nil {
		if id, ok := t.ids[*f.Model.UnkToken]; ok {
			m.unknown = id
		}
	}
	t.model = m
	switch {
	case f.Normalizer == nil || f.Normalizer.Type == "Sequence" && len(f.Normalizer.Normalizers) == 0:
	case f.Normalizer.Type == "NFC":
		t.model = &composed{m}
	default:
		return fmt.Errorf("BPE with normalizer %s is %w", f.Normalizer.name(), ErrUnsupported)
	}
	return nil
}

// byteLevelSteps collects the pre-tokeniser of a file.
type byteLevelSteps struct {
	splitters    []splitter
	leadingSpace bool
	found        bool // a ByteLevel step
}

func (b *byteLevelSteps) add(p *fileStep) error {
	switch p.Type {
	case "Sequence":
		for i := range p.PreTokenizers {
			if err := b.add(&p.PreTokenizers[i]); err != nil {
				return err
			}
		}
		return nil
	case "ByteLevel":
		b.found = true
		b.leadingSpace = b.leadingSpace || p.AddPrefixSpace
		if flag(p.UseRegex, true) {
			b.splitters = append(b.splitters, splitGPT2)
		}
		return nil
	case "Digits":
		if p.IndividualDigits {
			b.splitters = append(b.splitters, each(oneNumber))
		} else {
			b.splitters = append(b.splitters, each(numbers))
		}
		return nil
	case "Split":
		s, ok := splitterFor(p.Pattern.Regex)
		if !ok || p.Invert && p.Behavior != "Removed" || !p.Invert && p.Behavior != "Isolated" {
			return fmt.Errorf("pre_tokenizer Split with pattern %q, behavior %q is %w", p.Pattern.Regex, p.Behavior, ErrUnsupported)
		}
		b.splitters = append(b.splitters, s)
		return nil
	}
	return fmt.Errorf("pre_tokenizer %q is %w", p.Type, ErrUnsupported)
}

const (
	ignoringCase = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
	lineTail     = `|\s*[\r\n]+|\s+(?!\S)|\s+`
	upperRun     = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
	lowerRun     = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
	leadAny      = `[^\r\n\p{L}\p{N}]?`
)

// splitterFor returns the scanner for a regular expression, which is known by
// its spelling.
func splitterFor(regex string) (splitter, bool) {
	llama3 := func(digits string) string {
		return ignoringCase + `|` + leadAny + `\p{L}+|` + digits + `| ?[^\s\p{L}\p{N}]+[\r\n]*` + lineTail
	}
	withMarks := ignoringCase + `|` + leadAny + `[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*` + lineTail
	cased := func(digits, tail string) string {
		return leadAny + upperRun + `*` + lowerRun + `+` + tail + `|` + leadAny + upperRun + `+` + lowerRun + `*` + tail +
			`|` + digits + `| ?[^\s\p{L}\p{N}]+[\r\n/]*` + lineTail
	}
	switch strings.ReplaceAll(regex, `'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]`, `'s|'t|'re|'ve|'m|'ll|'d`) {
	case `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
		`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`:
		return splitGPT2, true
	case llama3(`\p{N}{1,3}`):
		return splitLlama3(numberGroup, 0), true
	case llama3(`\p{N}`):
		return splitLlama3(oneNumber, 0), true
	case withMarks:
		return splitLlama3(oneNumber, mark), true
	case cased(`\p{N}{1,3}`, ignoringCase+`?`):
		return splitCased(numberGroup, anyContraction), true
	case cased(`\p{N}`, ``):
		return splitCased(oneNumber, nil), true
	case `\p{N}`:
		return each(oneNumber), true
	case `\p{N}{1,3}`:
		return each(numberGroup), true
	}
	return nil, false
}
