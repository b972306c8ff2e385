package rag

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/llm"
)

// Write lets a language model write the answer from numbered passages, as
// short statements that each name their passages, and checks every statement
// against them before it is said: quotations must stand there word for word,
// and names, numbers and content words must be covered. What fails is marked,
// not hidden. It suits models from about half a billion parameters, and any
// upstream.
type Write struct {
	// Generator writes, and Model is the name answers carry.
	Generator llm.Generator
	Model     string

	// Passages is how many are shown to the model; zero means 5.
	Passages int

	// MaxTokens bounds the answer; zero means 300.
	MaxTokens int
}

const noAnswer = "NOT IN THE PASSAGES"

const writeInstructions = `You answer questions from numbered passages and from nothing else.
Write one to four short sentences. End each sentence with the numbers of the passages it comes from, like this: [2].
Copy names, numbers and dates exactly. If the passages do not answer the question, write only: ` + noAnswer

// Answer implements Answerer.
func (w *Write) Answer(ctx context.Context, results *Results, say func(string)) (*Answer, error) {
	answer := &Answer{Question: results.Question, Method: MethodWrite, Model: w.Model}
	hits := results.Hits[:min(orDefault(w.Passages, 5), len(results.Hits))]
	if len(hits) == 0 {
		return answer, nil
	}
	check := checker{hits: hits}
	statements := statementReader{}
	zero := 0.0
	request := llm.Request{
		Messages:    writeMessages(results.Question, hits),
		MaxTokens:   orDefault(w.MaxTokens, 300),
		Temperature: &zero,
	}
	take := func(texts []string) {
		for _, text := range texts {
			statement := check.statement(text)
			if answer.says(statement.Text) {
				continue
			}
			if say != nil {
				say(separator(answer.Statements) + statement.shown())
			}
			answer.Statements = append(answer.Statements, statement)
		}
	}
	for delta, err := range w.Generator.Generate(ctx, request) {
		if err != nil {
			return nil, fmt.Errorf("write the answer: %w", err)
		}
		take(statements.add(delta.Text))
		if statements.refused {
			break
		}
	}
	if statements.refused {
		answer.Statements = nil
	} else {
		take(statements.rest())
	}
	answer.Citations = check.citations
	answer.finish()
	if !answer.Answered {
		answer.Citations = nearestByWords(results)
	}
	return answer, nil
}

// says tells whether a statement is there already: small models repeat
// themselves.
func (a *Answer) says(text string) bool {
	return slices.ContainsFunc(a.Statements, func(s Statement) bool { return s.Text == text })
}

// nearestByWords quotes the sentences that hold most of the question's words.
func nearestByWords(results *Results) []Citation {
	sentences := sentencesOf(results)
	scoreWords(sentences, results.weights())
	addStandardised(sentences, 1, func(s *sentence) float64 { return s.keyword })
	return nearest(best(sentences, keptSentences))
}

// finish derives text and confidence from the statements: an answer of which
// nothing is supported is none.
func (a *Answer) finish() {
	supported := 0
	var text strings.Builder
	for i, s := range a.Statements {
		if s.Supported {
			supported++
		}
		text.WriteString(separator(a.Statements[:i]))
		text.WriteString(s.shown())
	}
	if len(a.Statements) > 0 {
		a.Confidence = float64(supported) / float64(len(a.Statements))
	}
	a.Answered = supported > 0
	a.Text = text.String()
}

func separator(before []Statement) string {
	if len(before) == 0 {
		return ""
	}
	return " "
}

// shown is the statement with its citations' numbers, or its mark.
func (s Statement) shown() string {
	if !s.Supported {
		return s.Text + " (not from the documents)"
	}
	var b strings.Builder
	b.WriteString(s.Text)
	b.WriteByte(' ')
	for _, n := range s.Cites {
		fmt.Fprintf(&b, "[%d]", n)
	}
	return b.String()
}

func writeMessages(question string, hits []Hit) []llm.Message {
	var b strings.Builder
	for i := range hits {
		fmt.Fprintf(&b, "[%d] %s\n\n", i+1, strings.TrimSpace(hits[i].Text))
	}
	fmt.Fprintf(&b, "Question: %s", question)
	return []llm.Message{
		{Role: "system", Content: writeInstructions},
		{Role: "user", Content: b.String()},
	}
}

func orDefault(n, fallback int) int {
	if n <= 0 {
		return fallback
	}
	return n
}
