package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/ragstone/ragstone/eval"
)

// The learn section fits the numbers of rag/weights.go on the odd half and
// prints them. Span weights maximise the log-probability that a softmax over
// a question's candidates gives to those that match the gold answer; the
// gate's that of a logistic on whether the paragraph was there. Both carry a
// small quadratic penalty.

// example is one question's candidates with the reward of each.
type example struct {
	features [][]float64
	reward   []float64
}

func learnSection(ctx context.Context, b *bench) error {
	b.trace = true
	results, err := b.askSample(ctx, question.odd, b.learn, b.learn/2)
	if err != nil {
		return err
	}
	var examples []example
	var gates [][]float64
	var truth []bool
	reached := 0.0
	for _, r := range results {
		trace := r.reply.Answer.Trace
		if trace == nil {
			continue
		}
		gates = append(gates, trace.Gate)
		truth = append(truth, r.gold)
		if !r.gold {
			continue
		}
		e, best := example{}, 0.0
		for _, s := range trace.Spans {
			reward := (eval.ExactMatch(s.Text, r.question.answers...) + eval.F1(s.Text, r.question.answers...)) / 2
			e.features = append(e.features, s.Features)
			e.reward = append(e.reward, reward)
			best = max(best, reward)
		}
		if best == 1 {
			reached++
		}
		if best > 0.5 {
			examples = append(examples, e)
		}
	}
	fmt.Fprintf(b.out, "\n%d questions, gold in the span table of %.1f %%\n", len(truth), 100*reached/float64(len(truth))*1.5)
	b.printSentenceEvidence(results)
	spans := fitSpans(examples)
	fmt.Fprintf(b.out, "spanWeights: %.3f\n", spans)
	fmt.Fprintf(b.out, "expected EM+F1 /2 of the first: now %.3f, fitted %.3f, five-fold %.3f\n",
		firstReward(examples, nil), firstReward(examples, spans), crossSpans(examples))
	weights, bias := fitGate(gates, truth)
	fmt.Fprintf(b.out, "gateBias %.3f gateWeights: %.3f\n", bias, weights)
	b.printGate(gates, truth, weights, bias)
	return nil
}

// fitSpans climbs the expected log-reward with Adam (Kingma and Ba 2015).
func fitSpans(examples []example) []float64 {
	n := len(examples[0].features[0])
	return climb(n, 400, func(w, gradient []float64) {
		for _, e := range examples {
			p := softmax(e, w)
			gold := 0.0
			for i := range p {
				gold += p[i] * e.reward[i] * e.reward[i]
			}
			for i := range p {
				g := p[i] * (e.reward[i]*e.reward[i]/max(gold, 1e-9) - 1) / float64(len(examples))
				for j, f := range e.features[i] {
					gradient[j] += g * f
				}
			}
		}
	})
}

func softmax(e example, w []float64) []float64 {
	p := make([]float64, len(e.features))
	top := math.Inf(-1)
	for i, f := range e.features {
		for j := range w {
			p[i] += w[j] * f[j]
		}
		top = max(top, p[i])
	}
	sum := 0.0
	for i := range p {
		p[i] = math.Exp(p[i] - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// climb maximises by following the gradient, with a small quadratic penalty.
func climb(n, steps int, add func(w, gradient []float64)) []float64 {
	const rate, penalty, b1, b2 = 0.05, 0.001, 0.9, 0.999
	w, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
	for step := 1; step <= steps; step++ {
		gradient := make([]float64, n)
		add(w, gradient)
		for j := range w {
			g := gradient[j] - penalty*w[j]
			m[j] = b1*m[j] + (1-b1)*g
			v[j] = b2*v[j] + (1-b2)*g*g
			mh, vh := m[j]/(1-math.Pow(b1, float64(step))), v[j]/(1-math.Pow(b2, float64(step)))
			w[j] += rate * mh / (math.Sqrt(vh) + 1e-8)
		}
	}
	return w
}

// firstReward is the mean reward of the best candidate; nil weights take the
// order as it is.
func firstReward(examples []example, w []float64) float64 {
	sum := 0.0
	for _, e := range examples {
		best := 0
		if w != nil {
			p := softmax(e, w)
			for i := range p {
				if p[i] > p[best] {
					best = i
				}
			}
		}
		sum += e.reward[best]
	}
	return sum / float64(len(examples))
}

// crossSpans is firstReward on fifths that the fit did not see.
func crossSpans(examples []example) float64 {
	shuffled := append([]example(nil), examples...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	const folds = 5
	sum := 0.0
	for k := range folds {
		var seen, unseen []example
		for i, e := range shuffled {
			if i%folds == k {
				unseen = append(unseen, e)
			} else {
				seen = append(seen, e)
			}
		}
		sum += firstReward(unseen, fitSpans(seen)) / folds
	}
	return sum
}

// fitGate is a logistic regression.
func fitGate(gates [][]float64, truth []bool) (weights []float64, bias float64) {
	n := len(gates[0])
	w := climb(n+1, 2000, func(w, gradient []float64) {
		for i, g := range gates {
			miss := (one(truth[i]) - logistic(g, w)) / float64(len(gates))
			for j := range n {
				gradient[j] += miss * g[j]
			}
			gradient[n] += miss
		}
	})
	return w[:n], w[n]
}

func logistic(g, w []float64) float64 {
	x := w[len(g)]
	for j := range g {
		x += w[j] * g[j]
	}
	return 1 / (1 + math.Exp(-x))
}

// printGate prints how well the gate tells, and the thresholds at which it
// lets through given shares of the unanswerable.
func (b *bench) printGate(gates [][]float64, truth []bool, weights []float64, bias float64) {
	w := append(append([]float64(nil), weights...), bias)
	scores := make([]float64, len(gates))
	for i, g := range gates {
		scores[i] = logistic(g, w)
	}
	fmt.Fprintf(b.out, "AUROC %.4f\n", eval.AUROC(scores, truth))
	for j := range gates[0] {
		alone := make([]float64, len(gates))
		for i, g := range gates {
			alone[i] = g[j]
		}
		fmt.Fprintf(b.out, "  evidence %d alone %.4f\n", j, eval.AUROC(alone, truth))
	}
	for t := 0.3; t < 0.96; t += 0.05 {
		var pass, passWrong, yes, no float64
		for i := range scores {
			if truth[i] {
				yes++
				pass += one(scores[i] >= t)
			} else {
				no++
				passWrong += one(scores[i] >= t)
			}
		}
		fmt.Fprintf(b.out, "  threshold %.2f: answers %.1f %% of the answerable, %.1f %% of the others\n", t, 100*pass/yes, 100*passWrong/no)
	}
}

// printSentenceEvidence prints how often each kind of evidence alone, and the
// score, puts a sentence with the answer first and among the first two.
func (b *bench) printSentenceEvidence(results []asked) {
	type counts struct{ first, two float64 }
	var score counts
	total := 0.0
	for _, r := range results {
		if !r.gold || r.reply.Answer.Trace == nil {
			continue
		}
		total++
		for i, s := range r.reply.Answer.Trace.Sentences {
			if i < 2 && holds(s.Text, r.question.answers) {
				score.two++
				score.first += one(i == 0)
				break
			}
		}
	}
	fmt.Fprintf(b.out, "the answer's sentence first %.1f %%, among the first two %.1f %%\n", 100*score.first/total, 100*score.two/total)
}
