package rag

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// answererFunc is an Answerer that changes what Quote answers.
type answererFunc func(*Answer)

func (f answererFunc) Answer(ctx context.Context, results *Results, say func(string)) (*Answer, error) {
	answer, err := (&Quote{}).Answer(ctx, results, say)
	if err == nil {
		f(answer)
	}
	return answer, err
}

func TestAskSaysOnlyWhatWasChecked(t *testing.T) {
	const leave = "Every new hire has 25 days of leave a year."
	for name, test := range map[string]struct {
		change func(*Answer)
		said   []string
		err    error
	}{
		"a quote":                   {func(*Answer) {}, []string{leave}, nil},
		"a quote of other words":    {func(a *Answer) { a.Citations[0].Quote = "Every new hire has 30 days" }, nil, ErrMisquote},
		"a quote of other bytes":    {func(a *Answer) { a.Citations[0].Start++ }, nil, ErrMisquote},
		"an extract that is marked": {func(a *Answer) { mark(a, "25 days", [2]int{19, 26}) }, []string{"25 days"}, nil},
		"an extract that is not":    {func(a *Answer) { mark(a, "30 days", [2]int{19, 26}) }, nil, ErrMisquote},
		"an extract without quote":  {func(a *Answer) { mark(a, "25 days", [2]int{}); a.Citations = nil }, nil, ErrMisquote},
	} {
		t.Run(name, func(t *testing.T) {
			corpus := newLibrary(t, handbook()).synced()
			var said []string
			reply, err := Ask(t.Context(), corpus, answererFunc(test.change), "How many days of leave has a new hire?", func(s string) { said = append(said, s) })
			if !errors.Is(err, test.err) {
				t.Fatalf("got %+v, %v; want the error %v", reply, err, test.err)
			}
			if !slices.Equal(said, test.said) {
				t.Errorf("said %q, want %q", said, test.said)
			}
		})
	}
}

// mark makes an answer one that Extract could have given.
func mark(a *Answer, text string, words [2]int) {
	a.Method, a.Text, a.Citations[0].Mark = MethodExtract, text, words
}

func TestWriteShowsTheNearestPassagesForAnUnsupportedAnswer(t *testing.T) {
	write := &Write{Generator: script("The cat sat on the mat [1]."), Model: "script"}
	answer, err := write.Answer(t.Context(), twoPassages(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Answered || len(answer.Statements) != 1 || answer.Statements[0].Supported {
		t.Errorf("got %+v, want one statement that is not supported", answer)
	}
	if len(answer.Citations) == 0 {
		t.Error("no nearest passages are shown")
	}
}

func TestWriteSaysNothingTwice(t *testing.T) {
	write := &Write{Generator: script("1. Its lamp burned rape oil [1].\n2. Its lamp burned rape oil [1].\n- The harbour is deep [1]."), Model: "script"}
	answer, err := write.Answer(t.Context(), twoPassages(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Its lamp burned rape oil. [1] The harbour is deep. [2]"; answer.Text != want {
		t.Errorf("got %q, want %q", answer.Text, want)
	}
}

func TestReplyJSONKeepsMarkup(t *testing.T) {
	results := &Results{Question: "a < b && c > d"}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(results); err != nil || !strings.Contains(out.String(), results.Question) {
		t.Errorf("got %s, error %v, want it to hold %q", out.String(), err, results.Question)
	}
}
