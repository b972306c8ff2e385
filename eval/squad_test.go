package eval_test

import (
	"math"
	"testing"

	"github.com/ragstone/ragstone/eval"
)

func TestAnswersAreComparedAsSQuADDoes(t *testing.T) {
	tests := []struct {
		answer     string
		references []string
		exact, f1  float64
	}{
		{"The Eiffel Tower!", []string{"Eiffel tower"}, 1, 1},
		{"Denver Broncos", []string{"Carolina Panthers", "The Denver Broncos"}, 1, 1},
		{"in 1889", []string{"1889"}, 0, 2.0 / 3},
		{"twenty-four", []string{"twentyfour"}, 1, 1},
		{"a cat and a cat", []string{"cat"}, 0, 0.5},
		{"  two \n words ", []string{"two words"}, 1, 1},
		{"Paris", []string{"London"}, 0, 0},
		{"", []string{"the"}, 1, 1},
		{"", []string{"something"}, 0, 0},
		{"theatre", []string{"atre"}, 0, 0},
		{"École", []string{"école"}, 1, 1},
	}
	for _, test := range tests {
		if got := eval.ExactMatch(test.answer, test.references...); got != test.exact {
			t.Errorf("ExactMatch(%q, %q) = %v, want %v", test.answer, test.references, got, test.exact)
		}
		if got := eval.F1(test.answer, test.references...); math.Abs(got-test.f1) > 1e-12 {
			t.Errorf("F1(%q, %q) = %v, want %v", test.answer, test.references, got, test.f1)
		}
	}
}
