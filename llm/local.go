package llm

import (
	"context"
	"iter"
	"math/rand/v2"
	"sync"
)

// Options says how a local model is run. The zero value works.
type Options struct {
	// Name is what Info calls the model; by default the name of its file
	// without the extension, or of its folder.
	Name string

	// Threads is the number of threads the model computes with. Default: the
	// number of processors. Results do not depend on it.
	Threads int

	// Context bounds the tokens of a request, prompt and completion together.
	// Default: what the model can.
	Context int

	// Quantize is what the weights of a checkpoint in floating point become
	// while they are loaded: q8_0 or q4_0. Default: they stay as they are.
	Quantize string

	// Precision is how a model computes: "f32", the default, or "int8". An
	// embedding or reranking model is about three times as fast in int8 and
	// nearly the same. A language model reads prompts about 1.5 times as fast;
	// where two tokens are close either may win.
	Precision string

	// CachePrecision is how keys and values are kept: "f16", the default, or
	// "q8", which takes 0.53 of the memory. Decoding far into a text is then
	// slower, and where two tokens are close either may win.
	CachePrecision string

	// MaxMemory bounds, in bytes, the weights together with the working memory
	// of the requests, which get room for four full contexts where it is
	// there. Zero sets no bound.
	MaxMemory int64

	// MaxRunning bounds the requests that run together; default 16.
	MaxRunning int

	// MaxQueue bounds the requests that wait for their turn; one more is
	// refused with ErrBusy. Default 64; a negative number lets none wait.
	MaxQueue int

	// Sampling stands in for what a request does not say of its sampling. What
	// it leaves open is as a checkpoint's generation_config.json has it.
	Sampling Sampling

	// Speculate bounds the tokens that a step runs ahead of time, all requests
	// together, where a text seems to repeat what came before. They change how
	// fast it is written and nothing else. Default 16; a negative number guesses
	// nothing.
	Speculate int

	// PrefixCache bounds, in bytes, what is kept of earlier prompts so that a
	// later one that begins the same way starts further on. Default 256 MiB;
	// a negative number keeps nothing.
	PrefixCache int64
}

// Info describes a local model.
type Info struct {
	Name         string
	Architecture string // of the model's own files, such as llama
	Context      int    // tokens a request may have, prompt and completion together
	Vocabulary   int    // tokens
	Bytes        int64  // memory the weights take
	Chat         bool   // it has a chat template
}

// Local is a language model that runs in this process. It is a Generator and a
// Scorer, safe for concurrent use.
type Local struct {
	reader
	ends     map[int32]bool
	sampling Sampling
	engine   *engine
	close    func() error

	textLanguages *languages // of constraints on completions, and
	callLanguages *languages // on answers that may hold calls

	mu      sync.Mutex         // guards endSets
	endSets map[string][]int32 // tokens that begin a ScoreRequest.End
}

// newLocal puts a model that has been loaded to work.
func newLocal(info Info, model decoder, p *prompter, limits engineLimits) *Local {
	l := &Local{
		reader:        reader{info: info, prompter: p},
		ends:          map[int32]bool{},
		textLanguages: newLanguages(p.vocabulary, nil),
		callLanguages: newLanguages(p.vocabulary, p.marks),
		engine:        startEngine(model, limits),
		endSets:       map[string][]int32{},
	}
	for _, id := range p.vocabulary.EndTokens() {
		l.ends[id] = true
	}
	l.close = sync.OnceValue(func() error {
		l.engine.close()
		return nil
	})
	return l
}

// Close ends what runs, with ErrClosed, and returns when all of it has ended
// and the model's memory is free. Closing twice is fine.
func (l *Local) Close() error { return l.close() }

// Generate implements Generator. The request waits in the model's queue, then
// runs together with the others there.
func (l *Local) Generate(ctx context.Context, req Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		out, err := l.begin(ctx, &req)
		if err != nil {
			yield(Delta{}, err)
			return
		}
		for {
			pieces, last, err := out.take(ctx)
			for _, d := range pieces {
				if !yield(d, nil) {
					return
				}
			}
			if err != nil {
				yield(Delta{}, err)
			}
			if last {
				return
			}
		}
	}
}

