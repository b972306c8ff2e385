package model

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
)

// compare holds logits to transformers': no difference of more than 1e-4 of the
// largest.
func (o *oracle) compare(t *testing.T, what string, got [][]float32) {
	t.Helper()
	var largest, worst float64
	for i, row := range o.Logits {
		for j, want := range row {
			largest = max(largest, math.Abs(float64(want)))
			if d := math.Abs(float64(got[i][j] - want)); !(d <= worst) {
				worst = d
			}
		}
	}
	t.Logf("%s, %s: the worst logit is off by %.1e of the largest", o.Name, what, worst/largest)
	if !(worst <= 1e-4*largest) {
		t.Errorf("%s, %s: a logit is off by %v, more than 1e-4 of the largest, %v", o.Name, what, worst, largest)
	}
}

func TestFamiliesEqualTransformers(t *testing.T) {
	for i, o := range oracles(t) {
		o.compare(t, "safetensors", o.logits(t, o.load(t, 1+i%3, 2, AsStored)))
		if o.GGUF != nil {
			d, err := LoadDecoder(o.file(t), o.options(t, 2, AsStored))
			if err != nil {
				t.Errorf("%s: %v", o.Name, err)
				continue
			}
			o.compare(t, "GGUF", o.logits(t, d))
		}
	}
}

// Fed llama.cpp's own continuation, our best token is the same; at most 1 % of
// the positions are excused, each so close that either may win.
func TestFamiliesFollowLlamaCpp(t *testing.T) {
	positions, misses := 0, 0
	for _, o := range oracles(t) {
		if o.Greedy == nil {
			continue
		}
		d, err := LoadDecoder(o.file(t), o.options(t, 2, AsStored))
		if err != nil {
			t.Fatalf("%s: %v", o.Name, err)
		}
		tokens := slices.Concat(o.Tokens[:o.Greedy.Prompt], o.Greedy.Continuation[:len(o.Greedy.Continuation)-1])
		in := &Input{Cache: d.NewCache(), Tokens: tokens, Rows: upTo(len(tokens))[o.Greedy.Prompt-1:]}
		run(t, d, in)
		for i, want := range o.Greedy.Continuation {
			positions++
			if got := argmax(in.Logits[i]); got != want {
				misses++
				ours := in.Logits[i][got] - in.Logits[i][want]
				t.Logf("%s, step %d: token %d, llama.cpp's is %d; gaps %.4f and %.4f", o.Name, i, got, want, ours, o.Greedy.Gaps[i])
				if ours > 0.02 || o.Greedy.Gaps[i] > 0.02 {
					t.Errorf("%s, step %d: no close call", o.Name, i)
				}
			}
		}
	}
	t.Logf("%d positions, %d differ", positions, misses)
	if positions < 400 || misses*100 > positions {
		t.Errorf("%d of %d positions differ, at most 1 %% of at least 400 may", misses, positions)
	}
}

// Quantised while loading, a model says nearly the same: 8-bit weights against
// transformers' floats, 4-bit ones against the floats that they stand for.
func TestFamiliesQuantised(t *testing.T) {
	for _, o := range oracles(t) {
		o.close(t, "q8_0", o.logits(t, o.load(t, 1, 2, QuantizeQ8)), o.Logits)
		d := o.load(t, 1, 2, QuantizeQ4)
		got := o.logits(t, d)
		o.close(t, "q4_0", got, o.logits(t, o.rounded(t).load(t, 1, 2, AsStored)))
	}
}

// rounded is the model with weights that are multiples of their 4-bit scales.
func (o *oracle) rounded(t testing.TB) *oracle {
	r := *o
	r.weights = map[string][]float32{}
	for name, x := range o.weights {
		f, to := kernel.Q4_0, gguf.Q4_0
		if strings.Contains(name, "embed_tokens") || strings.Contains(name, "lm_head") {
			f, to = kernel.Q8_0, gguf.Q8_0
		}
		if len(o.Shapes[name]) == 1 || isRouter(name) {
			r.weights[name] = x
			continue
		}
		rounded := make([]float32, len(x))
		if err := gguf.Dequantize(to, appendFormat(nil, f, x), rounded); err != nil {
			t.Fatal(err)
		}
		r.weights[name] = rounded
	}
	return &r
}

