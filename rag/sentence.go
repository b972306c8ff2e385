package rag

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/llm"
)

// How many passages are read for sentences, how many sentences the model
// reads, and how many go into the prompt that spans are scored under.
const (
	readPassages  = 4
	keptSentences = 8
	bestSentences = 2
)

// sentence is one sentence of a passage and how well it fits the question.
type sentence struct {
	hit        *Hit
	start, end int      // in hit.Text
	words      words    // of shown
	head       []string // of the table whose row it is, or nil
	shown      string   // what the models read: the text, or the labelled row

	// Evidence: the weighted share of the question's terms, their BM25 among
	// these sentences, the cosine of its embedding and the question's, and the
	// log-probability per token of the question after it.
	coverage, keyword, cosine, likelihood float64

	// score is the sum of the standardised evidence.
	score float64

	// heading tells one of the headings above the passage, or the head of a
	// table: it says what follows is about, and answers nothing.
	heading bool

	// foreign tells a row without a number that the question names, as "Widget
	// 107" to one about Widget 77: it is about something else.
	foreign bool
}

func (s *sentence) text() string { return s.hit.Text[s.start:s.end] }

// borders are those of its cells, in text.
func (s *sentence) borders() borders { return bordersOf(s.text(), len(s.head)) }

// sentencesOf cuts the best passages into sentences.
func sentencesOf(results *Results) []*sentence {
	var all []*sentence
	l := languageOf(results.Question)
	numbers := l.numbersOf(results.Question)
	for i := range results.Hits[:min(readPassages, len(results.Hits))] {
		hit := &results.Hits[i]
		for _, span := range hit.sentences() {
			s := &sentence{hit: hit, start: span.Start, end: span.End}
			s.heading = slices.Contains(hit.Headings, s.text()) || hit.isHeadAt(span.Start)
			s.head = hit.headAt(span.Start)
			s.shown = labelled(s.text(), s.head)
			s.words = l.wordsOf(s.shown)
			s.foreign = len(s.head) > 0 && numbers.shareIn(s.words) < 1 && len(numbers) > 0
			if len(s.words) > 1 { // one word is a heading or a label, not an answer
				all = append(all, s)
			}
		}
	}
	return all
}

// scoreWords fills coverage and keyword: BM25 with the corpus's term weights
// and the lengths of these sentences.
func scoreWords(all []*sentence, question weight) {
	const k1, b = 0.9, 0.4
	length := 0.0
	for _, s := range all {
		length += float64(len(s.words)) / float64(len(all))
	}
	for _, s := range all {
		s.coverage = question.coverage(s.words)
		norm := k1 * (1 - b + b*float64(len(s.words))/length)
		for term, idf := range question {
			if s.words[term] {
				s.keyword += idf / (1 + norm)
			}
		}
	}
}

// scoreMeaning fills cosine; without an embedder it stays 0.
func scoreMeaning(ctx context.Context, all []*sentence, question []float32, embedder Embedder) error {
	if embedder == nil || question == nil || len(all) == 0 {
		return nil
	}
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = s.shown
	}
	vectors, err := embedder.Embed(ctx, texts)
	if err != nil {
		return fmt.Errorf("embed %d sentences: %w", len(texts), err)
	}
	for i, v := range vectors {
		for j := range min(len(v), len(question)) {
			all[i].cosine += float64(v[j]) * float64(question[j])
		}
	}
	return nil
}

// best keeps the n sentences with the highest score under the given evidence.
// Rows about something else come after everything else, and headings last.
func best(all []*sentence, n int) []*sentence {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *sentence) int {
		return cmp.Or(
			cmp.Compare(truth(a.heading), truth(b.heading)),
			cmp.Compare(truth(a.foreign), truth(b.foreign)),
			cmp.Compare(b.score, a.score),
		)
	})
	return sorted[:min(n, len(sorted))]
}

// addStandardised adds the z-scores of one kind of evidence to the scores.
func addStandardised(all []*sentence, weight float64, evidence func(*sentence) float64) {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = evidence(s)
	}
	for i, z := range standardise(values) {
		all[i].score += weight * z
	}
}

// scoreLikelihood fills likelihood: how probable the model finds the question
// after reading the sentence, per token (query likelihood; Ponte and Croft
// 1998, with a language model in place of counts).
func scoreLikelihood(ctx context.Context, kept []*sentence, question string, scorer llm.Scorer) error {
	request := llm.ScoreRequest{}
	for _, s := range kept {
		request.Items = append(request.Items, llm.ScoreItem{
			Prompt:       examples + "Passage: " + oneLine(s.shown) + "\nQuestion:",
			Continuation: " " + oneLine(question),
		})
	}
	scored, err := scorer.Score(ctx, request)
	if err != nil {
		return fmt.Errorf("score the question after %d sentences: %w", len(kept), err)
	}
	for i, item := range scored {
		for _, token := range item.Tokens {
			kept[i].likelihood += token.LogProb / float64(len(item.Tokens))
		}
	}
	return nil
}

// rankSentences returns the sentences worth reading, best first: all of the
// best passages by words and meaning, the best of those by the model as well.
func rankSentences(ctx context.Context, results *Results, embedder Embedder, scorer llm.Scorer) ([]*sentence, error) {
	all := sentencesOf(results)
	if len(all) == 0 {
		return nil, nil
	}
	scoreWords(all, results.weights())
	if err := scoreMeaning(ctx, all, results.Vector, embedder); err != nil {
		return nil, err
	}
	addStandardised(all, sentenceWeights.keyword, func(s *sentence) float64 { return s.keyword })
	addStandardised(all, sentenceWeights.cosine, func(s *sentence) float64 { return s.cosine })
	addStandardised(all, sentenceWeights.passage, func(s *sentence) float64 { return s.hit.Score })
	kept := best(all, keptSentences)
	if scorer == nil {
		return kept, nil
	}
	if err := scoreLikelihood(ctx, kept, results.Question, scorer); err != nil {
		return nil, err
	}
	addStandardised(kept, sentenceWeights.likelihood, func(s *sentence) float64 { return s.likelihood })
	return best(kept, len(kept)), nil
}

// oneLine joins a text's lines, since a line break ends an answer in the
// prompts' form. It keeps the number of bytes, so offsets stay true.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, s)
}
