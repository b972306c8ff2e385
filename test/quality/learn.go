package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/ragstone/ragstone/eval"
	"github.com/ragstone/ragstone/rag"
)

// The learn section fits the numbers of rag/weights.go on the odd half and
// prints them. Span weights maximise the log-probability that a softmax over
// a question's candidates gives to those that match the gold answer; the
// gate's that of a logistic on whether the paragraph was there. Both carry a
// small quadratic penalty.

// All of the odd half: so many asked of the whole folder, so many with their
// paragraph withheld.
const (
	learnAnswerable = 400
	learnWithheld   = 195

	learnInOthers = 120 // of each kind and language
)

// example is one question's candidates with the reward of each.
type example struct {
	features [][]float64
	reward   []float64
}

func learnSection(ctx context.Context, b *bench) error {
	b.trace = true
	results, err := b.askSample(ctx, "en", question.odd, learnAnswerable, learnWithheld)
	if err != nil {
		return err
	}
	var examples []example
	reached, asked := 0.0, 0.0
	for _, r := range results {
		trace := r.reply.Answer.Trace
		if trace == nil || !r.gold {
			continue
		}
		asked++
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
	fmt.Fprintf(b.out, "\n%.0f questions, gold in the span table of %.1f %%\n", asked, 100*reached/asked)
	b.printSentenceEvidence(results)
	spans := fitSpans(examples)
	fmt.Fprintf(b.out, "spanWeights: %.3f\n", spans)
	fmt.Fprintf(b.out, "%d examples; reward of the first: now %.3f, fitted %.3f, five-fold %.3f\n", len(examples),
		firstReward(examples, nil), firstReward(examples, spans), crossSpans(examples))
	rescore(results, spans)
	b.learnGate("gate", results, func(t *rag.Trace) []float64 { return t.Gate })
	b.learnGate("keywordGate", results, withoutVectors)
	return nil
}

// learnLanguagesSection fits the gate for questions that are not in English, on
// the odd halves of the other languages together.
func learnLanguagesSection(ctx context.Context, b *bench) error {
	b.trace = true
	var all []asked
	for _, language := range otherLanguages {
		results, err := b.askSample(ctx, language, question.odd, learnInOthers, learnInOthers)
		if err != nil {
			return err
		}
		b.printAnswers(language, results)
		all = append(all, results...)
	}
	b.learnGate("otherGate", all, func(t *rag.Trace) []float64 { return t.Gate })
	b.learnGate("otherKeywordGate", all, withoutVectors)
	return nil
}

// The places in the gate's evidence of what vectors and spans say.
const (
	gateCosineGap, gateAgreement = 3, 4
	gateSpan                     = 7
)

// withoutVectors is the gate's evidence as a corpus without vectors gives it.
func withoutVectors(t *rag.Trace) []float64 {
	g := append([]float64(nil), t.Gate...)
	g[gateCosineGap] = 0
	g[gateAgreement] = t.Sentences[0].Coverage
	return g
}

// rescore puts the best span's score under new weights into the evidence.
func rescore(results []asked, weights []float64) {
	for _, r := range results {
		t := r.reply.Answer.Trace
		if t == nil || len(t.Spans) == 0 {
			continue
		}
		best := math.Inf(-1)
		for _, s := range t.Spans {
			sum := 0.0
			for j, f := range s.Features {
				sum += weights[j] * f
			}
			best = max(best, sum)
		}
		t.Gate[gateSpan] = best
	}
}

// learnGate fits the gate and prints how well it tells.
func (b *bench) learnGate(name string, results []asked, evidence func(*rag.Trace) []float64) {
	var gates [][]float64
	var truth []bool
	for _, r := range results {
		if t := r.reply.Answer.Trace; t != nil {
			gates = append(gates, evidence(t))
			truth = append(truth, r.gold)
		}
	}
	weights, bias := fitGate(gates, truth)
	fmt.Fprintf(b.out, "%sBias %.3f %sWeights: %.3f\n", name, bias, name, weights)
	b.printGate(gates, truth, weights, bias)
}

// fitSpans climbs the expected log-reward with Adam (Kingma and Ba 2015).
func fitSpans(examples []example) []float64 {
	n := len(examples[0].features[0])
	return climb(n, 400, 0.003, func(w, gradient []float64) {
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
func climb(n, steps int, penalty float64, add func(w, gradient []float64)) []float64 {
	const rate, b1, b2 = 0.05, 0.9, 0.999
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

// fitGate is a logistic regression on standardised evidence, so that the
// penalty weighs all alike; the weights it returns are for the raw evidence.
func fitGate(gates [][]float64, truth []bool) (weights []float64, bias float64) {
	n := len(gates[0])
	mean, deviation := make([]float64, n), make([]float64, n)
	for j := range n {
		for _, g := range gates {
			mean[j] += g[j] / float64(len(gates))
		}
		for _, g := range gates {
			deviation[j] += (g[j] - mean[j]) * (g[j] - mean[j]) / float64(len(gates))
		}
		deviation[j] = max(math.Sqrt(deviation[j]), 1e-9)
	}
	const penalty = 10.0
	w := climb(n+1, 2000, penalty/float64(len(gates)), func(w, gradient []float64) {
		for i, g := range gates {
			z := make([]float64, n)
			for j := range z {
				z[j] = (g[j] - mean[j]) / deviation[j]
			}
			miss := (one(truth[i]) - logistic(z, w)) / float64(len(gates))
			for j := range z {
				gradient[j] += miss * z[j]
			}
			gradient[n] += miss
		}
	})
	bias = w[n]
	for j := range n {
		weights = append(weights, w[j]/deviation[j])
		bias -= w[j] * mean[j] / deviation[j]
	}
	return weights, bias
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
