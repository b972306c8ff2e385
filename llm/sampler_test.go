package llm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sampled draws n tokens with fresh samplers of consecutive seeds, so that
// penalties see nothing, and returns the share of each.
func sampled(t *testing.T, req Request, logits []float32, n int) map[int32]float64 {
	t.Helper()
	shares := map[int32]float64{}
	var w scratch
	for seed := range n {
		id, err := newSampler(&req, nil, int64(seed), 0).next(logits, allowance{}, &w)
		if err != nil {
			t.Fatal(err)
		}
		shares[id] += 1 / float64(n)
	}
	return shares
}

func TestSamplingFollowsTheDistribution(t *testing.T) {
	// Probabilities 0.4, 0.3, 0.2, 0.1 of tokens 2, 0, 3, 1.
	logits := []float32{logOf(0.3), logOf(0.1), logOf(0.4), logOf(0.2)}
	tests := []struct {
		name string
		req  Request
		want [4]float64
	}{
		{"all", Request{}, [4]float64{0.3, 0.1, 0.4, 0.2}},
		{"greedy", Request{Temperature: new(0.0)}, [4]float64{0, 0, 1, 0}},
		{"next to greedy", Request{Temperature: new(1e-300)}, [4]float64{0, 0, 1, 0}},
		{"hot", Request{Temperature: new(1e30)}, [4]float64{0.25, 0.25, 0.25, 0.25}},
		{"half as hot", Request{Temperature: new(0.5)}, [4]float64{0.3, 1.0 / 30, 16.0 / 30, 4.0 / 30}},
		{"top 2", Request{TopK: 2}, [4]float64{3.0 / 7, 0, 4.0 / 7, 0}},
		{"top 9", Request{TopK: 9}, [4]float64{0.3, 0.1, 0.4, 0.2}},
		{"nucleus of 0.69", Request{TopP: new(0.69)}, [4]float64{3.0 / 7, 0, 4.0 / 7, 0}},
		{"nucleus of 0.71", Request{TopP: new(0.71)}, [4]float64{3.0 / 9, 0, 4.0 / 9, 2.0 / 9}},
		{"nucleus of the top 2", Request{TopK: 2, TopP: new(0.5)}, [4]float64{0, 0, 1, 0}},
		{"at least half the best", Request{MinP: 0.499}, [4]float64{3.0 / 9, 0, 4.0 / 9, 2.0 / 9}},
		{"biased", Request{LogitBias: map[int32]float64{1: math.Log(4), 2: -100}}, [4]float64{3.0 / 9, 4.0 / 9, 0, 2.0 / 9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sampled(t, tt.req, logits, 20000)
			for id, want := range tt.want {
				if share := got[int32(id)]; math.Abs(share-want) > 0.012 || want == 0 && share > 0 {
					t.Errorf("token %d: drawn in a share of %.3f, want %.3f", id, share, want)
				}
			}
		})
	}
}

func logOf(p float64) float32 { return float32(math.Log(p) + 7) }

func TestPenalties(t *testing.T) {
	logits := []float32{2, 1.5, -1}
	tests := []struct {
		name string
		req  Request
		want []int32
	}{
		{"none", Request{}, []int32{0, 0, 0}},
		{"presence", Request{PresencePenalty: 0.6}, []int32{0, 1, 0}},
		{"frequency", Request{FrequencyPenalty: 0.3}, []int32{0, 0, 1, 0, 1, 0}},
		{"repetition of the prompt", Request{RepetitionPenalty: 4}, []int32{1, 0, 0}},
		{"negative presence", Request{PresencePenalty: -5, LogitBias: map[int32]float64{1: 0.6}}, []int32{1, 1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.req.Temperature = new(0.0)
			s := newSampler(&tt.req, []int32{0}, 0, 0)
			var got []int32
			for range tt.want {
				id, err := s.next(logits, allowance{}, &scratch{})
				if err != nil {
					t.Fatal(err)
				}
				s.saw(id)
				got = append(got, id)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if logits[0] != 2 || logits[1] != 1.5 {
		t.Errorf("the logits have been changed: %v", logits)
	}
}

// Sorting only what matters gives the same as sorting everything.
func TestNucleusOfFlatAndSteepDistributions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, spread := range []float64{0, 0.01, 1, 5, 50} {
		logits := make([]float32, 3000)
		for i := range logits {
			logits[i] = float32(rng.NormFloat64() * spread)
		}
		for _, p := range []float64{1e-9, 0.5, 0.999999} {
			req := Request{TopP: &p}
			allowed := nucleus(logits, p)
			for id := range sampled(t, req, logits, 200) {
				if !allowed[id] {
					t.Errorf("spread %v, p %v: token %d is not in the nucleus of %d", spread, p, id, len(allowed))
				}
			}
		}
	}
}

func nucleus(logits []float32, p float64) map[int32]bool {
	order := likeliest(logits, len(logits))
	norm, _ := logSumExp(logits)
	kept := map[int32]bool{}
	sum := 0.0
	for _, id := range order {
		if sum >= p+1e-6 {
			break
		}
		kept[id] = true
		sum += math.Exp(float64(logits[id]) - norm)
	}
	return kept
}

func TestLogSumExp(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, spread := range []float64{0, 1, 10, 100} {
		logits := make([]float32, 5000)
		exact := 0.0
		for i := range logits {
			logits[i] = float32(rng.NormFloat64()*spread + 300)
			exact += math.Exp(float64(logits[i]) - 300)
		}
		got, err := logSumExp(logits)
		if want := 300 + math.Log(exact); err != nil || math.Abs(got-want) > 1e-6 {
			t.Errorf("spread %v: got %v, %v; want %v", spread, got, err, want)
		}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, bad := range [][]float32{{0, nan}, {nan}, {inf, 0}, {-inf, -inf}, {}} {
		if _, err := logSumExp(bad); err == nil {
			t.Errorf("logits %v: got no error", bad)
		}
	}
	if got, err := logSumExp([]float32{-inf, 3}); err != nil || got != 3 {
		t.Errorf("one token possible: got %v, %v; want 3", got, err)
	}
}

func BenchmarkLogSumExp(b *testing.B) {
	logits := make([]float32, 49152)
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range logits {
		logits[i] = float32(rng.NormFloat64() * 3)
	}
	for b.Loop() {
		logSumExp(logits)
	}
}
