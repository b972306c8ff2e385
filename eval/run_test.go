package eval_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/eval"
)

func TestReadQrels(t *testing.T) {
	want := eval.Qrels{"1": {"d1": 1, "d2": 0}, "2": {"d3": 2}}
	for name, text := range map[string]string{
		"TREC": "1 0 d1 1\n1 0 d2 0\n\n2 0 d3 2\n",
		"BEIR": "query-id\tcorpus-id\tscore\n1\td1\t1\n1\td2\t0\n2\td3\t2\n",
	} {
		got, err := eval.ReadQrels(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"1 0 d1 1\n1 2\n": "line 2: 2 columns",
		"1 0 d1 good\n":   `line 1: grade "good"`,
	} {
		_, err := eval.ReadQrels(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadQrels(%q) = %v, want %q", text, err, want)
		}
	}
	_, err := eval.ReadRun(strings.NewReader("1 Q0 d1 1 high tag\n"))
	if err == nil || !strings.Contains(err.Error(), `line 1: score "high"`) {
		t.Errorf("ReadRun = %v, want the line and the score", err)
	}
}

func TestRunsAreOrderedByScore(t *testing.T) {
	run, err := eval.ReadRun(strings.NewReader("q Q0 low 1 1.5 x\nq Q0 high 2 2.5 x\nq Q0 tied 3 1.5 x\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := eval.Run{"q": {{"high", 2.5}, {"low", 1.5}, {"tied", 1.5}}}
	if diff := cmp.Diff(want, run); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	var text bytes.Buffer
	if err := run.Write(&text, "x"); err != nil {
		t.Fatal(err)
	}
	again, err := eval.ReadRun(&text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run, again); diff != "" {
		t.Errorf("written and read (-want +got):\n%s", diff)
	}
}

func TestAnUnansweredQueryScoresZero(t *testing.T) {
	qrels := eval.Qrels{"a": {"d": 1}, "b": {"d": 1}}
	queries, scores := eval.Evaluate(qrels, eval.Run{"a": {{"d", 1}}}, eval.MRR(10))
	if diff := cmp.Diff([]string{"a", "b"}, queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
	if got := eval.Mean(scores); got != 0.5 {
		t.Errorf("mean of %v = %v, want 0.5", scores, got)
	}
}
