package model

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Rotary says how rotary embedding turns queries and keys: position p turns
// pair i by p·Base^(−2i/Dims)/Divisors[i].
type Rotary struct {
	Base     float64
	Dims     int       // leading numbers of a head that are turned
	Divisors []float64 // by pair; nil means 1 for all
	Scale    float64   // multiplies what is turned: YaRN's and LongRoPE's attention factor
	Pairing  kernel.Pairing
}

func (r *Rotary) validate(p *problems, headSize int) {
	if r.Dims < 2 || r.Dims > headSize || r.Dims%2 != 0 {
		p.add("%d rotated dimensions do not fit heads of %d", r.Dims, headSize)
	}
	if !(r.Base > 0) || math.IsInf(r.Base, 0) {
		p.add("the rotary base is %v, want a positive number", r.Base)
	}
	if !(r.Scale > 0) || r.Scale > 1e3 {
		p.add("the rotary attention factor is %v, want a number above 0 and up to 1000", r.Scale)
	}
	if r.Divisors != nil && len(r.Divisors) != r.Dims/2 {
		p.add("%d rotary factors for %d pairs", len(r.Divisors), r.Dims/2)
	}
	for i, d := range r.Divisors {
		if !(d > 0) || math.IsInf(d, 0) {
			p.add("rotary factor %d is %v, want a positive number", i, d)
			break
		}
	}
}

// frequencies returns the angle of each pair at position 1.
func (r *Rotary) frequencies() []float64 {
	f := make([]float64, r.Dims/2)
	for i := range f {
		f[i] = math.Pow(r.Base, -2*float64(i)/float64(r.Dims))
		if r.Divisors != nil {
			f[i] /= r.Divisors[i]
		}
	}
	return f
}

// ropeScaling is how a model was stretched to a longer context than it first
// learned, whichever format says it. Its kinds are those of Hugging Face.
type ropeScaling struct {
	kind            string
	factor          float64
	original        float64 // context before
	attention       float64 // factor of queries and keys; 0 means the kind's own
	betaFast        float64 // yarn: turns over the original context above which a pair stays as it is
	betaSlow        float64 // and below which it is stretched in full
	mscale          float64 // yarn: with mscaleAll, the attention factor in DeepSeek's way
	mscaleAll       float64
	exact           bool // yarn: the bounds are not rounded to whole pairs
	lowFreq         float64
	highFreq        float64
	short, long     []float64 // longrope: divisors up to the original context, and beyond
	longestSequence int       // longrope: what decides between them
}

// scale applies a scaling to rotary embedding as the model first learned it.
func (r *Rotary) scale(s ropeScaling, p *problems) {
	switch s.kind {
	case "", "none", "default":
		return
	case "linear", "llama3", "yarn", "longrope":
	default:
		p.add("the rope scaling %q is not supported", s.kind)
		return
	}
	needsFactor := s.kind != "longrope"
	if needsFactor && (!(s.factor >= 1) || s.factor > 1e6) {
		p.add("the %s rope scaling has the factor %v, want 1 to 1e6", s.kind, s.factor)
		return
	}
	if s.kind != "linear" && !(s.original >= 2 && s.original <= maxContext) {
		p.add("the %s rope scaling has the original context %v, want 2 to %d", s.kind, s.original, maxContext)
		return
	}
	pairs := max(0, min(r.Dims, maxWidth)/2)
	switch s.kind {
	case "linear":
		r.Divisors = make([]float64, pairs)
		for i := range r.Divisors {
			r.Divisors[i] = s.factor
		}
	case "llama3":
		r.scaleLlama3(s, pairs, p)
	case "yarn":
		r.scaleYaRN(s, pairs, p)
	case "longrope":
		r.scaleLong(s, p)
	}
}

// scaleLlama3 stretches what turns slowly and blends between: Llama 3.1.
func (r *Rotary) scaleLlama3(s ropeScaling, pairs int, p *problems) {
	if !(s.lowFreq > 0) || !(s.highFreq > s.lowFreq) {
		p.add("the llama3 rope scaling has the frequency factors %v and %v, want the second above the first", s.lowFreq, s.highFreq)
		return
	}
	r.Divisors = make([]float64, pairs)
	for i := range r.Divisors {
		wavelength := 2 * math.Pi * math.Pow(r.Base, 2*float64(i)/float64(r.Dims))
		switch turns := s.original / wavelength; {
		case turns > s.highFreq:
			r.Divisors[i] = 1
		case turns < s.lowFreq:
			r.Divisors[i] = s.factor
		default:
			smooth := (turns - s.lowFreq) / (s.highFreq - s.lowFreq)
			r.Divisors[i] = 1 / ((1-smooth)/s.factor + smooth)
		}
	}
}

// scaleYaRN stretches by a ramp over the pairs (Peng et al. 2023, section 3.2)
// and sharpens attention (section 3.4).
func (r *Rotary) scaleYaRN(s ropeScaling, pairs int, p *problems) {
	fast, slow := orDefault(s.betaFast, 32), orDefault(s.betaSlow, 1)
	if !(fast > 0) || !(slow > 0) || !(r.Base > 1) {
		p.add("the yarn rope scaling has the betas %v and %v at base %v, want positive numbers and a base above 1", fast, slow, r.Base)
		return
	}
	// pair is the one that makes so many turns over the original context.
	pair := func(turns float64) float64 {
		return float64(r.Dims) * math.Log(s.original/(turns*2*math.Pi)) / (2 * math.Log(r.Base))
	}
	low, high := pair(fast), pair(slow)
	if !s.exact {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(r.Dims-1))
	if low == high {
		high += 0.001
	}
	r.Divisors = make([]float64, pairs)
	for i := range r.Divisors {
		ramp := max(0, min(1, (float64(i)-low)/(high-low)))
		r.Divisors[i] = 1 / (ramp/s.factor + 1 - ramp)
	}
	sharpness := func(m float64) float64 { return 1 + 0.1*m*math.Log(s.factor) }
	r.Scale = sharpness(1)
	if s.mscale != 0 && s.mscaleAll != 0 {
		r.Scale = sharpness(s.mscale) / sharpness(s.mscaleAll)
	}
	r.Scale = orDefault(s.attention, r.Scale)
}

// scaleLong takes divisors that were searched for (Ding et al. 2024): one set
// for sequences up to the original context, one for longer ones. A sequence's
// numbers must not change when it grows, so the longest sequence that the
// decoder will run decides for all.
func (r *Rotary) scaleLong(s ropeScaling, p *problems) {
	r.Divisors = s.short
	if float64(s.longestSequence) > s.original {
		r.Divisors = s.long
	}
	if r.Divisors == nil {
		p.add("the longrope scaling has no factors for sequences of %d tokens", s.longestSequence)
		return
	}
	if s.factor > 1 {
		r.Scale = math.Sqrt(1 + math.Log(s.factor)/math.Log(s.original))
	}
	r.Scale = orDefault(s.attention, r.Scale)
}
