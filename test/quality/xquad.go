package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// question is one question of XQuAD with its gold answers.
type question struct {
	index    int // in the file's order, from 0; its parity names its half
	article  int
	text     string
	answers  []string
	para     string // the paragraph that answers it
	answerAt int    // byte offset of the first answer in para
}

// odd says whether the question belongs to the half that may be learned on.
func (q question) odd() bool { return q.index%2 == 1 }

// even says whether it is of the half that is only reported.
func (q question) even() bool { return !q.odd() }

// article is one article: its title and paragraphs.
type article struct {
	title      string
	paragraphs []string
}

// loadXQuAD reads a file in SQuAD's format.
func loadXQuAD(path string) ([]article, []question, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	var file struct {
		Data []struct {
			Title      string
			Paragraphs []struct {
				Context string
				Qas     []struct {
					Question string
					Answers  []struct {
						Text        string
						AnswerStart int `json:"answer_start"` // in characters
					}
				}
			}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	var articles []article
	var questions []question
	for i, d := range file.Data {
		a := article{title: strings.ReplaceAll(d.Title, "_", " ")}
		for _, p := range d.Paragraphs {
			a.paragraphs = append(a.paragraphs, p.Context)
			for _, qa := range p.Qas {
				q := question{index: len(questions), article: i, text: qa.Question, para: p.Context}
				for _, answer := range qa.Answers {
					q.answers = append(q.answers, answer.Text)
				}
				q.answerAt = len(string([]rune(p.Context)[:qa.Answers[0].AnswerStart]))
				questions = append(questions, q)
			}
		}
		articles = append(articles, a)
	}
	return articles, questions, nil
}

// writeFolder writes each article as a Markdown file, leaving out the
// paragraphs for which withheld says so. Files that are already as they
// should be are left alone, so that an index of the folder stays valid.
func writeFolder(dir string, articles []article, withheld func(paragraph string) bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, a := range articles {
		var b strings.Builder
		fmt.Fprintf(&b, "# %s\n", a.title)
		for _, p := range a.paragraphs {
			if !withheld(p) {
				fmt.Fprintf(&b, "\n%s\n", p)
			}
		}
		name := filepath.Join(dir, fmt.Sprintf("%02d.md", i))
		if old, err := os.ReadFile(name); err == nil && string(old) == b.String() {
			continue
		}
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// sample picks n questions of a half at even distances, the same every time.
func sample(questions []question, n int, half func(question) bool) []question {
	var pool []question
	for _, q := range questions {
		if half(q) {
			pool = append(pool, q)
		}
	}
	if n <= 0 || n >= len(pool) {
		return pool
	}
	picked := make([]question, n)
	for i := range picked {
		picked[i] = pool[i*len(pool)/n]
	}
	return picked
}
