package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ragstone/ragstone/eval"
	"github.com/ragstone/ragstone/internal/lexical"
	"github.com/ragstone/ragstone/rag"
)

// method is a way to fuse two rankings, with the vectors' share as its knob.
type method struct {
	name string
	fuse func(candidates []candidate, weight float64) []scored
}

var methods = []method{
	{"convex, share of the best", func(candidates []candidate, weight float64) []scored {
		return fuseCandidates(candidates, func(keyword, bestKeyword, vector, bestVector float64) float64 {
			return (1-weight)*share(keyword, bestKeyword) + weight*share(vector, bestVector)
		})
	}},
	{"convex, min to max", func(candidates []candidate, weight float64) []scored {
		keyword, vector := bounds(candidates)
		return rankBy(candidates, func(c candidate) float64 {
			return (1-weight)*share(c.keyword-keyword.low, keyword.high-keyword.low) +
				weight*share(c.vector-vector.low, vector.high-vector.low)
		})
	}},
	{"RRF, k 60", func(candidates []candidate, weight float64) []scored { return reciprocal(candidates, weight, 60) }},
	{"RRF, k 10", func(candidates []candidate, weight float64) []scored { return reciprocal(candidates, weight, 10) }},
}

func share(score, best float64) float64 {
	if best <= 0 {
		return 0
	}
	return max(0, score/best)
}

type interval struct{ low, high float64 }

func bounds(candidates []candidate) (keyword, vector interval) {
	for i, c := range candidates {
		if i == 0 {
			keyword, vector = interval{c.keyword, c.keyword}, interval{c.vector, c.vector}
		}
		keyword = interval{min(keyword.low, c.keyword), max(keyword.high, c.keyword)}
		vector = interval{min(vector.low, c.vector), max(vector.high, c.vector)}
	}
	return keyword, vector
}

// reciprocal is weighted reciprocal rank fusion (Cormack, Clarke and Büttcher
// 2009); at weight 0.5 it is the plain one.
func reciprocal(candidates []candidate, weight, k float64) []scored {
	term := func(rank int) float64 {
		if rank == 0 {
			return 0
		}
		return 1 / (k + float64(rank))
	}
	return rankBy(candidates, func(c candidate) float64 {
		return (1-weight)*term(c.keywordRank) + weight*term(c.vectorRank)
	})
}

// printFusions prints what the default fusion was chosen by: SciFact's train
// claims and the odd half of XQuAD's questions.
func (b *bench) printFusions(ctx context.Context, embedding *rag.Embedding, out io.Writer) error {
	train, err := loadSciFact(b.shared("data", "scifact"), "train")
	if err != nil {
		return err
	}
	articles, questions, err := loadXQuAD(b.shared("data", "xquad", "xquad.en.json"))
	if err != nil {
		return err
	}
	odd := xquadParagraphs(articles, questions, "XQuAD en, odd half", question.odd)
	for _, c := range []*collection{train, odd} {
		s, err := b.newSearcher(ctx, embedding, c)
		if err != nil {
			return err
		}
		s.printFusions(out)
	}
	return nil
}

func (s *searcher) printFusions(out io.Writer) {
	all := make([][]candidate, len(s.queries))
	var keyword, vector ranking
	for i := range s.queries {
		candidates, byWords, byVectors := s.search(i)
		all[i] = candidates
		keyword, vector = append(keyword, byWords), append(vector, byVectors)
	}
	value := func(r ranking) float64 { return eval.Mean(s.measure(r, s.metric)) }
	lucene := value(keywordRanking(s.collection, lexical.Lucene()))
	fmt.Fprintf(out, "\n%s, %s: BM25 %.4f (Lucene's analyser %.4f), MiniLM %.4f\n\n| vectors' share | 0.3 | 0.4 | 0.5 | 0.6 | 0.7 |\n|---|---|---|---|---|---|\n",
		s.name, s.metric.Name, value(keyword), lucene, value(vector))
	for _, m := range methods {
		fmt.Fprintf(out, "| %s", m.name)
		for _, weight := range []float64{0.3, 0.4, 0.5, 0.6, 0.7} {
			var fused ranking
			for _, candidates := range all {
				fused = append(fused, m.fuse(candidates, weight))
			}
			fmt.Fprintf(out, " | %.4f", value(fused))
		}
		fmt.Fprint(out, " |\n")
	}
	fmt.Fprintln(out)
}
