package llm

import "math"

// generation is the work of one Generate request: the prompt is read once, by
// one strand, from which each choice then forks its own.
type generation struct {
	req        *Request
	vocabulary vocabulary
	prompt     []int32
	promptText string // for Echo
	seed       int64
	most       int // tokens to generate for each choice
	ends       map[int32]bool
	guesses    bool    // guess tokens ahead
	expected   []int32 // what may come, for the guesses

	engine *engine
	job    *job
	out    *outbox
	usage  Usage
	live   int // choices that have not ended

	promptEntry *prefixEntry // kept prefix that has the prompt, or nil
}

// cacheNeed is the most memory a generation comes to need: its prompt once,
// then each choice's own tokens and its copy of the prompt's last block.
func cacheNeed(model decoder, prompt, most, choices int) int64 {
	return model.CacheBytes(prompt) + int64(choices)*model.CacheBytes(most+blockTokens)
}

func (g *generation) path() []int32 {
	if g.wantsPromptLogProbs() {
		return nil // every position has to be run
	}
	return g.prompt
}

func (g *generation) wantsPromptLogProbs() bool { return g.req.Echo && g.req.LogProbs }

func (g *generation) start(e *engine, j *job) []strand {
	g.engine, g.job = e, j
	g.usage.PromptTokens = len(g.prompt)
	g.live = max(1, g.req.N)
	// The last token is always run: its logits choose the first new one.
	path := g.path()
	c, entry := e.open(j, path, max(0, len(path)-1))
	g.usage.CachedTokens = c.Len()
	p := &promptStrand{g: g, entry: entry, cached: c.Len()}
	p.cache, p.todo = c, g.prompt[c.Len():]
	return []strand{p}
}

func (g *generation) end(err error) { g.out.close(err) }

// promptStrand reads the prompt of a generation.
type promptStrand struct {
	feed
	g       *generation
	entry   *prefixEntry // its cache began as a fork of
	cached  int          // so many tokens of
	echoed  []TokenLogProb
	choices []*choice
}

func (p *promptStrand) wants(i int) bool {
	last := i == len(p.todo)-1
	return last && p.g.most > 0 || !last && p.g.wantsPromptLogProbs()
}

func (p *promptStrand) read(i int, logits []float32, w *scratch) error {
	if i == len(p.todo)-1 {
		return p.begin(logits, w)
	}
	t, err := tokenLogProb(p.g.vocabulary, logits, p.todo[i+1], p.g.req.TopLogProbs)
	p.echoed = append(p.echoed, t)
	return err
}

// begin draws every choice's first token.
func (p *promptStrand) begin(logits []float32, w *scratch) error {
	p.echo()
	for i := range max(1, p.g.req.N) {
		c := newChoice(p.g, i)
		if err := c.draw(logits, w); err != nil {
			return err
		}
		p.choices = append(p.choices, c)
	}
	return nil
}

// echo puts the prompt before every choice's text.
func (p *promptStrand) echo() {
	if !p.g.req.Echo {
		return
	}
	var tokens []TokenLogProb
	if p.g.req.LogProbs {
		first := p.g.prompt[0]
		tokens = append(tokens, TokenLogProb{ID: first, Bytes: p.g.vocabulary.TokenBytes(first), LogProb: math.NaN()})
		tokens = append(tokens, p.echoed...)
	}
	for i := range max(1, p.g.req.N) {
		p.g.out.put(Delta{Index: i, Text: p.g.promptText, Tokens: tokens})
	}
}

func (p *promptStrand) next() []strand {
	g := p.g
	if g.most == 0 {
		p.echo()
		for i := range max(1, g.req.N) {
			g.endChoice(Delta{Index: i, FinishReason: FinishLength})
		}
	}
	from := p.cache
	g.promptEntry = g.engine.keep(g.job, g.prompt, p.cache, p.entry, p.cached)
	if g.promptEntry != nil {
		from = g.promptEntry.cache // equal, and what the entry's children must share
	}
	var next []strand
	for _, c := range p.choices {
		if c.ended {
			continue
		}
		c.cache = from.Fork()
		c.cache.Truncate(len(g.prompt))
		next = append(next, c.next()...)
	}
	return next
}

// endChoice puts a choice's last piece, with the usage if it is the stream's.
func (g *generation) endChoice(last Delta) {
	g.live--
	if g.live == 0 {
		usage := g.usage
		last.Usage = &usage
	}
	g.out.put(last)
}

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
		c.g.out.put(d)
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
