package rag

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/llm"
)

// Extract answers with a verbatim span. A small language model cannot write a
// reliable answer, but it knows a good one when it reads it: asked how
// probable a question is after each sentence, and how probable each span is
// after the question, it finds the right sentence in most cases and the right
// span in many, and every answer is a quotation.
//
// Sentences of the best passages are ranked by words, meaning and the model's
// likelihood of the question; the spans of the best two by the model's
// probability, the form the question asks for and their place. A gate weighs
// the evidence on whether the documents answer the question at all. The weights
// are learned; see docs/decisions/0010-answering-with-a-small-model.md.
type Extract struct {
	// Scorer is the language model, and Model the name answers carry.
	Scorer llm.Scorer
	Model  string

	// Embedder compares the question with single sentences; nil leaves that
	// evidence out.
	Embedder Embedder

	// Threshold is the confidence from which the documents are said to answer;
	// zero means the learned DefaultThreshold, negative means always.
	Threshold float64

	// Trace asks for Answer.Trace.
	Trace bool
}

// DefaultThreshold is the confidence from which Extract answers.
const DefaultThreshold = 0.5

// Trace is what Extract considered, for those who judge or improve it.
type Trace struct {
	Gate      []float64
	Sentences []SentenceTrace
	Spans     []SpanTrace
}

// SentenceTrace is one sentence, best first, with its evidence.
type SentenceTrace struct {
	Path                                                  string
	Start, End                                            int // in the document's text
	Text                                                  string
	Coverage, Keyword, Cosine, Likelihood, Passage, Score float64
}

// SpanTrace is one candidate answer, best first, with its evidence in the
// order of the ranker's weights. Sentence is an index into Trace.Sentences.
type SpanTrace struct {
	Text     string
	Sentence int
	Features []float64
	Score    float64
}

// Answer implements Answerer.
func (e *Extract) Answer(ctx context.Context, results *Results, _ func(string)) (*Answer, error) {
	answer := &Answer{Question: results.Question, Method: MethodExtract, Model: e.Model}
	sentences, err := rankSentences(ctx, results, e.Embedder, e.Scorer)
	if err != nil {
		return nil, err
	}
	if len(sentences) == 0 {
		return answer, nil
	}
	spans, err := e.spans(ctx, results.Question, sentences)
	if err != nil {
		return nil, err
	}
	evidence := gateEvidence(results, sentences, spans)
	answer.Confidence = gateOf(languageOf(results.Question), results.Vector != nil).confidence(evidence)
	if e.Trace {
		answer.Trace = trace(evidence, sentences, spans)
	}
	threshold := e.Threshold
	if threshold == 0 {
		threshold = DefaultThreshold
	}
	if answer.Confidence < threshold || len(spans) == 0 {
		answer.Citations = nearest(sentences)
		return answer, nil
	}
	chosen := spans[0]
	if w := wider(results.Question, sentences); w != nil {
		chosen = w
	} else if s := inAskedClause(results.Question, spans); s != nil {
		chosen = s
	}
	answer.Answered = true
	answer.Text = chosen.text()
	answer.Citations = []Citation{chosen.cite()}
	return answer, nil
}

// spans returns the candidates of the best sentences, best first.
func (e *Extract) spans(ctx context.Context, question string, sentences []*sentence) ([]*span, error) {
	near := slices.Clone(sentences[:min(bestSentences, len(sentences))])
	near = slices.DeleteFunc(near, func(s *sentence) bool { return s.foreign })
	if len(near) == 0 {
		return nil, nil
	}
	spans, err := spansOf(ctx, near, question, e.Scorer)
	if err != nil {
		return nil, err
	}
	l := languageOf(question)
	asked := l.wordsOf(question)
	spans = slices.DeleteFunc(spans, func(s *span) bool { return s.inRow() && l.wordsOf(s.text()).shareIn(asked) == 1 }) // it only says which row
	describe(spans, question)
	rankSpans(spans)
	return spans, nil
}

// cite quotes the span's sentence and marks the span.
func (s *span) cite() Citation {
	c := s.sentence.hit.cite(1, s.sentence.start, s.sentence.end)
	c.Mark = [2]int{s.start, s.end}
	return c
}

// nearest quotes the sentences closest to the question, each text once. One
// that shares neither words nor meaning with it is not near, and a heading only
// where there is nothing else: citations name it anyway.
func nearest(sentences []*sentence) []Citation {
	const shown, meansAlike = 3, 0.3
	var citations []Citation
	seen := map[string]bool{}
	for _, s := range withoutHeadings(sentences) {
		words := strings.Join(strings.Fields(s.text()), " ")
		if len(citations) < shown && !seen[words] && (s.coverage > 0 || s.cosine >= meansAlike) {
			seen[words] = true
			citations = append(citations, s.hit.cite(len(citations)+1, s.start, s.end))
		}
	}
	return citations
}

func withoutHeadings(sentences []*sentence) []*sentence {
	others := slices.DeleteFunc(slices.Clone(sentences), func(s *sentence) bool { return s.heading })
	if len(others) == 0 {
		return sentences
	}
	return others
}

func trace(evidence gate, sentences []*sentence, spans []*span) *Trace {
	t := &Trace{Gate: evidence[:]}
	place := map[*sentence]int{}
	for i, s := range sentences {
		place[s] = i
		t.Sentences = append(t.Sentences, SentenceTrace{
			Path: s.hit.Path, Start: s.hit.Start + s.start, End: s.hit.Start + s.end, Text: s.text(),
			Coverage: s.coverage, Keyword: s.keyword, Cosine: s.cosine, Likelihood: s.likelihood,
			Passage: s.hit.Score, Score: s.score,
		})
	}
	for _, s := range spans {
		t.Spans = append(t.Spans, SpanTrace{Text: s.text(), Sentence: place[s.sentence], Features: s.features[:], Score: s.score})
	}
	return t
}

// sigmoid maps a sum of evidence to a probability.
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