// close holds logits of quantised weights to those of floats.
func (o *oracle) close(t *testing.T, what string, got, want [][]float32) {
	t.Helper()
	worst := 1.0
	for i := range want {
		worst = min(worst, likeness(got[i], want[i]))
		best, second := topTwo(want[i])
		spread := want[i][best] - slices.Min(want[i])
		if gap := want[i][best] - want[i][second]; gap > 0.05*spread && argmax(got[i]) != int32(best) {
			t.Errorf("%s at %s, row %d: token %d is best, want %d, which is better by %v", o.Name, what, i, argmax(got[i]), best, gap)
		}
	}
	t.Logf("%s at %s: the worst cosine is %.5f", o.Name, what, worst)
	if worst < 0.999 {
		t.Errorf("%s at %s: a cosine is %v, want at least 0.999", o.Name, what, worst)
	}
}

func topTwo(x []float32) (best, second int) {
	best = int(argmax(x))
	second = (best + 1) % len(x)
	for i, v := range x {
		if i != best && v > x[second] {
			second = i
		}
	}
	return best, second
}

func likeness(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// What TestTinyDecoderIsInvariant holds for a Llama holds for every family, with
// floats and with 8 bits: the same bits at every level, on any number of
// threads, in any pieces, in any company.
func TestFamiliesAreInvariant(t *testing.T) {
	for _, o := range oracles(t) {
		r := rand.New(rand.NewPCG(17, uint64(len(o.Name))))
		tokens := o.Tokens[:min(len(o.Tokens), 330)]
		for _, q := range []Quantization{AsStored, QuantizeQ8} {
			d := o.load(t, 1, 2, q)
			want := forward(t, d, d.NewCache(), tokens)
			equalLogits(t, fmt.Sprintf("%s %s in pieces", o.Name, q), inPieces(t, d, r, tokens), want)
			for i, l := range kernel.Levels() {
				n := len(tokens)
				if l == kernel.Plain {
					n = min(n, 40) // it is slow
				}
				restore := kernel.Use(l)
				d := o.load(t, 1, 1+i%3, q)
				got := forward(t, d, d.NewCache(), tokens[:n])
				restore()
				equalLogits(t, fmt.Sprintf("%s %s at level %v", o.Name, q, l), got, want[:n])
			}
		}
	}
}

// A number that is not finite, in any weight of the first layer or around the
// layers, is an error that names the part of the model, in every family; the
// cache stays as it was.
func TestFamiliesNameWhatIsNotFinite(t *testing.T) {
	for _, o := range oracles(t) {
		if strings.Contains(o.Name, "-") {
			continue // another model of a family that is there
		}
		for name := range o.Shapes {
			var want string
			switch {
			case strings.HasPrefix(name, "model.layers.0."):
				want = "a number of layer 0 of"
			case name == "model.embed_tokens.weight":
				want = "embedding of a token"
			case name == "model.norm.weight":
				want = "output matrix"
			default:
				continue
			}
			damaged := *o
			damaged.weights = maps.Clone(o.weights)
			damaged.weights[name] = make([]float32, len(o.weights[name]))
			for i := range damaged.weights[name] {
				damaged.weights[name][i] = float32(math.NaN())
			}
			d := damaged.load(t, 1, 1, AsStored)
			in := &Input{Cache: d.NewCache(), Tokens: o.Tokens[:3], Rows: []int{2}}
			err := d.Forward(t.Context(), []*Input{in})
			if strings.Contains(name, ".experts.") && err == nil {
				continue // no token went through it
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %s of NaN: got %v, want an error with %q", o.Name, name, err, want)
			}
			if n := in.Cache.Len(); err != nil && n != 0 {
				t.Errorf("%s: %s of NaN: the cache has %d tokens", o.Name, name, n)
			}
		}
	}
}
