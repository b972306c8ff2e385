package tokenizer

import (
	"sync"
)

// Tokenizer is a vocabulary with the rules that apply it.
type Tokenizer struct {
	tokens []token          // by id
	ids    map[string]int32 // by spelling in the model's file
	added  addedTokens      // matched in the text as it is
	normal normalizer       // nil: none
	formal addedTokens      // matched in the normalised text
	model  model
	join   func(t *Tokenizer, ids []int32) string // nil: texts are concatenated

	prefix, suffix []int32 // what AddSpecial puts around a text
	pair           []pairPart
	bos, eos       int32 // none where there is no such token
	ends           []int32

	scratch sync.Pool // of *scratch
}

// none stands for a token that the vocabulary does not have.
const none int32 = -1

// token is what the vocabulary knows about an id.
type token struct {
	name    string // spelling in the model's file
	text    string // what it decodes to; empty for control tokens
	control bool
	outside bool // not of the model: only matched as an added token
}

// model cuts text that holds no added tokens into pieces and appends them to
// s.pieces.
type model interface {
	encode(s *scratch, a aligned)
}

// scratch is the working memory of one Encode.
type scratch struct {
	pieces    []Piece
	merger    merger
	word      word
	stretches []stretch
	lattice   []latticeEnd
	known     knownWords
}

// Options choose what Encode does beyond the plain text.
type Options struct {
	// Special matches the spelling of control tokens in the text. Leave it
	// off for text from outside: "<|im_end|>" in a document is then just
	// letters. Added tokens that are not control tokens are always matched.
	Special bool

	// Verbatim are the parts of the text, none empty, in order and apart, from
	// outside: with Special set, a control token that reaches into one of them
	// is not matched. All the rest is encoded as if they were not there.
	Verbatim []Span

	// AddSpecial puts the tokens around the text that the model's files ask
	// for: BOS, EOS, or [CLS] and [SEP].
	AddSpecial bool
}

// Span is the part text[Start:End] of a text.
type Span struct{ Start, End int }

// Piece is a token and the bytes text[Start:End] that it stands for.
// Several tokens may share the bytes of one character. Tokens that AddSpecial
// puts in stand for no bytes.
type Piece struct {
	ID         int32
	Start, End int
}

// Encode returns the ids of a text's tokens.
func (t *Tokenizer) Encode(text string, o Options) []int32 {
	s := t.encode(text, o)
	defer t.release(s)
	ids := make([]int32, len(s.pieces))
	for i, p := range s.pieces {
		ids[i] = p.ID
	}
	return ids
}

// EncodeOffsets returns a text's tokens with where they stand in it.
func (t *Tokenizer) EncodeOffsets(text string, o Options) []Piece {
	s := t.encode(text, o)
	defer t.release(s)
	return append([]Piece(nil), s.pieces...)
}

// Count returns how many tokens Encode gives without any option.
func (t *Tokenizer) Count(text string) int {
	s := t.encode(text, Options{})
	defer t.release(s)
	return len(s.pieces)
}

// encode leaves the pieces in working memory that the caller releases.
func (t *Tokenizer) encode(text string, o Options) *scratch {
	s, ok := t.scratch.Get().(*scratch)
	if !ok {
		s = &scratch{}
	}
	s.pieces = s.pieces[:0]
	if o.AddSpecial {
		for _, id := range t.prefix {
			s.pieces = append(s.pieces, Piece{ID: id})
		}
	}
	for at := 0; at < len(text); {
		m := t.added.next(text, at, o.allows)
		if m.start > at {
			t.fragment(s, aligned{text: text[at:m.start], base: at}, o)
		}
		if m.end > m.start {
			s.pieces = append(s.pieces, Piece{ID: m.id, Start: m.start, End: m.end})
		}
		at = m.end
	}
	if o.AddSpecial {
		for _, id := range t.suffix {
			s.pieces = append(s.pieces, Piece{ID: id, Start: len(text), End: len(text)})
		}
	}
	return s
}

// fragment encodes what lies between added tokens: it normalises the text and
// takes out the added tokens that are matched only then.
func (t *Tokenizer) fragment(s *scratch, a aligned, o Options) {
	if t.normal != nil {
		a = t.normal.normalize(a)
	}
	if !t.formal.any {
		t.model.encode(s, a)
		return
	}
	allows := func(m match, control bool) bool {
		src := a.source(m.start, m.end)
		return o.allows(match{m.id, src.start, src.end}, control)
	}
	for at := 0; at < len(a.text); {
		m := t.formal.next(a.text, at, allows)
		if m.start > at {
			t.model.encode(s, a.part(at, m.start))
		}
		if m.end > m.start {
			src := a.source(m.start, m.end)
			s.pieces = append(s.pieces, Piece{m.id, src.start, src.end})
		}
		at = m.end
	}
}

// release gives working memory back, unless an unusually long text made it
// large.
func (t *Tokenizer) release(s *scratch) {
	const keep = 1 << 16
	if cap(s.pieces) <= keep && cap(s.merger.symbols) <= keep {
		t.scratch.Put(s)
	}
}

// Decode returns the text of tokens. Control tokens and ids outside the
// vocabulary add nothing. Byte-level tokens may end inside a character, so a
// part of a text need not be valid UTF-8.
func (t *Tokenizer) Decode(ids []int32) string {
	if t.join != nil {
		return t.join(t, ids)
	}
	return t.concatenate(ids)
}

func (t *Tokenizer) concatenate(ids []int32) string {
	n := 0
	for _, id := range ids {
		n += len(t.text(id))
	}
	out := make([]byte, 0, n)
	for _, id := range ids {
		out = append(out, t.text(id)...)
	}
	return string(out)
}

func (t *Tokenizer) text(id int32) string {
	if !t.valid(id) {
		return ""
	}
	return t.tokens[id].text
}

func (t *Tokenizer) valid(id int32) bool { return id >= 0 && int(id) < len(t.tokens) }

// TokenBytes returns the bytes a token decodes to, in a new slice: nil for a
// control token or an id outside the vocabulary. A WordPiece token's bytes are
// its letters, without "##" and without the space before a new word.
func (t *Tokenizer) TokenBytes(id int32) []byte {
	if !t.valid(id) || t.tokens[id].control {
		return nil
	}
	return []byte(t.tokens[id].text)
}

// IsControl reports whether a token stands for something that is not text.
func (t *Tokenizer) IsControl(id int32) bool { return t.valid(id) && t.tokens[id].control }

// Size returns the number of ids: every id is below it.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// ID returns the token with a spelling as in the model's file, such as
// "<|im_end|>", "##ing" or "Ġthe".
func (t *Tokenizer) ID(name string) (int32, bool) {
	id, ok := t.ids[name]
	return id, ok
}

// Token returns a token's spelling in the model's file, empty outside the
// vocabulary.
func (t *Tokenizer) Token(id int32) string {
	if !t.valid(id) {
		return ""
	}
	return t.tokens[id].name
}

// BOS returns the token that begins a text, if the vocabulary has one. Whether
// it is wanted is AddSpecial's affair.
func (t *Tokenizer) BOS() (int32, bool) { return t.bos, t.bos != none }

// EOS returns the token that ends a text, if the vocabulary has one.
func (t *Tokenizer) EOS() (int32, bool) { return t.eos, t.eos != none }

// EndTokens returns every token after which a model has finished its answer:
// EOS, and the control tokens that end a turn, such as "<|im_end|>". The
// caller must not change the slice.
func (t *Tokenizer) EndTokens() []int32 { return t.ends }
