package llm

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/ragstone/ragstone/internal/grammar"
	"github.com/ragstone/ragstone/internal/kernel"
)

// sampler chooses the next token of one choice from its logits. What it draws
// depends on the request, its seed and the logits alone.
//
// The order of its steps: bias, penalties, constraint, temperature, min-p, top-k, top-p;
// each filter works on what the one before it kept, renormalised.
type sampler struct {
	temperature float64
	topP, minP  float64
	topK        int

	bias       map[int32]float64
	presence   float64
	frequency  float64
	repetition float64
	prompt     map[int32]bool // tokens of the prompt, for repetition
	counts     map[int32]int  // tokens generated so far, for the penalties

	rng *rand.Rand
}

// newSampler returns the sampler of one choice; each choice has a stream of
// the seed for itself.
func newSampler(req *Request, prompt []int32, seed int64, choice int) *sampler {
	s := &sampler{
		temperature: valueOr(req.Temperature, 1),
		topP:        valueOr(req.TopP, 1),
		minP:        req.MinP,
		topK:        req.TopK,
		bias:        req.LogitBias,
		presence:    req.PresencePenalty,
		frequency:   req.FrequencyPenalty,
		repetition:  req.RepetitionPenalty,
		rng:         rand.New(rand.NewPCG(uint64(seed), uint64(choice))),
	}
	if s.repetition == 0 {
		s.repetition = 1
	}
	if s.penalises() {
		s.counts = map[int32]int{}
	}
	if s.repetition != 1 {
		s.prompt = make(map[int32]bool, len(prompt))
		for _, id := range prompt {
			s.prompt[id] = true
		}
	}
	return s
}

func valueOr(p *float64, otherwise float64) float64 {
	if p == nil {
		return otherwise
	}
	return *p
}

func (s *sampler) penalises() bool {
	return s.presence != 0 || s.frequency != 0 || s.repetition != 1
}

// scratch is working memory that the samplers of one engine share, one at a
// time.
type scratch struct {
	logits     []float32
	weights    []float32
	candidates []candidate
}

// candidate is a token that may be drawn and its probability.
type candidate struct {
	id     int32
	weight float32
}

// allowance is what a constraint leaves of a vocabulary; its zero value is all.
type allowance struct {
	mask grammar.Bitset // nil: every token
	end  bool           // and those that end the text
	ends map[int32]bool
}

// next draws a token of those allowed. The logits are only read.
func (s *sampler) next(logits []float32, allowed allowance, w *scratch) (int32, error) {
	logits, err := s.adjust(logits, allowed, w)
	if err != nil {
		return 0, err
	}
	best, err := argmax(logits)
	if err != nil {
		return 0, err
	}
	if s.temperature <= coldest {
		return int32(best), nil
	}
	return s.draw(logits, best, w), nil
}

// saw tells the sampler that a token has been written.
func (s *sampler) saw(id int32) {
	if s.counts != nil {
		s.counts[id]++
	}
}

// forbid takes all but the allowed tokens out of the logits.
func (a allowance) forbid(logits []float32) error {
	kept := make(map[int32]float32, len(a.ends))
	for id := range a.ends {
		kept[id] = logits[id]
	}
	left := false
	for word, bits := range a.mask {
		left = left || bits != 0
		for id := word * 64; id < min(len(logits), word*64+64); id++ {
			if bits>>(id%64)&1 == 0 {
				logits[id] = float32(math.Inf(-1))
			}
		}
	}
	for id := len(a.mask) * 64; id < len(logits); id++ {
		logits[id] = float32(math.Inf(-1))
	}
	if a.end {
		for id, logit := range kept {
			logits[id] = logit
			left = true
		}
	}
	if !left {
		return &InvalidError{"Constraint", "the model has no token that may come next"}
	}
	return nil
}

// adjust applies bias, penalties and constraint to a copy of the logits.
func (s *sampler) adjust(logits []float32, allowed allowance, w *scratch) ([]float32, error) {
	if len(s.bias) == 0 && !s.penalises() && allowed.mask == nil {
		return logits, nil
	}
	w.logits = append(w.logits[:0], logits...)
	for id, b := range s.bias {
		w.logits[id] += float32(b)
	}
	if s.repetition != 1 {
		for id := range s.prompt {
			if s.counts[id] == 0 {
				w.logits[id] = s.penaliseRepetition(w.logits[id])
			}
		}
	}
	for id, n := range s.counts {
		x := s.penaliseRepetition(w.logits[id])
		w.logits[id] = x - float32(s.presence+float64(n)*s.frequency)
	}
	if allowed.mask == nil {
		return w.logits, nil
	}
	return w.logits, allowed.forbid(w.logits)
}

func (s *sampler) penaliseRepetition(logit float32) float32 {
	if logit > 0 {
		return logit / float32(s.repetition)
	}
	return logit * float32(s.repetition)
}

// coldest is the temperature at and below which the likeliest token is taken.
const coldest = 1e-6

// draw takes a token at random from the filtered distribution.
func (s *sampler) draw(logits []float32, best int, w *scratch) int32 {
	w.weights = append(w.weights[:0], logits...)
	kernel.Softmax(w.weights, float32(1/s.temperature))
	least := float32(s.minP) * w.weights[best]
	total := 0.0
	for i, weight := range w.weights {
		if weight < least {
			w.weights[i] = 0
			continue
		}
		total += float64(weight)
	}
	if s.topK == 0 && s.topP >= 1 {
		return drawFrom(total*s.rng.Float64(), w.weights)
	}
	return s.drawTop(total, w)
}

// drawFrom returns the token in whose share of the sum of weights x lies.
func drawFrom(x float64, weights []float32) int32 {
	last := 0
	for i, weight := range weights {
		if weight == 0 {
			continue
		}
		last = i
		if x -= float64(weight); x < 0 {
			break
		}
	}
	return int32(last)
}

// drawTop applies top-k and top-p.
func (s *sampler) drawTop(total float64, w *scratch) int32 {
	k := s.topK
	if k == 0 {
		k = len(w.weights)
	}
	top := s.gatherTop(k, total, w)
	top = top[:min(len(top), k)]
	if s.topK > 0 {
		total = sumWeights(top)
	}
	kept := 0.0
	for i, c := range top {
		if kept += float64(c.weight); kept >= s.topP*total {
			top = top[:i+1]
			break
		}
	}
	x := s.rng.Float64() * kept
	for _, c := range top {
		if x -= float64(c.weight); x < 0 {
			return c.id
		}
	}
	return top[len(top)-1].id
}

// gatherTop returns, best first, at least the tokens that top-k and top-p may
// keep. Few tokens hold nearly all the weight, so it sorts those above a
// threshold and lowers that only when they turn out not to suffice.
func (s *sampler) gatherTop(k int, total float64, w *scratch) []candidate {
	for threshold := float32(1e-3); ; threshold *= 1e-3 {
		if threshold < 1e-30 {
			threshold = math.SmallestNonzeroFloat32
		}
		top := w.candidates[:0]
		for id, weight := range w.weights {
			if weight >= threshold {
				top = append(top, candidate{int32(id), weight})
			}
		}
		w.candidates = top
		reached := s.topK == 0 && sumWeights(top) >= s.topP*total
		if len(top) >= k || reached || threshold == math.SmallestNonzeroFloat32 {
			slices.SortFunc(top, func(a, b candidate) int {
				return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.id, b.id))
			})
			return top
		}
	}
}

func sumWeights(cs []candidate) float64 {
	sum := 0.0
	for _, c := range cs {
		sum += float64(c.weight)
	}
	return sum
}
