package tokenizer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fileSteps collects the pre-tokeniser of a file.
type fileSteps struct {
	steps     []step
	byteLevel bool // a ByteLevel step was there: what follows sees bytes spelled
}

func (b *fileSteps) add(p *fileStep) error {
	if p.Type == "Sequence" {
		for i := range p.PreTokenizers {
			if err := b.add(&p.PreTokenizers[i]); err != nil {
				return err
			}
		}
		return nil
	}
	steps, err := p.preTokenizer()
	if err != nil {
		return err
	}
	for _, c := range steps {
		if b.byteLevel {
			c = spelled{c}
		}
		b.steps = append(b.steps, c)
	}
	b.byteLevel = b.byteLevel || p.Type == "ByteLevel"
	return nil
}

// preTokenizer builds one pre-tokeniser.
func (p *fileStep) preTokenizer() ([]step, error) {
	switch p.Type {
	case "ByteLevel":
		var steps []step
		if flag(p.AddPrefixSpace, true) {
			steps = append(steps, leadingSpace{})
		}
		if flag(p.UseRegex, true) {
			steps = append(steps, splitter(splitGPT2))
		}
		return steps, nil
	case "Digits":
		if p.IndividualDigits {
			return []step{splitter(digitsApart)}, nil
		}
		return []step{splitter(each(numbers))}, nil
	case "Punctuation":
		b, ok := behaviors[p.Behavior]
		if !ok && p.Behavior != "" {
			return nil, fmt.Errorf("pre_tokenizer Punctuation with behavior %q is %w", p.Behavior, ErrUnsupported)
		}
		return []step{&split{find: findEach(bertPunctuationMark), behavior: b}}, nil
	case "Whitespace":
		return []step{&split{find: findEach(wordOrSigns), behavior: removed, invert: true}}, nil
	case "WhitespaceSplit":
		return []step{&split{find: findClass(space), behavior: removed}}, nil
	case "BertPreTokenizer":
		return []step{&split{find: findClass(space), behavior: removed}, &split{find: findEach(bertPunctuationMark)}}, nil
	case "CharDelimiterSplit":
		return []step{&split{find: findString(p.Delimiter), behavior: removed}}, nil
	case "Metaspace":
		return p.metaspace()
	case "Split":
		return p.split()
	}
	return nil, fmt.Errorf("pre_tokenizer %q is %w", p.Type, ErrUnsupported)
}

func (p *fileStep) metaspace() ([]step, error) {
	m := &metaspace{space: p.Replacement, whole: !flag(p.Split, true)}
	if m.space == "" {
		m.space = spaceMark
	}
	switch p.PrependScheme {
	case "always":
		m.begin = everywhere
	case "first":
		m.begin = atStart
	case "never":
	case "": // older files
		if flag(p.AddPrefixSpace, true) {
			m.begin = everywhere
		}
	default:
		return nil, fmt.Errorf("pre_tokenizer Metaspace with prepend_scheme %q is %w", p.PrependScheme, ErrUnsupported)
	}
	return []step{m}, nil
}

func (p *fileStep) split() ([]step, error) {
	b, ok := behaviors[p.Behavior]
	if !ok {
		return nil, fmt.Errorf("pre_tokenizer Split with behavior %q is %w", p.Behavior, ErrUnsupported)
	}
	// Where everything is a match or nothing of the rest is dropped, a scanner
	// that gives all words does the same.
	if p.Pattern.Regex != "" && (b == isolated || b == removed && p.Invert) {
		if s, ok := scannerFor(p.Pattern.Regex); ok {
			return []step{s}, nil
		}
	}
	find, err := p.Pattern.finder()
	if err != nil {
		return nil, fmt.Errorf("pre_tokenizer Split: %w", err)
	}
	return []step{&split{find: find, behavior: b, invert: p.Invert}}, nil
}

// bertPunctuationMark is one punctuation mark, or ASCII symbol.
func bertPunctuationMark(s string) int {
	if r, n := utf8.DecodeRuneInString(s); bertKind(r) == bertPunctuation {
		return n
	}
	return 0
}

// wordOrSigns is \w+|[^\w\s]+ as Rust's regular expressions have it.
func wordOrSigns(s string) int {
	word := -1
	for i, r := range s {
		switch w := isRustWord(r); {
		case classOf(r)&space != 0:
			return i
		case word < 0:
			word = 0
			if w {
				word = 1
			}
		case w != (word == 1):
			return i
		}
	}
	return len(s)
}

// isRustWord is \w after UTS 18: what is alphabetic, marks, decimal digits,
// connectors and the two joiners.
func isRustWord(r rune) bool {
	return r == 0x200c || r == 0x200d ||
		unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic)
}

const (
	ignoringCase = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
	lineTail     = `|\s*[\r\n]+|\s+(?!\S)|\s+`
	leadAny      = `[^\r\n\p{L}\p{N}]?`
	gpt2Words    = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
)

// llama3Words is the expression of Llama 3 and its kin.
func llama3Words(digits string) string {
	return ignoringCase + `|` + leadAny + `\p{L}+|` + digits + `| ?[^\s\p{L}\p{N}]+[\r\n]*` + lineTail
}

// markedWords is llama3Words where marks count as letters.
const markedWords = ignoringCase + `|` + leadAny + `[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*` + lineTail

// cased is the expression of GPT-4o and its kin.
func cased(digits, ending string) string { return casedIn(`]`, digits, ending, `[\r\n/]*`) }

// casedIn is cased with the end of its two classes of letters, and what may
// follow signs.
func casedIn(closing, digits, ending, after string) string {
	upperRun := `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}` + closing
	lowerRun := `[\p{Ll}\p{Lm}\p{Lo}\p{M}` + closing
	return leadAny + upperRun + `*` + lowerRun + `+` + ending + `|` + leadAny + upperRun + `+` + lowerRun + `*` + ending +
		`|` + digits + `| ?[^\s\p{L}\p{N}]+` + after + lineTail
}

// scannerFor returns the hand-written scanner for a regular expression, which
// is known by its spelling: much faster than a pattern.
func scannerFor(regex string) (splitter, bool) {
	switch strings.ReplaceAll(regex, `'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]`, `'s|'t|'re|'ve|'m|'ll|'d`) {
	case gpt2Words, `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`:
		return splitGPT2, true
	case llama3Words(`\p{N}{1,3}`):
		return splitLlama3(numberGroup, 0), true
	case llama3Words(`\p{N}`):
		return splitLlama3(oneNumber, 0), true
	case markedWords:
		return splitLlama3(oneNumber, mark), true
	case cased(`\p{N}{1,3}`, ignoringCase+`?`):
		return splitCased(numberGroup, anyContraction), true
	case cased(`\p{N}`, ``):
		return splitCased(oneNumber, nil), true
	case `\p{N}`:
		return digitsApart, true
	case `\p{N}{1,3}`:
		return each(numberGroup), true
	case `\s+$`:
		return trailingSpace, true
	}
	return nil, false
}

// splitterFor is a step that makes a word of every match of an expression.
func splitterFor(regex string) (step, error) {
	if s, ok := scannerFor(regex); ok {
		return s, nil
	}
	p, err := parsePattern(regex)
	if err != nil {
		return nil, err
	}
	return &split{find: p.find}, nil
}
