package inference

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/openai"
)

func loadVocabulary(t *testing.T, name string) foreign {
	t.Helper()
	f, err := vocabularies[name]()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestForeignText(t *testing.T) {
	tests := []struct {
		vocabulary string
		ids        []int64
		want       string
	}{
		{cl100k, []int64{791, 3691, 574, 18406, 13}, "The food was delicious."},
		{o200k, []int64{976, 290}, "The the"},
		{cl100k, []int64{9468, 97, 244}, "🤖"}, // one character in three tokens
		{cl100k, []int64{9468}, "\uFFFD"},     // half of one
	}
	for _, test := range tests {
		got, err := loadVocabulary(t, test.vocabulary).text(test.ids, "input")
		if err != nil || got != test.want {
			t.Errorf("%s %v = %q, %v; want %q", test.vocabulary, test.ids, got, err, test.want)
		}
	}
}

func TestForeignIDsOutsideTheVocabulary(t *testing.T) {
	f := loadVocabulary(t, cl100k)
	for _, id := range []int64{-1, 100257, 1 << 40} {
		_, err := f.text([]int64{791, id}, "input")
		if refusal, ok := errors.AsType[*openai.RequestError](err); !ok || refusal.Param != "input[1]" {
			t.Errorf("id %d: %v, want a refusal of input[1]", id, err)
		}
	}
}

// count's bound holds only while no token is longer than longestToken.
func TestLongestToken(t *testing.T) {
	for name, size := range map[string]int64{cl100k: 100256, o200k: 199998} {
		f, longest := loadVocabulary(t, name), 0
		for id := range size {
			if piece, ok := f.bytes(id); ok {
				longest = max(longest, len(piece))
			}
		}
		if longest != longestToken {
			t.Errorf("the longest token of %s has %d bytes, longestToken is %d", name, longest, longestToken)
		}
	}
}

func TestForeignCount(t *testing.T) {
	f := loadVocabulary(t, cl100k)
	tests := []struct {
		text  string
		most  int
		want  int
		exact bool
	}{
		{"", 10, 0, true},
		{"The food was delicious.", 10, 5, true},
		{strings.Repeat(" ", 128*10), 10, 10, true},
		{strings.Repeat(" ", 128*10+1), 10, 11, false},
		{strings.Repeat("word ", 1<<20), 8192, 40960, false},
	}
	for _, test := range tests {
		got, exact, err := f.count(test.text, test.most)
		if got != test.want || exact != test.exact || err != nil {
			t.Errorf("count of %d bytes within %d = %d, %v, %v; want %d, %v", len(test.text), test.most, got, exact, err, test.want, test.exact)
		}
	}
}

// wordVocabulary has one token for each of a few texts.
type wordVocabulary map[string]int32

func (v wordVocabulary) Encode(text string) []int32 {
	if id, ok := v[text]; ok {
		return []int32{id}
	}
	return []int32{0, 0}
}

func (v wordVocabulary) Decode(ids []int32) string {
	for text, id := range v {
		if len(ids) == 1 && ids[0] == id {
			return text
		}
	}
	return "?"
}

func TestLogitBiasIsMappedByBytes(t *testing.T) {
	own := Model{Name: "own", Vocabulary: wordVocabulary{" the": 5, " The": 6}}
	alias := Alias{Name: "gpt-4o", Vocabulary: o200k}
	tests := []struct {
		name  string
		route route
		bias  []openai.TokenBias
		want  map[int32]float64 // nil: refused
	}{
		{"an alias's ids become the model's", route{asked: "gpt-4o", model: own, alias: alias}, []openai.TokenBias{{Token: 290, Bias: -100}, {Token: 623, Bias: 2}}, map[int32]float64{5: -100, 6: 2}},
		{"a model's own ids are its own", route{asked: "own", model: own}, []openai.TokenBias{{Token: 290, Bias: 1}}, map[int32]float64{290: 1}},
		{"no single token of the same bytes", route{asked: "gpt-4o", model: own, alias: alias}, []openai.TokenBias{{Token: 291, Bias: 1}}, nil},
		{"not in the vocabulary", route{asked: "gpt-4o", model: own, alias: alias}, []openai.TokenBias{{Token: 1 << 40, Bias: 1}}, nil},
		{"too strong", route{asked: "own", model: own}, []openai.TokenBias{{Token: 1, Bias: 101}}, nil},
		{"not an id", route{asked: "own", model: own}, []openai.TokenBias{{Token: -1, Bias: 1}}, nil},
		{"an unknown vocabulary", route{asked: "gpt-4o", alias: alias}, []openai.TokenBias{{Token: 290, Bias: 1}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.route.logitBias(test.bias)
			if test.want == nil {
				if refusal, ok := errors.AsType[*openai.RequestError](err); !ok || refusal.Param != "logit_bias" {
					t.Errorf("got %v, %v; want a refusal of logit_bias", got, err)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
