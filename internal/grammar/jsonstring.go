package grammar

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"
)

// stringText is the set of the JSON strings whose characters an automaton
// accepts. Characters stand for themselves, except those that JSON wants
// escaped; where any character may stand, any escape may.
type stringText struct {
	*runeDFA
	t *jsonText
}

func (s stringText) weight() int { return min(2*len(s.next)+2, maxStates) }

func (s stringText) emit(b *builder, from, to int32) {
	first, last := b.state(), b.state()
	b.edge(from, '"', '"', first)
	b.edge(last, '"', '"', to)
	before := int32(len(b.states))
	s.embed(b, first, last, s.t.addChars)
	if b.err != nil {
		return
	}
	runs, rises := s.plainRuns(), s.plainRises()
	for i := range s.next {
		state := &b.states[before+int32(i)]
		state.plain, state.plainRise = runs[i], rises[i]
		state.plainLoop = runs[i] == plainForever
		s.eachPlain(i, func(to int32, _ span) { state.plainLoop = state.plainLoop && to == int32(i) })
	}
}

// addChars adds the characters of a string that lead from one state to
// another. Only single bytes are edges; for the others, and for those that are
// escaped, each set is a rule, since few differ from state to state.
func (t *jsonText) addChars(from int32, spans []span, to int32) {
	for _, s := range intersect(spans, []span{{' ', '!'}, {'#', '['}, {']', 0x7F}}) {
		t.edge(from, byte(s.lo), byte(s.hi), to)
	}
	if wide := intersect(spans, wideSpans); len(wide) > 0 {
		t.call(from, t.chars(wide, func() expr { return runes(wide) }), to)
	}
	switch escaped := intersect(spans, escapedSpans); {
	case allChars(spans):
		t.call(from, t.chars(spans, anyEscape), to)
	case len(escaped) > 0:
		t.call(from, t.chars(escaped, func() expr { return escapes(escaped) }), to)
	}
}

// Characters of more than one byte, and those that have to be escaped.
var (
	wideSpans    = []span{{0x80, surrogateMin - 1}, {surrogateMax + 1, utf8.MaxRune}}
	escapedSpans = []span{{0, ' ' - 1}, {'"', '"'}, {'\\', '\\'}}
)

// chars returns the rule of a set of characters, made when it is first needed.
func (t *jsonText) chars(spans []span, make func() expr) int32 {
	var key []byte
	for _, s := range spans {
		key = binary.LittleEndian.AppendUint32(key, uint32(s.lo))
		key = binary.LittleEndian.AppendUint32(key, uint32(s.hi))
	}
	rule, known := t.char[string(key)]
	if !known {
		rule = t.rule("character", make())
		t.char[string(key)] = rule
	}
	return int32(rule)
}

// escapes is some characters, escaped.
func escapes(spans []span) expr {
	var all either
	for _, s := range spans {
		for r := s.lo; r <= s.hi; r++ {
			all = append(all, literal(escape(r)))
		}
	}
	return all
}

