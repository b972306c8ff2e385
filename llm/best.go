package llm

import (
	"cmp"
	"slices"
)

// contest holds the choices of a request with BestOf back until all of them
// have ended, and then tells the likeliest.
type contest struct{ entrants []entrant }

// entrant is one choice.
type entrant struct {
	gathering
	logProb float64 // of its tokens together
	tokens  int
}

func newContest(n int) *contest { return &contest{make([]entrant, n)} }

// take adds a piece to its choice.
func (c *contest) take(d Delta) { c.entrants[d.Index].add(d) }

// weigh counts the log-probability of a choice's next token.
func (c *contest) weigh(index int, logits []float32, id int32) error {
	norm, err := logSumExp(logits)
	e := &c.entrants[index]
	e.logProb += float64(logits[id]) - norm
	e.tokens++
	return err
}

// winners returns the n choices whose tokens were likeliest in the mean, best
// first, numbered anew.
func (c *contest) winners(n int) []Delta {
	slices.SortStableFunc(c.entrants, func(a, b entrant) int { return cmp.Compare(b.mean(), a.mean()) })
	winners := make([]Delta, n)
	for i := range winners {
		winners[i] = c.entrants[i].delta(i)
	}
	return winners
}

// mean is the log-probability of a token in the mean; that of an empty choice
// is 0, as certain as it gets.
func (e entrant) mean() float64 { return e.logProb / float64(max(1, e.tokens)) }
