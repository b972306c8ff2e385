package tokenizer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestControlTokensAreMatchedOnlyWhereAsked(t *testing.T) {
	tok := tinyBPE(t)
	end, mid := tok.ids["<end>"], tok.ids["<mid>"]
	letters := tok.Encode("<end>", Options{})
	if len(letters) != 5 {
		t.Fatalf("<end> as letters is %v, want five tokens", letters)
	}
	row := func(parts ...any) (out []int32) {
		for _, p := range parts {
			switch p := p.(type) {
			case int32:
				out = append(out, p)
			case []int32:
				out = append(out, p...)
			}
		}
		return out
	}
	a := tok.ids["a"]
	for _, c := range []struct {
		what    string
		text    string
		options Options
		want    []int32
	}{
		{"special off", "a<end>a", Options{}, row(a, letters, a)},
		{"special on", "a<end>a", Options{Special: true}, row(a, end, a)},
		{"an added token that is text", "a<mid>a", Options{}, row(a, mid, a)},
		{"inside a verbatim part", "<end>a<end>", Options{Special: true, Verbatim: []Span{{6, 11}}}, row(end, a, letters)},
		{"one byte inside", "a<end>", Options{Special: true, Verbatim: []Span{{0, 2}}}, row(a, letters)},
		{"touching on both sides", "a<end>a", Options{Special: true, Verbatim: []Span{{0, 1}, {6, 7}}}, row(a, end, a)},
		{"merging across a seam", "ab", Options{Special: true, Verbatim: []Span{{1, 2}}}, row(tok.ids["ab"])},
	} {
		if diff := cmp.Diff(c.want, tok.Encode(c.text, c.options)); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", c.what, c.text, diff)
		}
	}
}
