package rag

import "math"

// The evidence on whether the documents answer a question at all, in the
// order of gateWeights. None depends on the size of the corpus, so that a
// threshold learned on one holds on another.
const (
	gPassage    = iota // question terms in the best passage, weighted by IDF
	gSentence          // the same in the best sentence
	gCosine            // best cosine of a passage
	gSentCosine        // best cosine of a sentence
	gKeyword           // best BM25 over what the question's terms could reach
	gLikelihood        // log-probability per token of the question after the best sentence
	gMissing           // share of the question's terms that stand nowhere
	gContrast          // how far the best passage's BM25 stands above the next
	numGate
)

// gate is the evidence about one question.
type gate [numGate]float64

// gateEvidence gathers the evidence; sentences are best first.
func gateEvidence(results *Results, sentences []*sentence) gate {
	var g gate
	question := results.weights()
	reach := 0.0
	for _, t := range results.Terms {
		if questionTerms[t.Term] {
			continue
		}
		reach += t.IDF * bm25Reach
		if t.Passages == 0 {
			g[gMissing] += 1 / float64(len(question))
		}
	}
	var keyword []float64
	for i := range results.Hits[:min(readPassages, len(results.Hits))] {
		hit := &results.Hits[i]
		g[gPassage] = max(g[gPassage], question.coverage(wordsOf(hit.Text)))
		keyword = append(keyword, hit.Keyword.Score)
	}
	g[gCosine] = results.BestVector
	if reach > 0 {
		g[gKeyword] = results.BestKeyword / reach
	}
	g[gContrast] = contrast(keyword)
	g[gLikelihood] = math.Inf(-1)
	for _, s := range sentences {
		g[gSentence] = max(g[gSentence], s.coverage)
		g[gSentCosine] = max(g[gSentCosine], s.cosine)
		g[gLikelihood] = max(g[gLikelihood], s.likelihood)
	}
	return g
}

// bm25Reach is the most one term can add to a BM25 score, over its IDF, in
// Lucene's form of the formula.
const bm25Reach = 1

// confidence is the probability that the documents answer the question.
func (g gate) confidence() float64 {
	x := gateBias
	for i, w := range gateWeights {
		x += w * g[i]
	}
	return sigmoid(x)
}
