// Package grammar says which tokens a language model may write next, so that
// what it writes satisfies a JSON Schema, a regular expression, a grammar in
// GBNF, a list of choices, or stands word for word in given texts.
//
//	g, err := grammar.CompileSchema(schema)
//	…
//	compiled, err := g.For(vocabulary) // once for a grammar and a vocabulary
//	m := compiled.NewMatcher()         // once for a text
//	for !m.Done() {
//		err := m.Mask(mask, room)
//		… // draw a token of the mask
//		err = m.Accept(token)
//	}
//
// # Terms
//
// A grammar is a language of byte strings; every front end ends there, JSON
// and Unicode are spelled out byte by byte, so that tokens may end anywhere,
// also within a character. A matcher follows one text. A mask is the set of
// tokens that may follow it: exactly those after which the text is the
// beginning of one in the language. A forced run is what has to follow, without
// a choice. Room is the number of tokens that may still be written, and an
// exit a way to a complete text.
//
// # How it works
//
// A front end writes its language as an [expr], a tree of literals, byte
// ranges, repetitions and calls of rules. That becomes a program: a
// non-deterministic pushdown automaton, each rule a fragment with one start
// and one end, which others call. Patterns, formats, lengths and bounds of
// numbers are first made into deterministic automata over characters, where
// they can be intersected.
//
// A machine runs the program. The set of states it may be in, each with the
// calls it was reached through, is a config; configs are made when they are
// first reached, kept, and remember where each byte leads. So the automaton is
// made deterministic while it runs, as regular expression engines do, and
// most steps are one look into a table. Stacks of calls share what they have
// in common (Tomita 1987), which keeps ambiguity from multiplying them.
//
// A mask is a walk over the trie of the vocabulary's bytes, below every node
// only as far as the automaton goes, and is kept with its config. Inside a
// string nearly all tokens may follow; there the tokens of plain text, sorted
// out when the vocabulary was laid out, are taken as a whole, and the walk is
// over the others. The ideas are those of llguidance and of XGrammar (Dong et
// al. 2024), the lazy automaton is RE2's.
//
// Every state knows its shortest exit in bytes. As long as there is room for
// that, a mask is just that; only near the end are exits counted in tokens,
// and tokens that lead too far away left out.
//
// # Promises
//
// A text that a matcher has accepted can be completed, and is in the language
// where Complete says so. If there was room for a complete text at the start,
// and there was never less than one token less for each token accepted, then
// there is a complete text within the room, and masks lead to one.
//
// Hostile grammars are errors: sizes, depths, states and the work for one mask
// are bounded, and a bound that is passed is a [LimitError]. A [Grammar], a
// [Vocabulary] and a [Compiled] are safe for concurrent use; a [Matcher] is
// for one goroutine at a time.
//
// # Left out
//
// Lookaround, back references and word boundaries in expressions, left
// recursion, Lark grammars, and of JSON Schema what [CompileSchema] does not
// list. Texts are only judged as they are written: to repair one is nobody's
// job here.
package grammar
