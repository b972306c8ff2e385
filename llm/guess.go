package llm

// guesser guesses what a sequence goes on with: with what came after its last
// two tokens where they stood together before (prompt lookup; Saxena 2023). A
// guess costs a part of what it saves where it is right, which is in quotes,
// edits and keys that repeat, and is thrown away where it is wrong: the model
// reads it in one step, and only tokens that the sampler draws too are kept. So
// the text is the same with and without guesses.
type guesser struct {
	tokens []int32
	after  map[[2]int32]int // of each pair of neighbours, where its last sequel stands in tokens

	length int // tokens the next guess may have
	misses int // guesses in a row of which nothing was right
	pause  int // tokens to be written before the next guess
}

// The tokens a guess has at first and at most, and the longest pause after
// misses.
const (
	firstGuess   = 4
	longestGuess = 16
	longestPause = 64
)

// newGuesser returns a guesser for a sequence that has begun with prompt.
// expected are tokens the caller thinks may come; they need not.
func newGuesser(expected, prompt []int32) *guesser {
	g := &guesser{after: map[[2]int32]int{}, length: firstGuess}
	for _, part := range [][]int32{expected, prompt} {
		for _, t := range part {
			g.add(t)
		}
	}
	return g
}

// add tells the guesser that the sequence has gone on with a token.
func (g *guesser) add(token int32) {
	if n := len(g.tokens); n >= 2 {
		g.after[[2]int32(g.tokens[n-2:])] = n
	}
	g.tokens = append(g.tokens, token)
	g.pause--
}

// guess returns up to most tokens the sequence may go on with. They are only
// lent.
func (g *guesser) guess(most int) []int32 {
	n := len(g.tokens)
	if n < 2 || g.pause > 0 {
		return nil
	}
	at, ok := g.after[[2]int32(g.tokens[n-2:])]
	if !ok {
		return nil
	}
	return g.tokens[at:min(n, at+min(g.length, most))]
}

// learn tells the guesser how many of the tokens it guessed were right. Good
// guesses are followed by longer ones, misses by longer and longer pauses.
func (g *guesser) learn(guessed, right int) {
	if right == 0 {
		g.misses = min(g.misses+1, 6)
		g.length = firstGuess
		g.pause = min(longestPause, 1<<g.misses)
		return
	}
	g.misses, g.length = 0, max(firstGuess, right)
	if right == guessed {
		g.length = min(longestGuess, 2*guessed)
	}
}
