package llm

import "slices"

// choice is the strand that writes one choice.
type choice struct {
	feed
	g       *generation
	index   int
	sampler *sampler
	text    textStream
	pending []pendingToken // not shown yet
	written []int32
	ended   bool
	hurried bool // the cap has kept it from tokens that its constraint allows

	parts   *parts   // nil: the answer is all text
	guide   *guide   // nil for free text
	guesser *guesser // nil where nothing is guessed
	guessed int      // tokens of todo that are guessed, and
	right   int      // how many of them have come true
	valid   int      // tokens of the cache that the sequence really has
}

// pendingToken is a token for Delta.Tokens and the bytes of the text it spans.
type pendingToken struct {
	token      TokenLogProb
	start, end int
}

func newChoice(g *generation, index int) *choice {
	c := &choice{
		g:       g,
		index:   index,
		sampler: newSampler(g.req, g.prompt, g.seed, index),
		text:    newTextStream(g.req.Stop),
		valid:   len(g.prompt),
	}
	if g.guesses {
		c.guesser = newGuesser(g.expected, g.prompt)
	}
	if g.guide != nil {
		c.guide = newGuide(g.guide, g.constraint.trigger, g.vocabulary.Size())
	}
	if g.dialect != nil {
		c.parts = newParts(g)
	}
	return c
}

func (c *choice) streams() bool { return true }

// wants reports whether todo[i] is the last token written or a guess: what
// follows the tokens before is known.
func (c *choice) wants(i int) bool { return c.cache.Len()+i >= c.lastAt() }

// lastAt is where the last token written stands in the sequence.
func (c *choice) lastAt() int { return len(c.g.prompt) + len(c.written) - 1 }

// read draws what follows todo[i]. If todo goes on otherwise, what is left of
// it was guessed wrong: it is dropped, and the logits after it are not looked
// at.
func (c *choice) read(i int, logits []float32, w *scratch) error {
	if c.ended || i >= len(c.todo) {
		return nil
	}
	at := c.cache.Len() - c.part + i
	c.valid = at + 1
	if at < c.lastAt() {
		return nil // a guess that has come true with the one before it
	}
	before := len(c.written)
	if err := c.draw(logits, w); err != nil {
		return err
	}
	c.compare(i, c.written[before:])
	return nil
}

// compare drops what todo guesses wrong after its i-th token.
func (c *choice) compare(i int, written []int32) {
	if c.guessed == 0 {
		return
	}
	guesses := c.todo[i+1:]
	right := commonPrefix(guesses, written)
	c.right += right
	c.g.usage.GuessedRight += right
	if !c.ended && right == len(written) && right < len(guesses) {
		return // on the right track
	}
	c.todo = c.todo[:i+1+right]
	c.guesser.learn(c.right)
	c.guessed, c.right = 0, 0
}

// draw takes the next token and those that then have to follow, and shows what
// text they set free.
func (c *choice) draw(logits []float32, w *scratch) error {
	if len(c.written) == 0 {
		if err := c.force(); err != nil || len(c.written) > 0 {
			return err
		}
	}
	var allowed allowance
	if c.guide != nil {
		mask, end, err := c.guide.allowed(c.room())
		if err != nil {
			return err
		}
		allowed = allowance{mask, end, c.g.ends}
		c.hurried = c.hurried || c.guide.narrowed()
	}
	id, err := c.sampler.next(logits, allowed, w)
	if err != nil {
		return err
	}
	if c.g.ends[id] {
		c.finish(c.text.flush(), FinishStop)
		return nil
	}
	if err := c.weigh(id, logits); err != nil {
		return err
	}
	if err := c.write(id); err != nil {
		return err
	}
	return c.force()
}

// room is how many tokens may still be written.
func (c *choice) room() int { return c.g.most - len(c.written) }

// force writes the tokens that the constraint leaves no choice about. Where
// their probabilities are wanted, they are drawn like all others.
func (c *choice) force() error {
	if c.guide == nil || c.g.req.LogProbs || c.g.best != nil {
		return nil
	}
	for !c.ended {
		forced := c.guide.forced(c.room())
		if len(forced) == 0 {
			return nil
		}
		for _, id := range forced {
			if c.ended {
				break
			}
			if err := c.write(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// weigh notes a token's probability where it is wanted.
func (c *choice) weigh(id int32, logits []float32) error {
	if c.g.best != nil {
		if err := c.g.best.weigh(c.index, logits, id); err != nil {
			return err
		}
	}
	return c.remember(id, logits)
}

// write adds a token to the text and shows what it sets free.
func (c *choice) write(id int32) error {
	c.written = append(c.written, id)
	c.sampler.saw(id)
	if c.guesser != nil {
		c.guesser.add(id)
	}
	c.g.usage.CompletionTokens++
	bytes := c.g.bytes(id)
	done := false
	if c.guide != nil {
		var err error
		if done, err = c.guide.accept(id, bytes); err != nil {
			return err
		}
	}
	text := c.text.write(bytes)
	switch {
	case c.text.stopped:
		c.finish(text, FinishStop)
	case done:
		c.finish(text+c.text.flush(), FinishStop)
	case c.room() == 0:
		c.finish(text+c.text.flush(), FinishLength)
	default:
		c.show(Delta{Text: text})
	}
	return nil
}

// remember queues the token's log-probability until its text is shown.
func (c *choice) remember(id int32, logits []float32) error {
	if !c.g.req.LogProbs {
		return nil
	}
	t, err := tokenLogProb(c.g.vocabulary, logits, id, c.g.req.TopLogProbs)
	if err != nil {
		return err
	}
	start := c.text.shown + len(c.text.held)
	c.pending = append(c.pending, pendingToken{t, start, start + len(t.Bytes)})
	return nil
}

// show sends a piece, if there is anything in it, with the tokens whose text
// it completes.
func (c *choice) show(d Delta) {
	for len(c.pending) > 0 && c.pending[0].end <= c.text.shown {
		d.Tokens = append(d.Tokens, c.pending[0].token)
		c.pending = c.pending[1:]
	}
	if c.parts != nil {
		c.parts.read(&d)
	}
	if d.Text != "" || d.Reasoning != "" || len(d.Calls)+len(d.Tokens) > 0 {
		d.Index = c.index
		c.g.put(d)
	}
}

// finish sends the last piece. A token of which a stop string has left a part
// is among its tokens.
func (c *choice) finish(text, reason string) {
	c.ended = true
	if c.hurried {
		c.g.usage.Hurried++
	}
	d := Delta{Index: c.index, Text: text, FinishReason: reason}
	for _, p := range c.pending {
		if p.start < c.text.shown || p.end <= c.text.shown && !c.text.stopped {
			d.Tokens = append(d.Tokens, p.token)
		}
	}
	if c.parts != nil {
		c.parts.end(&d)
	}
	c.g.endChoice(d)
}

func (c *choice) next() []strand {
	c.cache.Truncate(c.valid)
	if !c.ended {
		c.todo = slices.Clone(c.written[c.valid-len(c.g.prompt):])
		if c.guesser != nil {
			guess := c.guesser.guess(c.room() - 1)
			c.todo = append(c.todo, guess...)
			c.guessed, c.right = len(guess), 0
			c.g.usage.GuessedTokens += len(guess)
		}
		return []strand{c}
	}
	if c.index == 0 {
		// The next turn of this conversation begins with what this one wrote.
		all := append(c.g.prompt[:len(c.g.prompt):len(c.g.prompt)], c.written...)
		c.g.engine.keep(c.g.job, all[:c.cache.Len()], c.cache, c.g.promptEntry, len(c.g.prompt))
	}
	return nil
}
