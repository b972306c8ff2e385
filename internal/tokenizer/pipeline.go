package tokenizer

// pipeline cuts a text into words and gives each to a model.
type pipeline struct {
	steps []step
	words wordModel
}

// wordModel appends a word's pieces to s.pieces.
type wordModel interface {
	word(s *scratch, w aligned)
}

// step is a pre-tokeniser: it passes the words of a text on to next.
type step interface {
	cut(s *scratch, a aligned, next stage)
}

// stage is what is left to do in a pipeline.
type stage struct {
	p     *pipeline
	level int
}

func (p *pipeline) encode(s *scratch, a aligned) { stage{p, 0}.run(s, a) }

func (g stage) run(s *scratch, a aligned) {
	switch {
	case a.text == "":
	case g.level == len(g.p.steps):
		g.p.words.word(s, a)
	default:
		g.p.steps[g.level].cut(s, a, stage{g.p, g.level + 1})
	}
}

// cut applies a scanner.
func (c splitter) cut(s *scratch, a aligned, next stage) {
	for i := 0; i < len(a.text); {
		n := c(a.text[i:])
		next.run(s, a.part(i, i+n))
		i += n
	}
}

// behavior is what becomes of the matches of a pattern that splits.
type behavior int

const (
	isolated     behavior = iota // a word each
	removed                      // dropped
	withPrevious                 // part of the word before
	withNext                     // part of the word after
	contiguous                   // adjacent ones are one word
)

var behaviors = map[string]behavior{
	"Isolated": isolated, "Removed": removed, "Contiguous": contiguous,
	"MergedWithPrevious": withPrevious, "MergedWithNext": withNext,
}

// split is a pattern whose matches are the separators, or with invert the
// words.
type split struct {
	find     finder
	behavior behavior
	invert   bool
}

// stretch is a part of a text that a pattern matches or does not.
type stretch struct {
	start, end int
	match      bool
}

func (c *split) cut(s *scratch, a aligned, next stage) {
	bottom := len(s.stretches)
	c.stretches(s, a.text)
	top := len(s.stretches)
	// The steps after this one use the same stack, above top.
	for i := bottom; i < top; i++ {
		t := s.stretches[i]
		next.run(s, a.part(t.start, t.end))
	}
	s.stretches = s.stretches[:bottom]
}

// stretches pushes the words of a text on s.stretches.
func (c *split) stretches(s *scratch, text string) {
	bottom := len(s.stretches)
	push := func(start, end int, match bool) {
		if start < end {
			s.stretches = append(s.stretches, stretch{start, end, match != c.invert})
		}
	}
	at := 0
	for at < len(text) {
		start, end := c.find(text, at)
		push(at, start, false)
		push(start, end, true)
		at = max(end, start)
		if start == end {
			push(start, len(text), false)
			break
		}
	}
	all := s.stretches[bottom:]
	s.stretches = s.stretches[:bottom+c.behavior.merge(all)]
}

// merge puts stretches together in place and returns how many are left.
func (b behavior) merge(all []stretch) int {
	n := 0
	previous := false // whether the stretch before was a match, and stayed one
	for i, t := range all {
		joins := false
		switch b {
		case removed:
			if t.match {
				continue
			}
		case contiguous:
			joins = i > 0 && t.match == previous
			previous = t.match
		case withPrevious:
			joins = i > 0 && t.match && !previous
			previous = t.match
		case withNext:
			// A match joins what follows unless that is a match too; of an odd
			// number in a row it is the last, as when folding from the right.
			joins = previous
			previous = t.match && i+1 < len(all) && !all[i+1].match
		}
		if joins {
			all[n-1].end = t.end
			continue
		}
		all[n] = t
		n++
	}
	return n
}

// metaspace spells spaces as a visible character, by habit "▁", puts one
// before a text, and cuts before each.
type metaspace struct {
	space string
	begin prefixWhere
	whole bool // do not cut
}

// prefixWhere says which parts of a text get a space before them, where they
// have none.
type prefixWhere int

const (
	nowhere    prefixWhere = iota
	everywhere             // each part between added tokens
	atStart                // only the part that starts the text
)

func (m *metaspace) cut(s *scratch, a aligned, next stage) {
	a = replace{findString(" "), m.space}.normalize(a)
	starts := len(a.text) >= len(m.space) && a.text[:len(m.space)] == m.space
	if !starts && (m.begin == everywhere || m.begin == atStart && a.start() == 0) {
		a = prepend(m.space).normalize(a)
	}
	if m.whole {
		next.run(s, a)
		return
	}
	(&split{find: findString(m.space), behavior: withNext}).cut(s, a, next)
}

// leadingSpace puts a space before a text that does not start with one.
type leadingSpace struct{}

func (leadingSpace) cut(s *scratch, a aligned, next stage) {
	if a.text[0] != ' ' {
		a = prepend(" ").normalize(a)
	}
	next.run(s, a)
}

// spelled is a pre-tokeniser that sees bytes spelled as characters, because it
// comes after ByteLevel.
type spelled struct{ step }

func (c spelled) cut(s *scratch, a aligned, next stage) {
	// The inner pipeline works on the spelling, whose every character has the
	// offset of its byte in a.text as its source.
	w := rewrite(aligned{text: a.text})
	for i := range len(a.text) {
		w.text = append(w.text, string(byteSpelling[a.text[i]])...)
		for len(w.from) < len(w.text) {
			w.from = append(w.from, source{i, i + 1})
		}
	}
	back := unspelled{a, next}
	inner := pipeline{words: back}
	c.step.cut(s, w.done(), stage{&inner, 0})
}

// unspelled passes the bytes of a spelled word on.
type unspelled struct {
	a    aligned
	next stage
}

func (u unspelled) word(s *scratch, w aligned) {
	next := u.next
	next.run(s, u.a.part(w.start(), w.end()))
}
