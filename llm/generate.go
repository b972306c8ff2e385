package llm

import (
	"math"
	"time"

	"github.com/ragstone/ragstone/internal/grammar"
)

// generation is the work of one Generate request: the prompt is read once, by
// one strand, from which each choice then forks its own.
type generation struct {
	req        *Request
	vocabulary vocabulary
	prompt     []int32
	promptText string
	seed       int64
	most       int // tokens to generate for each choice
	ends       map[int32]bool
	constraint *Constraint
	guide      *grammar.Compiled // of the constraint, nil for none
	dialect    *dialect          // nil: the answer is all text
	marks      map[int32][]byte  // control tokens that are part of the answer
	guesses    bool              // guess tokens ahead
	expected   []int32           // what may come, for the guesses

	engine *engine
	job    *job
	out    *outbox
	usage  Usage
	began  time.Time // left the queue
	shown  bool      // a piece of the answer has been shown
	live   int       // choices that have not ended
	best   *contest  // nil: every choice is shown as it is written

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
	g.began = time.Now()
	g.usage.Timings.Waited = g.began.Sub(j.came)
	g.usage.PromptTokens = len(g.prompt)
	g.live = g.choices()
	// The last token is always run: its logits choose the first new one.
	path := g.path()
	c, entry := e.open(j, path, max(0, len(path)-1))
	g.usage.CachedTokens = c.Len()
	p := &promptStrand{g: g, entry: entry, cached: c.Len()}
	p.cache, p.todo = c, g.prompt[c.Len():]
	return []strand{p}
}

func (g *generation) end(err error) { g.out.close(err) }

func (g *generation) spent() Usage { return g.usage }

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
	p.g.usage.Timings.Reading = time.Since(p.g.began)
	p.echo()
	for i := range p.g.choices() {
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
	for i := range p.g.choices() {
		p.g.put(Delta{Index: i, Text: p.g.promptText, Tokens: tokens})
	}
}

func (p *promptStrand) next() []strand {
	g := p.g
	if g.most == 0 {
		p.echo()
		for i := range g.choices() {
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

// bytes is what a token adds to an answer.
func (g *generation) bytes(id int32) []byte {
	if mark, ok := g.marks[id]; ok {
		return mark
	}
	return g.vocabulary.TokenBytes(id)
}

// choices is how many are generated.
func (g *generation) choices() int { return g.req.choices() }

// put shows a piece of a choice.
func (g *generation) put(d Delta) {
	if !g.shown {
		g.shown, d.PromptTokens = true, len(g.prompt)
	}
	if g.best != nil {
		g.best.take(d)
		return
	}
	g.out.put(d)
}

// endChoice puts a choice's last piece, with the usage if it is the stream's.
func (g *generation) endChoice(last Delta) {
	g.live--
	if g.live > 0 {
		g.put(last)
		return
	}
	t := &g.usage.Timings
	t.Writing = time.Since(g.began) - t.Reading
	usage := g.usage
	if g.best == nil {
		last.Usage = &usage
		g.out.put(last)
		return
	}
	g.best.take(last)
	for _, d := range g.best.winners(max(1, g.req.N)) {
		if d.Index == max(1, g.req.N)-1 {
			d.Usage = &usage
		}
		g.out.put(d)
	}
}
