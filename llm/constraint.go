package llm

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/ragstone/ragstone/internal/grammar"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// Constraint is a language that a completion has to be in: what is generated
// can always be completed to a text of it, is one where it ends before its cap,
// and is one at the cap too if there was room for any. It does not change; a
// server that gets the same schema again and again may make a Constraint each
// time, a model recognises it.
type Constraint struct {
	grammar *grammar.Grammar
	build   func() (*grammar.Grammar, error) // where it is not built yet
	key     [sha256.Size]byte                // equal for equal languages
	trigger string                           // text after which it holds; "": from the start
	format  json.RawMessage                  // what an upstream is asked for; nil: it cannot be
}

// ConstrainSchema returns the JSON texts that satisfy a JSON Schema, with the
// properties in the schema's order. A keyword that cannot be enforced is an
// error that names it.
func ConstrainSchema(schema []byte) (*Constraint, error) {
	g, err := grammar.CompileSchema(schema)
	c, err := newConstraint(g, err, "schema", string(schema))
	if err != nil {
		return nil, err
	}
	c.format = fmt.Appendf(nil, `{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":%s}}`, schema)
	return c, nil
}

// ConstrainJSON returns the JSON objects.
func ConstrainJSON() *Constraint {
	c, _ := newConstraint(grammar.JSONObject(), nil, "json")
	c.format = json.RawMessage(`{"type":"json_object"}`)
	return c
}

// ConstrainRegex returns the texts that match an expression as a whole, in the
// syntax of package regexp.
func ConstrainRegex(pattern string) (*Constraint, error) {
	g, err := grammar.CompileRegex(pattern)
	return newConstraint(g, err, "regex", pattern)
}

// ConstrainGrammar returns the language of a grammar in llama.cpp's notation,
// GBNF.
func ConstrainGrammar(gbnf string) (*Constraint, error) {
	g, err := grammar.ParseGBNF(gbnf)
	return newConstraint(g, err, "gbnf", gbnf)
}

// ConstrainChoice returns the texts given.
func ConstrainChoice(texts ...string) (*Constraint, error) {
	g, err := grammar.Choice(texts...)
	return newConstraint(g, err, append([]string{"choice"}, texts...)...)
}

// ConstrainSpans returns what stands word for word in one of the texts given.
// Sources tells where a completion stands.
func ConstrainSpans(texts ...string) (*Constraint, error) {
	g, err := grammar.Spans(texts...)
	return newConstraint(g, err, append([]string{"spans"}, texts...)...)
}

// newConstraint keeps a compiled language with a key made of its source.
func newConstraint(g *grammar.Grammar, err error, source ...string) (*Constraint, error) {
	if err != nil {
		return nil, &InvalidError{"Constraint", err.Error()}
	}
	hash := sha256.New()
	for _, part := range source {
		sum := sha256.Sum256([]byte(part))
		hash.Write(sum[:])
	}
	return &Constraint{grammar: g, key: [sha256.Size]byte(hash.Sum(nil))}, nil
}

// Source is a place in one of the texts of ConstrainSpans.
type Source struct {
	Text       int // which of them, from 0
	Start, End int // bytes
}

// Sources returns up to most places where a completion stands.
func (c *Constraint) Sources(completion string, most int) []Source {
	var sources []Source
	for _, s := range c.grammar.Sources(completion, most) {
		sources = append(sources, Source(s))
	}
	return sources
}

// languages compiles constraints for one vocabulary and remembers the latest.
type languages struct {
	words func() *grammar.Vocabulary

	mu       sync.Mutex // guards the rest
	compiled map[[sha256.Size]byte]*grammar.Compiled
	order    [][sha256.Size]byte // oldest first
}

// keptLanguages is how many constraints a model remembers.
const keptLanguages = 64