// anyEscape is any character, escaped in any way.
func anyEscape() expr {
	e := either{sequence{literal(`\u`), escapeDigits()}}
	for _, c := range `"\/bfnrt` {
		e = append(e, literal(`\`+string(c)))
	}
	return e
}

// escapeDigits is the four digits of any character's escape, or those of a
// high surrogate with the escape of a low one.
func escapeDigits() expr {
	hex := either{digit, byteRange{'a', 'f'}, byteRange{'A', 'F'}}
	d := either{literal("d"), literal("D")}
	return either{
		sequence{either{digit, byteRange{'a', 'c'}, byteRange{'A', 'C'}, byteRange{'e', 'f'}, byteRange{'E', 'F'}}, hex, hex, hex},
		sequence{d, byteRange{'0', '7'}, hex, hex},
		sequence{d, either{digit89, byteRange{'a', 'b'}, byteRange{'A', 'B'}}, hex, hex, literal(`\u`), d,
			either{byteRange{'c', 'f'}, byteRange{'C', 'F'}}, hex, hex},
	}
}

var digit89 = byteRange{'8', '9'}

// plainRuns returns for each state how many plain characters may follow
// whatever they are; see program.plain.
func (d *runeDFA) plainRuns() []uint8 {
	runs := make([]uint8, len(d.next))
	var todo []int32
	for s := range d.next {
		plain := 0
		d.eachPlain(s, func(_ int32, part span) { plain += int(part.hi-part.lo) + 1 })
		runs[s] = plainForever
		if plain < plainCount {
			runs[s] = 0
			todo = append(todo, int32(s))
		}
	}
	back := d.plainBack()
	for at := 0; at < len(todo); at++ { // in the order of their runs
		s := todo[at]
		for _, from := range back[s] {
			if runs[from] == plainForever {
				runs[from] = min(runs[s]+1, plainForever-1)
				todo = append(todo, from)
			}
		}
	}
	return runs
}

// plainRises returns for each state by how many bytes plain characters may
// lead away from the end of the string; see program.plainRise.
func (d *runeDFA) plainRises() []int32 {
	exits := d.exits()
	order := make([]int32, len(exits))
	for s := range order {
		order[s] = int32(s)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(exits[b], exits[a]) })
	rises := make([]int32, len(exits))
	for s := range rises {
		rises[s] = notMeasured
	}
	back := d.plainBack()
	for _, far := range order { // all that lead here and nowhere farther
		todo := []int32{far}
		for len(todo) > 0 {
			s := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if rises[s] == notMeasured {
				rises[s] = exits[far] - exits[s]
				todo = append(todo, back[s]...)
			}
		}
	}
	return rises
}

// exits returns for each state the fewest bytes to one that accepts, as they
// are written in a JSON string.
func (d *runeDFA) exits() []int32 {
	exits := make([]int32, len(d.next))
	var todo []int32
	for s, accept := range d.accept {
		exits[s] = math.MaxInt32
		if accept {
			exits[s] = 0
			todo = append(todo, int32(s))
		}
	}
	type backEdge struct{ from, bytes int32 }
	back := make([][]backEdge, len(d.next))
	for s, row := range d.next {
		targets, spans := d.targets(row)
		for i, to := range targets {
			back[to] = append(back[to], backEdge{int32(s), shortest(spans[i])})
		}
	}
	for len(todo) > 0 { // few edges have more than one byte: nearly in order
		s := todo[0]
		todo = todo[1:]
		for _, e := range back[s] {
			if exits[s]+e.bytes < exits[e.from] {
				exits[e.from] = exits[s] + e.bytes
				todo = append(todo, e.from)
			}
		}
	}
	return exits
}

// shortest returns the fewest bytes that one of some characters takes in a
// JSON string.
func shortest(spans []span) int32 {
	best := int32(math.MaxInt32)
	for _, s := range intersect(spans, plainSpans) {
		best = min(best, int32(utf8.RuneLen(s.lo)))
	}
	for r, text := range shortEscapes {
		if best > 2 && contains(spans, r) {
			best = int32(len(text))
		}
	}
	return min(best, 6)
}

func contains(spans []span, r rune) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.lo <= r && r <= s.hi })
}

// eachPlain calls visit for the plain characters that lead from a state
// somewhere.
func (d *runeDFA) eachPlain(s int, visit func(to int32, part span)) {
	targets, spans := d.targets(d.next[s])
	for i, to := range targets {
		for _, part := range intersect(spans[i], plainSpans) {
			visit(to, part)
		}
	}
}

// plainBack returns for each state those from which a plain character leads
// there.
func (d *runeDFA) plainBack() [][]int32 {
	back := make([][]int32, len(d.next))
	for s := range d.next {
		d.eachPlain(s, func(to int32, _ span) {
			if n := len(back[to]); n == 0 || back[to][n-1] != int32(s) {
				back[to] = append(back[to], int32(s))
			}
		})
	}
	return back
}

// plainSpans are the characters of isPlain, plainCount how many they are.
var (
	plainSpans = []span{{' ', '!'}, {'#', '['}, {']', surrogateMin - 1}, {surrogateMax + 1, 0x10FFFF}}
	plainCount = 0x110000 - 0x800 - 0x20 - 2
)
