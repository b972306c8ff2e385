package eval

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Qrels are relevance judgements: query, then document, to grade.
type Qrels map[string]map[string]int

// Ranked is a document a system returned, with its score.
type Ranked struct {
	Doc   string
	Score float64
}

// Run is what a system returned for each query, best first.
type Run map[string][]Ranked

// Evaluate measures a run on every query that is judged, in the order of
// query names, and returns both. A query the run lacks scores 0, so that
// leaving out the hard ones gains nothing.
func Evaluate(qrels Qrels, run Run, metric Metric) (queries []string, scores []float64) {
	queries = slices.Sorted(maps.Keys(qrels))
	scores = make([]float64, len(queries))
	for i, query := range queries {
		names := make([]string, len(run[query]))
		for j, ranked := range run[query] {
			names[j] = ranked.Doc
		}
		scores[i] = metric.Measure(names, qrels[query])
	}
	return queries, scores
}

// Mean returns the arithmetic mean, 0 for no scores.
func Mean(scores []float64) float64 {
	if len(scores) == 0 {
		return 0
	}
	var sum float64
	for _, s := range scores {
		sum += s
	}
	return sum / float64(len(scores))
}

// ReadQrels reads judgements in either usual shape: TREC's four columns
// "query iteration document grade", or BEIR's three "query document grade"
// under a header line, separated by tabs or spaces.
func ReadQrels(r io.Reader) (Qrels, error) {
	qrels := Qrels{}
	err := eachRow(r, func(fields []string) error {
		var query, doc, grade string
		switch len(fields) {
		case 4:
			query, doc, grade = fields[0], fields[2], fields[3]
		case 3:
			query, doc, grade = fields[0], fields[1], fields[2]
			if query == "query-id" {
				return nil
			}
		default:
			return fmt.Errorf("%d columns: want 4 (TREC) or 3 (BEIR)", len(fields))
		}
		n, err := strconv.Atoi(grade)
		if err != nil {
			return fmt.Errorf("grade %q is no whole number", grade)
		}
		if qrels[query] == nil {
			qrels[query] = map[string]int{}
		}
		qrels[query][doc] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read judgements: %w", err)
	}
	return qrels, nil
}

// ReadRun reads TREC's six columns "query Q0 document rank score tag". As in
// trec_eval the order comes from the score, highest first, and not from the
// rank column; equal scores keep the order of the file.
func ReadRun(r io.Reader) (Run, error) {
	run := Run{}
	err := eachRow(r, func(fields []string) error {
		if len(fields) != 6 {
			return fmt.Errorf("%d columns: want 6", len(fields))
		}
		score, err := strconv.ParseFloat(fields[4], 64)
		if err != nil {
			return fmt.Errorf("score %q is no number", fields[4])
		}
		run[fields[0]] = append(run[fields[0]], Ranked{fields[2], score})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	for _, list := range run {
		slices.SortStableFunc(list, func(a, b Ranked) int { return cmp.Compare(b.Score, a.Score) })
	}
	return run, nil
}

// Write writes a run in the columns ReadRun reads, queries by name, under a
// tag that names the system.
func (run Run) Write(w io.Writer, tag string) error {
	out := bufio.NewWriter(w)
	for _, query := range slices.Sorted(maps.Keys(run)) {
		for i, ranked := range run[query] {
			fmt.Fprintf(out, "%s Q0 %s %d %s %s\n", query, ranked.Doc, i+1,
				strconv.FormatFloat(ranked.Score, 'g', -1, 64), tag)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write run: %w", err)
	}
	return nil
}

// eachRow calls fn with the fields of each line that has any, and puts the
// line's number before an error.
func eachRow(r io.Reader, fn func(fields []string) error) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if err := fn(fields); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}