// begin puts a request into the engine's queue.
func (l *Local) begin(ctx context.Context, req *Request) (*outbox, error) {
	prompt, text, err := l.promptTokens(req)
	if err != nil {
		return nil, err
	}
	l.sampling.complete(req)
	g := &generation{
		req:        req,
		vocabulary: l.prompter.vocabulary,
		prompt:     prompt,
		promptText: text,
		seed:       rand.Int64(),
		most:       l.info.Context - len(prompt),
		ends:       l.endsOf(req),
		out:        newOutbox(),
	}
	if req.Seed != nil {
		g.seed = *req.Seed
	}
	if g.guesses = l.engine.limits.stepGuesses > 0; g.guesses && req.Expected != "" {
		g.expected = l.Encode(req.Expected)
	}
	switch {
	case req.MaxTokens == NoTokens:
		g.most = 0
	case g.most < 1:
		return nil, &ContextLengthError{Limit: l.info.Context, Requested: len(prompt) + 1}
	case req.MaxTokens > 0:
		g.most = min(g.most, req.MaxTokens)
	}
	if err := l.setLanguage(g, req); err != nil {
		return nil, err
	}
	if req.BestOf > max(1, req.N) {
		g.best = newContest(req.BestOf)
	}
	need := cacheNeed(l.engine.model, len(prompt), g.most, req.choices())
	return g.out, l.engine.submit(&job{ctx: ctx, work: g, tenant: req.Tenant, need: need})
}

// setLanguage prepares what an answer is held to, and how it is taken apart.
func (l *Local) setLanguage(g *generation, req *Request) (err error) {
	g.constraint = req.Constraint
	languages := l.textLanguages
	if d := l.prompter.dialect; len(req.Messages) > 0 && (len(req.offered()) > 0 || d.thinks) {
		if g.constraint, err = d.answerLanguage(req); err != nil {
			return err
		}
		languages = l.callLanguages
		g.dialect, g.marks = d, l.prompter.marks
	}
	if g.constraint != nil {
		g.guide, err = languages.compile(g.constraint)
	}
	return err
}

// endsOf returns the tokens that end a request's choices.
func (l *Local) endsOf(req *Request) map[int32]bool {
	if req.IgnoreEnd {
		return nil
	}
	if len(req.EndTokens) == 0 {
		return l.ends
	}
	ends := make(map[int32]bool)
	for id := range l.ends {
		ends[id] = true
	}
	for _, id := range req.EndTokens {
		ends[id] = true
	}
	return ends
}

// Score implements Scorer. Items are sorted so that common beginnings are run
// once, and run together in as few steps as memory allows.
func (l *Local) Score(ctx context.Context, req ScoreRequest) ([]Scored, error) {
	if req.MaxTokens < 0 {
		return nil, &InvalidError{"MaxTokens", "want a positive number, or 0 for all"}
	}
	t := &scoreTokenizer{prompter: l.prompter, context: l.info.Context, prompts: map[string][]int32{}}
	results := make([]Scored, len(req.Items))
	var sequences []*scoreSequence
	for i := range req.Items {
		s, places, err := t.sequence(&req, i)
		if err != nil {
			return nil, err
		}
		results[i].Tokens = places
		if s != nil {
			sequences = append(sequences, s)
		}
	}
	if err := l.engine.score(ctx, &req, sequences, l.endSet(req.End), results); err != nil {
		return nil, err
	}
	return results, nil
}

// endSet returns the tokens that begin text, nil for an empty one.
func (l *Local) endSet(text string) []int32 {
	if text == "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if set, ok := l.endSets[text]; ok {
		return set
	}
	if len(l.endSets) >= 16 {
		clear(l.endSets)
	}
	l.endSets[text] = endTokens(l.prompter.vocabulary, text)
	return l.endSets[text]
}
