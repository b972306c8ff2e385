package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ragstone/ragstone/eval"
	"github.com/ragstone/ragstone/rag"
)

// The answers section: the XQuAD paragraphs of a language as a folder of 48
// articles, the whole path from question to citation.

const (
	answerable = 150 // questions asked of the whole folder
	withheld   = 150 // more, asked with their paragraph withheld
)

// otherLanguages are those the languages section asks in, so many questions of
// each kind: the models are made for English, and what is held to is that they
// neither fall silent nor make answers up.
var otherLanguages = []string{"de", "es"}

const inOtherLanguages = 75

// asked is one question with what came of it.
type asked struct {
	question  question
	gold      bool // the paragraph that answers it is in the folder
	reply     *rag.Reply
	cpu       time.Duration
	misquoted bool
}

// answersSection asks the fixed sample of the even half and prints the table.
func answersSection(ctx context.Context, b *bench) error {
	results, err := b.askSample(ctx, "en", question.even, answerable, withheld)
	if err != nil {
		return err
	}
	b.printAnswers("en", results)
	return nil
}

// languagesSection does the same in other languages.
func languagesSection(ctx context.Context, b *bench) error {
	for _, language := range otherLanguages {
		results, err := b.askSample(ctx, language, question.even, inOtherLanguages, inOtherLanguages)
		if err != nil {
			return err
		}
		b.printAnswers(language, results)
	}
	return nil
}

// askSample asks n questions of a half of the whole folder and m more with
// their paragraph withheld.
func (b *bench) askSample(ctx context.Context, language string, half func(question) bool, n, m int) ([]asked, error) {
	articles, questions, err := loadXQuAD(b.shared("data", "xquad", "xquad."+language+".json"))
	if err != nil {
		return nil, err
	}
	both := sample(questions, n+m, half)
	var results []asked
	var with, without []question
	for i, q := range both {
		if i*n/len(both) != (i+1)*n/len(both) {
			with = append(with, q)
		} else {
			without = append(without, q)
		}
	}
	whole, err := b.openFolder(ctx, language+"-whole", articles, func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	for _, q := range with {
		if results, err = b.ask(ctx, whole, q, true, results); err != nil {
			return nil, err
		}
	}
	// One folder for each place in an article: it lacks the paragraphs there.
	for place := range 5 {
		lacking := map[string]bool{}
		for _, a := range articles {
			for i, p := range a.paragraphs {
				if i%5 == place {
					lacking[p] = true
				}
			}
		}
		folder, err := b.openFolder(ctx, fmt.Sprintf("%s-without-%d", language, place), articles, func(p string) bool { return lacking[p] })
		if err != nil {
			return nil, err
		}
		for _, q := range without {
			if lacking[q.para] {
				if results, err = b.ask(ctx, folder, q, false, results); err != nil {
					return nil, err
				}
			}
		}
	}
	return results, nil
}

// openFolder writes a folder of articles and brings its index up to date.
func (b *bench) openFolder(ctx context.Context, name string, articles []article, lacks func(string) bool) (*rag.Corpus, error) {
	dir := filepath.Join(b.work, "xquad-"+name)
	if err := writeFolder(dir, articles, lacks); err != nil {
		return nil, err
	}
	embedding, err := b.embedding(ctx)
	if err != nil {
		return nil, err
	}
	corpus, err := rag.OpenCorpus(dir+".index", rag.CorpusOptions{Embedding: embedding, Indexes: b.work})
	if err != nil {
		return nil, err
	}
	_, err = corpus.Sync(ctx, []string{dir}, rag.SyncOptions{})
	return corpus, err
}

func (b *bench) ask(ctx context.Context, corpus *rag.Corpus, q question, gold bool, into []asked) ([]asked, error) {
	answerer, err := b.extract(ctx)
	if err != nil {
		return nil, err
	}
	before := processCPU()
	reply, err := rag.Ask(ctx, corpus, answerer, q.text, nil)
	r := asked{question: q, gold: gold, reply: reply, cpu: processCPU() - before}
	if errors.Is(err, rag.ErrMisquote) {
		r.misquoted = true
	} else if err != nil {
		return nil, fmt.Errorf("ask %q: %w", q.text, err)
	}
	into = append(into, r)
	if b.verbose {
		fmt.Fprintf(os.Stderr, "%4d %v %.2fs %q → %q (gold %q, confidence %.2f)\n",
			len(into), gold, r.cpu.Seconds(), q.text, reply.Answer.Text, q.answers[0], reply.Answer.Confidence)
	}
	return into, nil
}

// printAnswers prints the figures, those in English with what is asked of them.
func (b *bench) printAnswers(language string, results []asked) {
	var top3, exact, f1, sentence, verbatim, wrong, answered float64
	var cpu time.Duration
	var with, without float64
	var confidence []float64
	var truth []bool
	for _, r := range results {
		cpu += r.cpu
		if r.misquoted {
			continue
		}
		a := r.reply.Answer
		confidence = append(confidence, a.Confidence)
		truth = append(truth, r.gold)
		if !r.gold {
			without++
			wrong += one(a.Answered)
			continue
		}
		with++
		answered += one(a.Answered)
		top3 += one(goldAmong(r.reply.Results, r.question, 3))
		verbatim += one(!a.Answered || a.Text == marked(a))
		if a.Answered {
			exact += eval.ExactMatch(a.Text, r.question.answers...)
			f1 += eval.F1(a.Text, r.question.answers...)
			sentence += one(holds(a.Citations[0].Quote, r.question.answers))
		}
	}
	half := "even"
	if len(results) > 0 && results[0].question.odd() {
		half = "odd"
	}
	row := func(what string, got float64, want string) {
		if language != "en" {
			want = ""
		}
		fmt.Fprintf(b.out, "| %s | %.4g | %s |\n", what, got, want)
	}
	fmt.Fprintf(b.out, "\n| answers, XQuAD %s, %s half: %.0f questions, %.0f more with the paragraph withheld | figure | to reach |\n|---|---|---|\n", language, half, with, without)
	row("gold paragraph among the first 3, %", 100*top3/with, "≥ 96")
	row("exact match", 100*exact/with, "≥ 36")
	row("F1", 100*f1/with, "≥ 43")
	row("cited sentence holds the gold answer, %", 100*sentence/with, "≥ 80")
	row("answers verbatim, %", 100*verbatim/with, "100")
	row("answered, %", 100*answered/with, "")
	row("answerable or not, AUROC × 100", 100*eval.AUROC(confidence, truth), "≥ 95")
	row("a wrong \"answer\" though withheld, %", 100*wrong/without, "≤ 15")
	row("CPU seconds a question", cpu.Seconds()/float64(len(results)), "≤ 1.5")
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// marked is the part of the first quote that is the answer.
func marked(a *rag.Answer) string {
	c := a.Citations[0]
	return c.Quote[c.Mark[0]:c.Mark[1]]
}

// goldAmong says whether one of the first n hits is of the paragraph that
// answers.
func goldAmong(results *rag.Results, q question, n int) bool {
	for _, h := range results.Hits[:min(n, len(results.Hits))] {
		if strings.Contains(q.para, tail(h.Text)) || strings.Contains(h.Text, q.para) {
			return true
		}
	}
	return false
}

// tail is the end of a passage, which lies inside a paragraph even where the
// passage begins with the article's title.
func tail(s string) string {
	const enough = 60
	if len(s) <= enough {
		return s
	}
	return s[len(s)-enough:]
}

func holds(text string, answers []string) bool {
	for _, a := range answers {
		if strings.Contains(text, a) {
			return true
		}
	}
	return false
}