// newLanguages returns the languages of a vocabulary. Of marks, which are control
// tokens, the text is what it says, not nothing.
func newLanguages(v vocabulary, marks map[int32][]byte) *languages {
	bytes := func(id int32) []byte {
		if text, ok := marks[id]; ok {
			return text
		}
		return v.TokenBytes(id)
	}
	return &languages{
		words: sync.OnceValue(func() *grammar.Vocabulary {
			return grammar.NewVocabulary(v.Size(), bytes, func(text string) []int32 {
				return v.Encode(text, tokenizer.Options{Special: len(marks) > 0})
			})
		}),
		compiled: map[[sha256.Size]byte]*grammar.Compiled{},
	}
}

// compile returns a constraint over the vocabulary.
func (s *languages) compile(c *Constraint) (*grammar.Compiled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if compiled, ok := s.compiled[c.key]; ok {
		return compiled, nil
	}
	g, err := c.language()
	if err != nil {
		return nil, err
	}
	compiled, err := g.For(s.words())
	if err != nil {
		return nil, &InvalidError{"Constraint", err.Error()}
	}
	if len(s.order) == keptLanguages {
		delete(s.compiled, s.order[0])
		s.order = s.order[1:]
	}
	s.compiled[c.key], s.order = compiled, append(s.order, c.key)
	return compiled, nil
}

// language returns the grammar, which it builds if need be.
func (c *Constraint) language() (*grammar.Grammar, error) {
	if c.grammar != nil {
		return c.grammar, nil
	}
	g, err := c.build()
	if err != nil {
		return nil, &InvalidError{"Tools", err.Error()}
	}
	return g, nil
}

// guide holds one choice to a constraint.
type guide struct {
	compiled *grammar.Compiled
	matcher  *grammar.Matcher // nil where the text is free
	trigger  string           // what ends the freedom
	seen     string           // the end of the free text, where a trigger may have begun
	mask     grammar.Bitset
}

func newGuide(compiled *grammar.Compiled, trigger string, size int) *guide {
	g := &guide{compiled: compiled, trigger: trigger, mask: grammar.NewBitset(size)}
	if trigger == "" {
		g.matcher = compiled.NewMatcher()
	}
	return g
}

// allowed returns the tokens that may come next, nil for all, and whether the
// text may end; room is the tokens that may still be written.
func (g *guide) allowed(room int) (mask grammar.Bitset, end bool, err error) {
	if g.matcher == nil {
		return nil, true, nil
	}
	if err := g.matcher.Mask(g.mask, room); err != nil {
		return nil, false, &InvalidError{"Constraint", err.Error()}
	}
	return g.mask, g.matcher.Complete(), nil
}

// narrowed reports whether the room has left out some of what is allowed.
func (g *guide) narrowed() bool { return g.matcher != nil && g.matcher.Narrowed() }

// forced returns tokens that have to come next, none where there is a choice.
func (g *guide) forced(room int) []int32 {
	if g.matcher == nil {
		return nil
	}
	return g.matcher.Forced(room)
}

// accept reads a token and reports whether nothing can follow it.
func (g *guide) accept(token int32, text []byte) (done bool, err error) {
	if g.matcher == nil {
		g.watch(string(text))
		return false, nil
	}
	if err := g.matcher.Accept(token); err != nil {
		return false, &InvalidError{"Constraint", err.Error()}
	}
	if !g.matcher.Done() {
		return false, nil
	}
	if g.trigger == "" {
		return true, nil
	}
	g.matcher, g.seen = nil, "" // free again
	return false, nil
}

// watch looks for the trigger in free text. What the token that completes it
// has beyond it must fit the language; else the text stays free.
func (g *guide) watch(text string) {
	g.seen += text
	at := strings.Index(g.seen, g.trigger)
	if at < 0 {
		g.seen = g.seen[max(0, len(g.seen)-len(g.trigger)+1):]
		return
	}
	rest := g.seen[at+len(g.trigger):]
	g.seen = rest
	// A language of calls begins with the trigger, unless it is only what divides
	// them from text.
	for _, begun := range []string{g.trigger + rest, rest} {
		if m := g.compiled.NewMatcher(); m.AcceptBytes([]byte(begun)) == nil {
			g.matcher = m
			return
		}
	}
}
