package rag

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ragstone/ragstone/llm"
)

// The span table: how many word starts are followed, and how many tokens far.
const (
	spanStarts = 20
	spanTokens = 10

	// hopefulStarts is how many of them are compared with what any question
	// would make probable.
	hopefulStarts = 12

	// functionStart is taken off the log-probability of a start with a function
	// word: answers rarely begin with one, and the model likes them.
	functionStart = 1.5
)

// span is a run of words of one sentence, a candidate for the answer.
type span struct {
	sentence   *sentence
	start, end int // in sentence.text()

	logProb float64 // of its tokens and of the answer's end after them
	prior   float64 // the same after anyQuestion
	stop    float64 // the answer's end alone, a part of logProb
	tokens  int

	features [numFeatures]float64
	column   float64 // share of the words of its column's heading that stand in the question
	score    float64
}

// evidence makes log-probabilities of spans of different lengths alike.
func (s *span) evidence(logProb float64) float64 { return logProb / math.Sqrt(float64(s.tokens+1)) }

func (s *span) text() string { return s.sentence.text()[s.start:s.end] }

// spansOf builds the table of candidate answers. Every word of the sentences
// may begin one; the most probable beginnings after the prompt are followed
// together, and each word end on the way closes a candidate. None crosses a
// sentence.
func spansOf(ctx context.Context, sentences []*sentence, question string, scorer llm.Scorer) ([]*span, error) {
	prompt := answerPrompt(sentences, question)
	starts, err := likelyStarts(ctx, prompt, sentences, question, scorer)
	if err != nil {
		return nil, err
	}
	scored, err := follow(ctx, starts, prompt, scorer)
	if err != nil {
		return nil, fmt.Errorf("score %d spans: %w", len(starts), err)
	}
	var table [][]*span
	for i, item := range scored {
		if spans := closeSpans(starts[i], item.Tokens); len(spans) > 0 {
			table = append(table, spans)
		}
	}
	table = hopeful(table)
	if err := scorePriors(ctx, table, answerPrompt(sentences, anyQuestion), scorer); err != nil {
		return nil, err
	}
	return slices.Concat(table...), nil
}

// follow scores the words from each start on, after a prompt.
func follow(ctx context.Context, starts []*span, prompt string, scorer llm.Scorer) ([]llm.Scored, error) {
	request := llm.ScoreRequest{MaxTokens: spanTokens, End: "\n"}
	for _, s := range starts {
		request.Items = append(request.Items, llm.ScoreItem{
			Prompt:       prompt,
			Continuation: " " + oneLine(s.sentence.text()[s.start:]),
		})
	}
	return scorer.Score(ctx, request)
}

// hopeful keeps the starts with the most probable spans.
func hopeful(table [][]*span) [][]*span {
	best := func(spans []*span) float64 {
		most := math.Inf(-1)
		for _, s := range spans {
			most = max(most, s.evidence(s.logProb))
		}
		return most
	}
	slices.SortStableFunc(table, func(a, b []*span) int { return cmp.Compare(best(b), best(a)) })
	return table[:min(hopefulStarts, len(table))]
}

// scorePriors fills prior of the spans of each start.
func scorePriors(ctx context.Context, table [][]*span, prompt string, scorer llm.Scorer) error {
	starts := make([]*span, len(table))
	for i, spans := range table {
		starts[i] = spans[0]
	}
	scored, err := follow(ctx, starts, prompt, scorer)
	if err != nil {
		return fmt.Errorf("score %d spans for any question: %w", len(table), err)
	}
	for i, spans := range table {
		sum, read := 0.0, 0
		for _, s := range spans { // each is longer than the one before
			for ; read < s.tokens; read++ {
				sum += scored[i].Tokens[read].LogProb
			}
			s.prior = sum + scored[i].Tokens[read-1].EndLogProb
		}
	}
	return nil
}

// anyQuestion stands for a question about nothing in particular. A span that
// is as probable after it is no answer but a phrase the model likes anyway
// (Holtzman et al. 2021, domain conditional pointwise mutual information).
const anyQuestion = "What does the passage say?"

// likelyStarts returns one span a word start, the most probable first tokens
// first, cut to spanStarts.
func likelyStarts(ctx context.Context, prompt string, sentences []*sentence, question string, scorer llm.Scorer) ([]*span, error) {
	var starts []*span
	l := languageOf(question)
	request := llm.ScoreRequest{MaxTokens: 1}
	for _, s := range sentences {
		for _, at := range wordStarts(s.text(), s.borders()) {
			starts = append(starts, &span{sentence: s, start: at})
			request.Items = append(request.Items, llm.ScoreItem{
				Prompt:       prompt,
				Continuation: " " + oneLine(firstWords(s.text()[at:])),
			})
		}
	}
	scored, err := scorer.Score(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("score %d word starts: %w", len(starts), err)
	}
	for i, item := range scored {
		starts[i].logProb = math.Inf(-1)
		if len(item.Tokens) > 0 {
			starts[i].logProb = item.Tokens[0].LogProb
			if w := strings.Fields(starts[i].sentence.text()[starts[i].start:])[0]; l.isFunctionWord(w) && !l.isArticle(w) {
				starts[i].logProb -= functionStart
			}
		}
	}
	slices.SortStableFunc(starts, func(a, b *span) int { return cmp.Compare(b.logProb, a.logProb) })
	return starts[:min(spanStarts, len(starts))], nil
}

