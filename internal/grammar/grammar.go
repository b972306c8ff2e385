package grammar

import (
	"sync"
)

// Grammar is a language of byte strings. It does not change and is safe for
// concurrent use.
type Grammar struct {
	program *program
	sources []string // of Spans
}

// newGrammar compiles the rules of b from root on.
func (b *builder) grammar(root call) (*Grammar, error) {
	p, err := b.compile(root)
	if err != nil {
		return nil, err
	}
	return &Grammar{program: p}, nil
}

// Matches reports whether a whole text is in the language. An error is a
// *LimitError: the grammar is too ambiguous to tell.
func (g *Grammar) Matches(text []byte) (bool, error) {
	m, err := newMachine(g.program)
	if err != nil {
		return false, err
	}
	c := m.start
	for _, b := range text {
		if c, err = m.step(c, m.class[b]); err != nil {
			return false, err
		}
		if c == dead {
			return false, nil
		}
	}
	return c.complete, nil
}

// For prepares a grammar for a vocabulary. What it works out, it remembers for
// all its matchers.
func (g *Grammar) For(v *Vocabulary) (*Compiled, error) {
	m, err := newMachine(g.program)
	if err != nil {
		return nil, err
	}
	return &Compiled{vocabulary: v, machine: m, path: make([]*config, v.all.depth+1)}, nil
}

// Compiled is a grammar over a vocabulary. It is safe for concurrent use.
type Compiled struct {
	vocabulary *Vocabulary

	mu      sync.Mutex // guards the rest
	machine *machine
	path    []*config // of a walk over a trie, by depth
	found   []int32   // tokens of a walk

	masked    []*config // that remember a mask
	maskBytes int       // of those masks

	search   uint64 // counts the calls of nexts
	exitWork int    // tokens looked at by one search for an exit
}

// NewMatcher returns a matcher that has read nothing.
func (c *Compiled) NewMatcher() *Matcher {
	return &Matcher{compiled: c, at: c.machine.start}
}
