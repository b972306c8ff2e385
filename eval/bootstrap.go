package eval

import (
	"math/rand/v2"
	"slices"
)

// Bootstrap says how to resample. Its zero value is the usual choice.
type Bootstrap struct {
	Resamples  int     // default 10,000
	Confidence float64 // of the interval, default 0.95
	Seed       uint64  // equal seeds give equal results
}

func (b Bootstrap) withDefaults() Bootstrap {
	if b.Resamples <= 0 {
		b.Resamples = 10_000
	}
	if b.Confidence <= 0 || b.Confidence >= 1 {
		b.Confidence = 0.95
	}
	return b
}

// Comparison is what a paired bootstrap found about B against A.
type Comparison struct {
	// Difference is the mean of B minus A over the queries, Low and High the
	// confidence interval around it.
	Difference, Low, High float64

	// P is the two-sided achieved significance level: how often a resample
	// falls on the other side of zero, doubled and at most 1.
	P float64
}

// PairedBootstrap compares two systems on the same queries: a[i] and b[i] are
// their scores on query i. Queries are drawn with replacement, both scores
// together, and the interval is the percentile interval of the mean
// differences (Efron and Tibshirani 1993, "An introduction to the bootstrap",
// chapters 13 and 16; Sakai 2006 for retrieval). No queries give the zero
// Comparison with P 1.
func PairedBootstrap(a, b []float64, options Bootstrap) Comparison {
	if len(a) != len(b) {
		panic("eval: PairedBootstrap: systems were scored on different numbers of queries")
	}
	if len(a) == 0 {
		return Comparison{P: 1}
	}
	options = options.withDefaults()
	differences := make([]float64, len(a))
	for i := range a {
		differences[i] = b[i] - a[i]
	}
	means := resampledMeans(differences, options)
	slices.Sort(means)

	tail := (1 - options.Confidence) / 2
	return Comparison{
		Difference: Mean(differences),
		Low:        means[int(tail*float64(len(means)))],
		High:       means[int((1-tail)*float64(len(means)-1))],
		P:          significance(means),
	}
}

func resampledMeans(values []float64, options Bootstrap) []float64 {
	random := rand.New(rand.NewPCG(options.Seed, 0))
	means := make([]float64, options.Resamples)
	for i := range means {
		var sum float64
		for range values {
			sum += values[random.IntN(len(values))]
		}
		means[i] = sum / float64(len(values))
	}
	return means
}

// significance doubles the smaller share of means at or beyond zero.
func significance(means []float64) float64 {
	below, above := 0, 0
	for _, m := range means {
		if m <= 0 {
			below++
		}
		if m >= 0 {
			above++
		}
	}
	return min(1, 2*float64(min(below, above))/float64(len(means)))
}
