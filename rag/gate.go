package rag

import "slices"

// The evidence on whether the documents answer a question at all, in the
// order of a gateModel's weights. None depends on the size of the corpus, so that a
// threshold learned on one holds on another.
const (
	gPassage       = iota // the question's terms in the best passage, weighted by IDF
	gKeyword              // BM25 of the first passage over the IDF of the question's terms
	gKeywordGap           // the same for what the first passage has above the second
	gCosineGap            // cosine of the first passage above the mean of the next three
	gAgreement            // coverage times cosine of the best sentence
	gLikelihoodGap        // the question's log-probability after the likeliest sentence, above the mean
	gMissing              // share of the question's terms that stand nowhere
	gSpan                 // score of the best span
	numGate
)

// gate is the evidence about one question.
type gate [numGate]float64

// gateEvidence gathers the evidence; sentences and spans are best first.
func gateEvidence(results *Results, sentences []*sentence, spans []*span) gate {
	var g gate
	l, question := languageOf(results.Question), results.weights()
	for _, t := range results.Terms {
		if t.Passages == 0 && !l.empty[t.Term] {
			g[gMissing] += 1 / float64(len(question))
		}
	}
	for i := range results.Hits[:min(readPassages, len(results.Hits))] {
		g[gPassage] = max(g[gPassage], question.coverage(l.wordsOf(results.Hits[i].Text)))
	}
	if all := question.sum(); all > 0 {
		first, second := results.keywordScore(0), results.keywordScore(1)
		g[gKeyword], g[gKeywordGap] = first/all, (first-second)/all
	}
	g[gCosineGap] = results.cosineGap()
	g[gAgreement] = sentences[0].coverage
	if results.Vector != nil {
		g[gAgreement] *= sentences[0].cosine
	}
	g[gLikelihoodGap] = likelihoodGap(sentences)
	if len(spans) > 0 {
		g[gSpan] = spans[0].score
	}
	return g
}

func (r *Results) keywordScore(i int) float64 {
	if i >= len(r.Hits) {
		return 0
	}
	return r.Hits[i].Keyword.Score
}

func (r *Results) cosineGap() float64 {
	if r.Vector == nil || len(r.Hits) < 2 {
		return 0
	}
	next := r.Hits[1:min(4, len(r.Hits))]
	gap := r.Hits[0].Vector.Score
	for _, h := range next {
		gap -= h.Vector.Score / float64(len(next))
	}
	return gap
}

// likelihoodGap counts the sentences the model has read.
func likelihoodGap(sentences []*sentence) float64 {
	var values []float64
	mean := 0.0
	for _, s := range sentences {
		values = append(values, s.likelihood)
		mean += s.likelihood / float64(len(sentences))
	}
	return slices.Max(values) - mean
}

// gateModel is a logistic regression on the evidence.
type gateModel struct {
	bias    float64
	weights [numGate]float64
}

// gateOf is the model for a question. Without vectors the evidence means other
// things; outside English, where words are not stemmed and the embedding model
// understands little, it is weaker.
func gateOf(l *language, vectors bool) *gateModel {
	switch {
	case l.isEnglish() && vectors:
		return &englishGate
	case l.isEnglish():
		return &englishKeywordGate
	case vectors:
		return &otherGate
	}
	return &otherKeywordGate
}

// confidence is the probability that the documents answer the question.
func (m *gateModel) confidence(g gate) float64 {
	x := m.bias
	for i, w := range m.weights {
		x += w * g[i]
	}
	return sigmoid(x)
}
