package eval_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ragstone/ragstone/eval"
)

func TestBootstrapTellsARealDifference(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	same, better := make([]float64, 300), make([]float64, 300)
	base := make([]float64, 300)
	for i := range base {
		base[i] = random.Float64()
		same[i] = base[i] + 0.05*float64(1-2*(i%2)) // as often better as worse
		better[i] = base[i] + 0.05 + 0.1*(random.Float64()-0.5)
	}
	got := eval.PairedBootstrap(base, better, eval.Bootstrap{Seed: 1})
	if got.P > 0.001 || got.Low <= 0 {
		t.Errorf("a gain of 0.05: %+v, want significant", got)
	}
	// The standard error of the mean is 0.1/√12/√300 = 0.00167.
	if width := got.High - got.Low; math.Abs(width-2*1.96*0.00167) > 0.001 {
		t.Errorf("interval is %v wide, want about 0.0065", width)
	}
	got = eval.PairedBootstrap(base, same, eval.Bootstrap{Seed: 1})
	if got.P < 0.05 || got.Low > 0 || got.High < 0 {
		t.Errorf("no gain: %+v, want not significant", got)
	}
}

func TestBootstrapRepeats(t *testing.T) {
	a, b := []float64{0, 1, 0.5, 0.2}, []float64{0.5, 0.5, 1, 0.1}
	first := eval.PairedBootstrap(a, b, eval.Bootstrap{Seed: 3, Resamples: 100})
	if again := eval.PairedBootstrap(a, b, eval.Bootstrap{Seed: 3, Resamples: 100}); again != first {
		t.Errorf("same seed gave %+v, then %+v", first, again)
	}
	if got := eval.PairedBootstrap(a, a, eval.Bootstrap{}); got.Difference != 0 || got.P != 1 {
		t.Errorf("a system against itself: %+v, want no difference and P 1", got)
	}
	if got := eval.PairedBootstrap(nil, nil, eval.Bootstrap{}); got.P != 1 {
		t.Errorf("no queries: %+v, want P 1", got)
	}
}
