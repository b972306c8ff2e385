package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ragstone/ragstone/eval"
)

// collection is a set of documents with questions whose relevant documents are
// known.
type collection struct {
	name     string
	metric   eval.Metric // the one it is usually judged by
	titles   []string
	texts    []string
	ids      []string // of documents
	queries  []string
	relevant []map[string]int // by query: id to grade
}

// embedded is the text a document's vector is made from.
func (c *collection) embedded(doc int) string {
	if c.titles[doc] == "" {
		return c.texts[doc]
	}
	return c.titles[doc] + "\n" + c.texts[doc]
}

// loadSciFact reads BEIR's SciFact with the questions of a split: train, test.
func loadSciFact(folder, split string) (*collection, error) {
	c := &collection{name: "SciFact " + split, metric: eval.NDCG(10)}
	err := eachJSON(filepath.Join(folder, "corpus.jsonl"), func(d beirRecord) {
		c.ids = append(c.ids, d.ID)
		c.titles = append(c.titles, d.Title)
		c.texts = append(c.texts, d.Text)
	})
	if err != nil {
		return nil, err
	}
	judged, err := os.Open(filepath.Join(folder, "qrels", split+".tsv"))
	if err != nil {
		return nil, err
	}
	defer judged.Close()
	qrels, err := eval.ReadQrels(judged)
	if err != nil {
		return nil, err
	}
	err = eachJSON(filepath.Join(folder, "queries.jsonl"), func(q beirRecord) {
		if qrels[q.ID] != nil {
			c.queries = append(c.queries, q.Text)
			c.relevant = append(c.relevant, qrels[q.ID])
		}
	})
	return c, err
}

// beirRecord is a line of BEIR's corpus or queries.
type beirRecord struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

func eachJSON(path string, fn func(beirRecord)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var r beirRecord
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		fn(r)
	}
	return lines.Err()
}

// xquadParagraphs makes every paragraph a document under its article's title,
// and takes one half of the questions.
func xquadParagraphs(articles []article, questions []question, name string, half func(question) bool) *collection {
	c := &collection{name: name, metric: eval.MRR(10)}
	place := map[string]string{}
	for _, a := range articles {
		for _, p := range a.paragraphs {
			id := strconv.Itoa(len(c.ids))
			place[p] = id
			c.ids = append(c.ids, id)
			c.titles = append(c.titles, a.title)
			c.texts = append(c.texts, p)
		}
	}
	for _, q := range questions {
		if half(q) {
			c.queries = append(c.queries, q.text)
			c.relevant = append(c.relevant, map[string]int{place[q.para]: 1})
		}
	}
	return c
}