// firstWords is enough of a text to know its first token by.
func firstWords(s string) string {
	const enough = 48
	if len(s) <= enough {
		return s
	}
	cut := enough
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// wordStarts are the offsets at which an answer may begin: each word, without
// the opening punctuation before it, and each cell of a row.
func wordStarts(s string, cells borders) []int {
	var starts []int
	atStart := true
	for i, r := range s {
		switch {
		case unicode.IsSpace(r) || cells.at(i):
			atStart = true
		case atStart && !isOpening(r):
			starts = append(starts, i)
			atStart = false
		}
	}
	return starts
}

func isOpening(r rune) bool { return strings.ContainsRune("(\"'“‘[{«", r) }

// closeSpans turns the tokens after one word start into candidates, one for
// each word end.
func closeSpans(start *span, tokens []llm.ScoredToken) []*span {
	text, cells := start.sentence.text(), start.sentence.borders()
	var spans []*span
	sum := 0.0
	for i, token := range tokens {
		sum += token.LogProb
		end := start.start + token.End - 1 // the continuation began with a space
		if end <= start.start || end > len(text) || !isWordEnd(text, end, cells) {
			continue
		}
		end = start.start + len(trimClosing(text[start.start:end]))
		if end <= start.start {
			continue
		}
		if cells.inside(start.start, end) {
			break
		}
		spans = append(spans, &span{
			sentence: start.sentence,
			start:    start.start,
			end:      end,
			logProb:  sum + token.EndLogProb,
			stop:     token.EndLogProb,
			tokens:   i + 1,
		})
	}
	return keepBetter(spans)
}

// keepBetter keeps, of candidates with the same text, the one with the better
// probability (a closing comma makes a second reading of the same words).
func keepBetter(spans []*span) []*span {
	var kept []*span
	for _, s := range spans {
		if n := len(kept); n > 0 && kept[n-1].end == s.end {
			if s.logProb > kept[n-1].logProb {
				kept[n-1] = s
			}
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// trimClosing cuts the punctuation after a span, but leaves a bracket that
// the span itself opened.
func trimClosing(s string) string {
	trimmed := strings.TrimRightFunc(s, isClosing)
	if strings.Count(trimmed, "(") == strings.Count(trimmed, ")")+1 && strings.HasPrefix(s[len(trimmed):], ")") {
		return s[:len(trimmed)+1]
	}
	return trimmed
}

func isClosing(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune(".,;:!?\"'”’)]}»", r)
}

// isWordEnd says whether a word may end before offset i: not inside letters
// and digits, nor on either side of a mark that joins them, as in "1,000" or
// "it's".
func isWordEnd(s string, i int, cells borders) bool {
	before, after := runeBefore(s, i), runeAfter(s, i)
	switch {
	case isInner(before) && isInner(after):
		return false
	case isInner(before):
		return !joins(s, i, after, cells)
	case isInner(after):
		return !joins(s, i-utf8.RuneLen(before), before, cells)
	}
	return true
}

func isInner(r rune) bool { return !notInWord(r) }

// joins says whether the rune at offset i holds the words beside it together.
func joins(s string, i int, r rune, cells borders) bool {
	return strings.ContainsRune(".,'’-", r) && !cells.at(i) &&
		isInner(runeBefore(s, i)) && isInner(runeAfter(s, i+utf8.RuneLen(r)))
}

// answerPrompt puts the sentences, in the order of their text, and the
// question into the form of the examples.
func answerPrompt(sentences []*sentence, question string) string {
	ordered := slices.Clone(sentences)
	slices.SortStableFunc(ordered, func(a, b *sentence) int {
		if c := cmp.Compare(a.hit.Rank, b.hit.Rank); c != 0 {
			return c
		}
		return cmp.Compare(a.start, b.start)
	})
	var b strings.Builder
	b.WriteString(examples)
	b.WriteString("Passage:")
	for _, s := range ordered {
		b.WriteByte(' ')
		b.WriteString(oneLine(strings.TrimSpace(s.shown)))
	}
	b.WriteString("\nQuestion: ")
	b.WriteString(oneLine(strings.TrimSpace(question)))
	b.WriteString("\nAnswer:")
	return b.String()
}

// examples show a base model the form: a passage, a question, and the words
// of the passage that answer it, ended by a line break. Every prompt begins
// with them, so the model reads them once.
const examples = `Passage: The bridge over the Almond was finished in 1911 by the engineer Clara Voss, after two winters of floods had delayed the work.
Question: Who built the bridge?
Answer: Clara Voss

Passage: Members may borrow up to six books at a time, and each loan lasts 21 days unless another reader has asked for the title.
Question: How long may a member keep a book?
Answer: 21 days

Passage: The older kilns burned beech wood, but since the forest was protected the potters of Marren have used natural gas.
Question: What do the potters use as fuel today?
Answer: natural gas

Passage: Because its roots hold the sand together, marram grass was planted along the whole coast between Hollum and Nes.
Question: Why was marram grass planted?
Answer: its roots hold the sand together

`
