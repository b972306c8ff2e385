package rag

import "context"

// Quote answers without a language model: it quotes the sentences that hold
// most of the question's words, and does not judge whether they answer it.
type Quote struct {
	// Embedder compares the question with single sentences; nil is fine.
	Embedder Embedder
}

// Answer implements Answerer.
func (q *Quote) Answer(ctx context.Context, results *Results, _ func(string)) (*Answer, error) {
	answer := &Answer{Question: results.Question, Method: MethodQuote}
	sentences, err := rankSentences(ctx, results, q.Embedder, nil)
	if err != nil || len(sentences) == 0 {
		return answer, err
	}
	if answer.Citations = nearest(sentences); len(answer.Citations) == 0 {
		return answer, nil
	}
	answer.Answered = true
	answer.Text = answer.Citations[0].Quote
	return answer, nil
}
