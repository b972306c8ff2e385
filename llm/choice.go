package llm

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

	guesser *guesser // nil where nothing is guessed
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
	return c
}

func (c *choice) streams() bool { return true }

func (c *choice) wants(int) bool { return true }

// read draws the token that follows todo[i]. If todo goes on with another, what
// is left of it was guessed wrong: it is dropped, and the logits after it are
// not looked at.
func (c *choice) read(i int, logits []float32, w *scratch) error {
	if c.ended || i >= len(c.todo) {
		return nil
	}
	c.valid++
	if i > 0 {
		c.g.usage.GuessedRight++
	}
	if err := c.draw(logits, w); err != nil {
		return err
	}
	guessed := len(c.todo) - 1
	if i < guessed && (c.ended || c.todo[i+1] != c.lastWritten()) {
		c.todo = c.todo[:i+1]
	}
	if guessed > 0 && i == len(c.todo)-1 {
		c.guesser.learn(guessed, i)
	}
	return nil
}

func (c *choice) lastWritten() int32 { return c.written[len(c.written)-1] }

// draw takes the next token and shows what text it sets free.
func (c *choice) draw(logits []float32, w *scratch) error {
	id, err := c.sampler.next(logits, w)
	if err != nil {
		return err
	}
	if c.g.ends[id] {
		c.finish(c.text.flush(), FinishStop)
		return nil
	}
	if err := c.remember(id, logits); err != nil {
		return err
	}
	if c.g.best != nil {
		if err := c.g.best.weigh(c.index, logits, id); err != nil {
			return err
		}
	}
	c.written = append(c.written, id)
	if c.guesser != nil {
		c.guesser.add(id)
	}
	c.g.usage.CompletionTokens++
	text := c.text.write(c.g.vocabulary.TokenBytes(id))
	switch {
	case c.text.stopped:
		c.finish(text, FinishStop)
	case len(c.written) == c.g.most:
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
	if d.Text != "" || len(d.Tokens) > 0 {
		d.Index = c.index
		c.g.put(d)
	}
}

// finish sends the last piece. A token of which a stop string has left a part
// is among its tokens.
func (c *choice) finish(text, reason string) {
	c.ended = true
	d := Delta{Index: c.index, Text: text, FinishReason: reason}
	for _, p := range c.pending {
		if p.start < c.text.shown || p.end <= c.text.shown && !c.text.stopped {
			d.Tokens = append(d.Tokens, p.token)
		}
	}
	c.g.endChoice(d)
}

func (c *choice) next() []strand {
	c.cache.Truncate(c.valid)
	if !c.ended {
		c.todo = []int32{c.lastWritten()}
		if c.guesser != nil {
			guess := c.guesser.guess(c.g.most - len(c.written) - 1)
			c.todo = append(c.todo, guess...)
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
