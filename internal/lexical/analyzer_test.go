package lexical_test

import (
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/lexical"
)

func TestAnalyzers(t *testing.T) {
	tests := []struct{ text, lucene, standard string }{
		{"The Engineers' running tests.", "engin run test", "engin run test"},
		{"O'Neill's dogs aren't here", "o'neil dog aren't here", "o'neil dog aren't here"},
		{"the king\u2019s and the KING\uFF07S", "king king", "king king"},
		{"relational vietnamization triplicate", "relat vietnam triplic", "relat vietnam triplic"},
		{"it is as at be", "", ""},
		{"maxBatch_size", "maxbatch_s", "maxbatch_s max batch size"},
		{"parseHTTPServer getURLs", "parsehttpserv geturl", "parsehttpserv pars http server geturl get ur ls"},
		{"example.com config.Load 3.14 1,000", "example.com config.load 3.14 1,000",
			"example.com exampl com config.load config load 3.14 1,000"},
		{"p53 utf8 CD4", "p53 utf8 cd4", "p53 p 53 utf8 utf 8 cd4 cd 4"},
		{"_2nd 10x", "_2nd 10x", "_2nd 2 nd 10x 10 x"},
		{"_private __init__", "_privat __init__", "_privat privat __init__ init"},
		{"Straße CAFÉ café ﬁnance", "straße café café ﬁnanc", "strass cafe cafe financ"},
		{"東京 カタカナ", "東 京 カタカナ", "東 京 カタカナ"},
		{"— … ☃ !!", "", ""},
		{"", "", ""},
	}
	for _, test := range tests {
		for _, a := range []struct {
			*lexical.Analyzer
			want string
		}{{lexical.Lucene(), test.lucene}, {lexical.Default(), test.standard}} {
			if got := strings.Join(a.Terms(test.text), " "); got != a.want {
				t.Errorf("%s: Terms(%q) = %q, want %q", a.Name(), test.text, got, a.want)
			}
		}
	}
}

func TestLongWordsAreCut(t *testing.T) {
	for _, term := range lexical.Lucene().Terms(strings.Repeat("ж", 700)) {
		if n := len([]rune(term)); n > 255 {
			t.Errorf("a term of %d letters, want at most 255", n)
		}
	}
}

func TestAnalyzersAreFoundByName(t *testing.T) {
	for _, a := range []*lexical.Analyzer{lexical.Default(), lexical.Lucene()} {
		if found, ok := lexical.Named(a.Name()); !ok || found.Name() != a.Name() {
			t.Errorf("Named(%q) = %v, %v", a.Name(), found, ok)
		}
	}
	if _, ok := lexical.Named("ragstone-0"); ok {
		t.Error("Named found an analyser that never was")
	}
}

func FuzzTerms(f *testing.F) {
	for _, seed := range []string{"maxBatch_size", "O\u2019Neill's", "a\xff_B.c", "\u0300_x", "é_É"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, a := range []*lexical.Analyzer{lexical.Default(), lexical.Lucene()} {
			for _, term := range a.Terms(text) {
				if term == "" {
					t.Errorf("%s: %q has an empty term", a.Name(), text)
				}
			}
		}
	})
}
