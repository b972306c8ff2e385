package llm

// guesser guesses what a sequence goes on with: with what came after its last
// tokens where they stood together before (prompt lookup; Saxena 2023). The
// model reads a guess in one step, and only tokens that the sampler draws too
// are kept, so the text is the same with and without guesses.
//
// A step of two tokens takes a seventh more than one of one token, and then every
// further token takes a third of a step of its own: the processor is busy by then,
// where one token waits for memory. So a guess is made as long as its
// last token is likelier right than wrong. How likely that is depends on how many
// tokens before it were alike, and on whether the same place brought something new
// when it came before, as the values between the keys of JSON objects do. It is
// learned of each sequence.
type guesser struct {
	tokens  []int32
	last    map[[2]int32]int // of each pair of neighbours, where its last sequel stands in tokens
	earlier []int            // of each token, the sequel before it of the same pair; 0 for none
	fresh   []bool           // of each token, whether it broke a repetition
	trust   [3][2]trust      // in guesses after few, some and many tokens alike, of a token that was not fresh and of one that was

	track  int // where the repetition goes on that the sequence is in
	astray int // tokens since it last was the same there; 0 outside of one as well

	made  []int32 // the last guess
	from  []int   // where its tokens stand
	alike int     // tokens before it that were alike
	pause int     // tokens written since
}

const (
	longestGuess = 15   // with the token before it two tiles of the kernels
	someAlike    = 4    // tokens that make a repetition
	longestAlike = 32   // tokens compared to find the best source of a guess
	mostSources  = 8    // sources compared
	worthAStep   = 0.15 // chance at which a first guess pays
	worthARow    = 0.5  // and further ones
	mostAstray   = 3    // tokens in a row by which a repetition may differ
	longestPause = 24   // tokens after which an unlikely guess is tried nevertheless
)

// trust is how often guesses were right.
type trust struct{ right, tried float64 }

// startingTrust counts as so many guesses.
var startingTrust = [3][2]trust{{{2.4, 4}, {1, 4}}, {{3.2, 4}, {1, 4}}, {{3.8, 4}, {1, 4}}}

// trusted is the trust in the token of a source, with so many alike before it.
func (g *guesser) trusted(source, alike int) *trust {
	t := &g.trust[min(alike/someAlike, len(g.trust)-1)]
	if g.fresh[source] {
		return &t[1]
	}
	return &t[0]
}

// newGuesser returns a guesser for a sequence that has begun with prompt.
// expected are tokens the caller thinks may come; they need not.
func newGuesser(expected, prompt []int32) *guesser {
	g := &guesser{last: map[[2]int32]int{}, trust: startingTrust}
	for _, part := range [][]int32{expected, prompt} {
		for _, t := range part {
			g.add(t)
		}
	}
	return g
}

// add tells the guesser that the sequence has gone on with a token.
func (g *guesser) add(token int32) {
	earlier, fresh := 0, false
	if n := len(g.tokens); n >= 2 {
		at, alike := g.source()
		fresh = alike >= someAlike && g.tokens[at] != token
		if at != 0 {
			g.follow(at, alike, token)
		}
		pair := [2]int32(g.tokens[n-2:])
		earlier = g.last[pair]
		g.last[pair] = n
	}
	g.tokens, g.earlier, g.fresh = append(g.tokens, token), append(g.earlier, earlier), append(g.fresh, fresh)
	g.pause++
}

// follow notes where a repetition goes on, with alike tokens before, when the
// sequence has a token there in which it may differ: as one object has another's
// keys around values of its own.
func (g *guesser) follow(at, alike int, token int32) {
	g.track = at + 1
	switch {
	case g.tokens[at] == token:
		g.astray = 0
	case g.astray > 0 && g.astray < mostAstray, alike >= someAlike:
		g.astray++
	default:
		g.astray = 0
	}
}

// guess returns up to most tokens the sequence may go on with. They are only
// lent.
func (g *guesser) guess(most int) []int32 {
	at, alike := g.source()
	if at == 0 || most < 1 {
		return nil
	}
	g.from = g.from[:0]
	chance := 1.0
	for length := range min(most, longestGuess) {
		source := at + length%(len(g.tokens)-at) // what repeats goes on repeating
		t := g.trusted(source, alike+length)
		chance *= t.right / t.tried
		if chance < worthARow && (length > 0 || chance < worthAStep && g.pause < longestPause) {
			break
		}
		g.from = append(g.from, source)
	}
	if len(g.from) == 0 {
		return nil
	}
	g.made = g.made[:0]
	for _, source := range g.from {
		g.made = append(g.made, g.tokens[source])
	}
	g.alike, g.pause = alike, 0
	return g.made
}

// source returns where the tokens stand that a guess begins with, and how many
// before them are those the sequence ends with; or 0. Of the last places that
// have the same pair before them the one with most alike counts; if there is
// none, a repetition that was left some tokens ago goes on behind as many.
func (g *guesser) source() (at, alike int) {
	n := len(g.tokens)
	if n < 2 {
		return 0, 0
	}
	from := g.last[[2]int32(g.tokens[n-2:])]
	for range mostSources {
		if from == 0 {
			break
		}
		same := 2
		for same < min(from, longestAlike) && g.tokens[from-1-same] == g.tokens[n-1-same] {
			same++
		}
		if same > alike {
			at, alike = from, same
		}
		from = g.earlier[from]
	}
	if at == 0 && g.astray > 0 {
		return g.track, 0
	}
	return at, alike
}

// learn tells the guesser how many tokens of its last guess were right.
func (g *guesser) learn(right int) {
	for i, source := range g.from[:min(right+1, len(g.from))] {
		t := g.trusted(source, g.alike+i)
		if t.tried >= 64 { // what is long ago counts less
			t.right, t.tried = t.right/2, t.tried/2
		}
		t.tried++
		if i < right {
			t.right++
		}
	}
}
