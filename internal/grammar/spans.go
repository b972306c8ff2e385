package grammar

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Spans returns the language of all spans of some texts: what stands in one of
// them without a gap, at least a character and only whole ones. Bytes that are
// no valid UTF-8 belong to no span. Where a span comes from, Sources says.
func Spans(texts ...string) (*Grammar, error) {
	a := &suffixAutomaton{}
	a.reset()
	for _, text := range texts {
		// A span lies in one text, and in none that a wrong byte divides.
		for _, part := range validParts(text) {
			a.last = 0
			for i := range len(part) {
				a.extend(part[i])
			}
			if len(a.states) > maxStates-2 {
				return nil, &LimitError{What: "bytes of texts to quote, about", Limit: maxStates / 2}
			}
		}
	}
	if len(a.states) == 1 {
		return nil, errors.New("compile spans: the texts hold nothing to quote")
	}
	b := &builder{}
	g, err := b.grammar(b.rule("", a))
	if err != nil {
		return nil, err
	}
	g.sources = texts
	return g, nil
}

// Source is a place of a span.
type Source struct {
	Text       int // which of the texts given to Spans
	Start, End int // its bytes
}

// Sources returns every place of a span in the texts given to Spans, at most
// most of them, in order. A grammar of another kind has none.
func (g *Grammar) Sources(span string, most int) []Source {
	var found []Source
	if span == "" {
		return nil
	}
	for i, text := range g.sources {
		for at := 0; len(found) < most; at++ {
			n := strings.Index(text[at:], span)
			if n < 0 {
				break
			}
			at += n
			found = append(found, Source{i, at, at + len(span)})
		}
	}
	return found
}

// validParts cuts a text at bytes that are no valid UTF-8.
func validParts(text string) []string {
	if utf8.ValidString(text) {
		return []string{text}
	}
	return strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFF"), func(r rune) bool { return r == '\uFFFF' })
}

// suffixAutomaton is the smallest automaton of all substrings of some texts:
// Blumer, Blumer, Haussler, Ehrenfeucht, Chen and Seiferas 1985, built byte by
// byte, for several texts as in Blumer et al. 1987, section 3.
type suffixAutomaton struct {
	states []suffixState
	last   int32 // the state of the text so far
}

// suffixState is a set of substrings that occur at the same ends.
type suffixState struct {
	next   []suffixEdge
	link   int32 // of the longest suffix that occurs elsewhere too; -1 for the first state
	length int32 // of the longest substring
}

type suffixEdge struct {
	to   int32
	byte byte
}

func (a *suffixAutomaton) reset() { a.states = []suffixState{{link: -1}} }

// edge returns where a byte leads from a state, -1 if nowhere.
func (a *suffixAutomaton) edge(from int32, b byte) int32 {
	for _, e := range a.states[from].next {
		if e.byte == b {
			return e.to
		}
	}
	return -1
}

func (a *suffixAutomaton) setEdge(from int32, b byte, to int32) {
	next := a.states[from].next
	for i := range next {
		if next[i].byte == b {
			next[i].to = to
			return
		}
	}
	a.states[from].next = append(next, suffixEdge{to, b})
}

// extend appends a byte to the text so far.
func (a *suffixAutomaton) extend(b byte) {
	if to := a.edge(a.last, b); to >= 0 {
		// An earlier text has it already.
		if a.states[to].length != a.states[a.last].length+1 {
			to = a.split(a.last, b, to)
		}
		a.last = to
		return
	}
	added := int32(len(a.states))
	a.states = append(a.states, suffixState{length: a.states[a.last].length + 1})
	p := a.last
	for ; p >= 0 && a.edge(p, b) < 0; p = a.states[p].link {
		a.setEdge(p, b, added)
	}
	if p >= 0 {
		q := a.edge(p, b)
		if a.states[q].length != a.states[p].length+1 {
			q = a.split(p, b, q)
		}
		a.states[added].link = q
	}
	a.last = added
}

// split divides state q, reached from p with b, into its substrings that are
// longer than p's with b and the rest, which it returns.
func (a *suffixAutomaton) split(p int32, b byte, q int32) int32 {
	clone := int32(len(a.states))
	a.states = append(a.states, suffixState{
		next:   append([]suffixEdge(nil), a.states[q].next...),
		link:   a.states[q].link,
		length: a.states[p].length + 1,
	})
	a.states[q].link = clone
	for ; p >= 0 && a.edge(p, b) == q; p = a.states[p].link {
		a.setEdge(p, b, clone)
	}
	return clone
}

func (a *suffixAutomaton) weight() int { return min(len(a.states), maxStates) }

// emit leaves out the substrings that begin or end inside a character. Those
// of one state end alike; the first byte tells how they begin.
func (a *suffixAutomaton) emit(b *builder, from, to int32) {
	states := make([]int32, len(a.states))
	for s := range states {
		states[s] = b.state()
	}
	b.skip(from, states[0])
	ends := a.wholeEnds()
	for s := range a.states {
		for _, e := range a.states[s].next {
			if s > 0 || utf8.RuneStart(e.byte) {
				b.edge(states[s], e.byte, e.byte, states[e.to])
			}
		}
		if ends[s] {
			b.skip(states[s], to)
		}
	}
}

// wholeEnds marks the states whose substrings end with a whole character: no
// byte that may follow continues one. At the end of a text the last byte is
// always the last of a character.
func (a *suffixAutomaton) wholeEnds() []bool {
	ends := make([]bool, len(a.states))
	for s := 1; s < len(a.states); s++ {
		ends[s] = true
		for _, e := range a.states[s].next {
			if !utf8.RuneStart(e.byte) {
				ends[s] = false
			}
		}
	}
	return ends
}
