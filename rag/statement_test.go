package rag

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatementsAreCutAsTheyComplete(t *testing.T) {
	const text = "The lamp was lit in 1874 [1]. It burned oil. [1][2] Nobody knows why."
	want := []string{"The lamp was lit in 1874 [1].", "It burned oil. [1][2]", "Nobody knows why."}
	for size := 1; size < len(text); size += 5 {
		r := &statementReader{}
		var got []string
		for at := 0; at < len(text); at += size {
			got = append(got, r.add(text[at:min(at+size, len(text))])...)
		}
		got = append(got, r.rest()...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pieces of %d bytes (-want +got):\n%s", size, diff)
		}
	}
}

func TestRefusalIsSeenAcrossPieces(t *testing.T) {
	r := &statementReader{}
	r.add("NOT IN THE ")
	r.add("PASSAGES")
	if !r.refused {
		t.Error("the refusal was not recognised")
	}
}

func lighthouse() *Results {
	text := "The Harrow lighthouse first shone on 3 March 1874. Its lamp burned rape oil until paraffin replaced it."
	return &Results{
		Question: "When did the lighthouse first shine?",
		Hits:     []Hit{{Passage: Passage{Path: "a.md", Text: text, Start: 100, End: 100 + len(text), Place: Place{Line: 7}}, Rank: 1, Score: 1}},
	}
}

func TestStatementsAreChecked(t *testing.T) {
	for _, c := range []struct {
		statement string
		supported bool
	}{
		{"The lighthouse first shone on 3 March 1874 [1].", true},
		{"The lighthouse first shone in 1875 [1].", false},               // another number
		{"The lighthouse at Tolm first shone in 1874 [1].", false},       // another name
		{"The lighthouse first shone on 3 March 1874.", false},           // no citation
		{"The lighthouse first shone on 3 March 1874 [4].", false},       // no such passage
		{`It "burned rape oil" until paraffin came [1].`, true},          // quoted word for word
		{`It "burned olive oil" until paraffin replaced it [1].`, false}, // misquoted
		{"Whales migrate south every winter [1].", false},                // something else
	} {
		results := lighthouse()
		check := &checker{hits: results.Hits}
		got := check.statement(c.statement)
		if got.Supported != c.supported {
			t.Errorf("%q: supported %v, want %v", c.statement, got.Supported, c.supported)
		}
		if got.Supported && len(got.Cites) == 0 {
			t.Errorf("%q: supported without a citation", c.statement)
		}
		if strings.Contains(got.Text, "[") {
			t.Errorf("%q: the text kept its mark: %q", c.statement, got.Text)
		}
	}
}

func TestStatementQuotesTheSentenceThatSupportsIt(t *testing.T) {
	results := lighthouse()
	check := &checker{hits: results.Hits}
	check.statement("The lamp burned rape oil [1].")
	if len(check.citations) != 1 {
		t.Fatalf("got %d citations, want 1", len(check.citations))
	}
	c := check.citations[0]
	if want := "Its lamp burned rape oil until paraffin replaced it."; c.Quote != want {
		t.Errorf("quote %q, want %q", c.Quote, want)
	}
	if c.Start != 151 || c.End-c.Start != len(c.Quote) {
		t.Errorf("quote at %d to %d, want it to begin at 151 and span %d bytes", c.Start, c.End, len(c.Quote))
	}
}
