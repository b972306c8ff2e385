package rag

import (
	"context"
	"strings"
	"time"
)

// Reply is an answer with the passages it was chosen from and the time each
// stage took. Its JSON form is what `ragstone ask --json` prints.
type Reply struct {
	Answer  *Answer
	Results *Results
	Timings Timings
}

// Timings are wall-clock durations of the stages of one question.
type Timings struct {
	Search, Answer time.Duration
}

// answerPassages is how many passages a question is searched for.
const answerPassages = 10

// Ask searches the corpus, lets the answerer answer from the best passages,
// and checks every quote against its source. say, which may be nil, receives
// the answer as it becomes final; a quotation not before it is checked.
func Ask(ctx context.Context, corpus *Corpus, answerer Answerer, question string, say func(text string)) (*Reply, error) {
	start := time.Now()
	results, err := corpus.Search(ctx, question, SearchOptions{K: answerPassages})
	if err != nil {
		return nil, err
	}
	searched := time.Now()
	said := false
	answer, err := answerer.Answer(ctx, results, func(text string) {
		said = true
		if say != nil {
			say(text)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := answer.Verify(corpus); err != nil {
		return nil, err
	}
	if say != nil && !said && answer.Text != "" {
		say(answer.Text)
	}
	return &Reply{
		Answer:  answer,
		Results: results,
		Timings: Timings{Search: searched.Sub(start), Answer: time.Since(searched)},
	}, nil
}

// HeadingPath joins the headings above a passage, outermost first.
func HeadingPath(headings []string) string { return strings.Join(headings, " › ") }
