package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ragstone/ragstone/eval"
	"github.com/ragstone/ragstone/rag"
)

// printWholePath measures search as a user has it: articles as files, cut into
// passages, indexed and searched by rag.Corpus. A passage is right when it
// holds the first character of the answer.
func printWholePath(ctx context.Context, out io.Writer, corpus *rag.Corpus, questions []question, half func(question) bool) error {
	c := &collection{name: "XQuAD en, even half, as files", metric: eval.MRR(10)}
	for id := range corpus.Len() {
		c.ids = append(c.ids, strconv.Itoa(id))
	}
	places, err := placesOf(corpus, questions)
	if err != nil {
		return err
	}
	r := &retrieved{collection: c}
	for i, q := range questions {
		if !half(q) {
			continue
		}
		results, err := corpus.Search(ctx, q.text, rag.SearchOptions{K: corpus.Len()})
		if err != nil {
			return err
		}
		right := map[string]int{}
		for _, hit := range results.Hits {
			if hit.Path == places[i].path && hit.Start <= places[i].offset && places[i].offset < hit.End {
				right[c.ids[hit.ID]] = 1
			}
		}
		c.queries = append(c.queries, q.text)
		c.relevant = append(c.relevant, right)
		r.keyword = append(r.keyword, byRank(results, func(h rag.Hit) int { return h.Keyword.Rank }))
		r.vector = append(r.vector, byRank(results, func(h rag.Hit) int { return h.Vector.Rank }))
		r.fused = append(r.fused, byRank(results, func(h rag.Hit) int { return h.Rank }))
	}
	r.print(out)
	return nil
}

// place is where an answer begins.
type place struct {
	path   string
	offset int
}

// placesOf finds the answers of all questions in the corpus, whose files are
// the articles in order.
func placesOf(corpus *rag.Corpus, questions []question) ([]place, error) {
	paths, err := corpus.Paths()
	if err != nil {
		return nil, err
	}
	places := make([]place, len(questions))
	for i, q := range questions {
		path := paths[q.article]
		text, err := corpus.DocumentText(path)
		if err != nil {
			return nil, err
		}
		at := strings.Index(text, q.para)
		if at < 0 {
			return nil, fmt.Errorf("%s lacks the paragraph of question %d", filepath.Base(path), i)
		}
		places[i] = place{path, at + q.answerAt}
	}
	return places, nil
}

// byRank lists the hits in one retriever's order; rank 0 is not in it.
func byRank(results *rag.Results, rank func(rag.Hit) int) []scored {
	hits := slices.Clone(results.Hits)
	slices.SortStableFunc(hits, func(a, b rag.Hit) int { return cmp.Compare(rank(a), rank(b)) })
	var list []scored
	for _, hit := range hits {
		if rank(hit) > 0 && rank(hit) <= depth {
			list = append(list, scored{hit.ID, -float64(rank(hit))})
		}
	}
	return list
}
