package chunk

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/testenv"
)

func TestSentences(t *testing.T) {
	for _, tt := range []struct {
		name, text string // what stands between ⟦ and ⟧ is a sentence
	}{
		{"plain", "⟦One is here.⟧ ⟦Two is there!⟧ ⟦Three?⟧"},
		{"wrapped by hand", "⟦A line\nthat runs on.⟧ ⟦Another\r\none.⟧"},
		{"blank line", "⟦No stop here⟧\n\n⟦Next paragraph⟧"},
		{"titles", "⟦Dr. Smith met Mrs. Jones in St. Louis.⟧ ⟦They talked.⟧"},
		{"initials", "⟦J. R. R. Tolkien and John F. Kennedy never met.⟧ ⟦So what.⟧"},
		{"the pronoun I", "⟦It was he and I.⟧ ⟦Nobody else came.⟧"},
		{"countries", "⟦The U.S. Army left the U.S.⟧ ⟦The war was over.⟧"},
		{"latin", "⟦Use fruit, e.g. Apples, i.e. Granny Smith, vs. Pears.⟧ ⟦Done.⟧"},
		{"figures", "⟦See Fig. 3 and Eq. 12 on p. 7.⟧ ⟦Sec. 4 has more.⟧"},
		{"decimals", "⟦Pi is 3.14 or so.⟧ ⟦Version 2.0.1 is out.⟧"},
		{"et al.", "⟦Karpukhin et al. (2020) say so.⟧ ⟦We agree.⟧"},
		{"companies", "⟦Apple Inc. Shares rose with Ford Motor Co. Stock.⟧ ⟦The rest fell.⟧"},
		{"time of day", "⟦It opens at 9 a.m. Monday.⟧ ⟦It closes at 5 p.m.⟧ ⟦The staff leave later.⟧"},
		{"quotes", "⟦“Stop.”⟧ ⟦He did not.⟧ ⟦\"Go on!\"⟧ ⟦She went.⟧"},
		{"brackets", "⟦It held (see Fig. 2. Data not shown) for all.⟧ ⟦Then it broke.⟧"},
		{"references", "⟦It fell in 2008.[3][4] ⟧⟦It rose again.⟧"},
		{"numbered", "⟦Step one.⟧\n\n1. ⟦Open the lid.⟧ ⟦Look.⟧\n2. ⟦Close it.⟧"},
		{"bullets", "⟦You need:⟧\n- ⟦bread⟧\n- ⟦butter, and\n  patience⟧\n* ⟦time⟧"},
		{"year at the start of a line", "⟦He was born in\n1912.⟧ ⟦His father died.⟧"},
		{"heading", "# ⟦Leave policy⟧\n⟦Staff get 25 days.⟧\n\n## ⟦Part-time⟧\n\n⟦Pro rata.⟧"},
		{"setext heading", "⟦Title\n=====⟧\n\n⟦Body.⟧"},
		{"rows", "⟦Name\tDays⟧\n⟦Full time. All.\t25⟧\n⟦| a | b |⟧\n|---|---|\n"},
		{"rows without outer bars", "⟦Item | Price | Stock⟧\n---|---|---\n⟦Pears | 2 | 9⟧\n"},
		{"code", "⟦Run this:⟧\n```sh\n⟦a. B. c⟧\n⟦d⟧\n```\n⟦Done.⟧"},
		{"chinese", "⟦今天很好。⟧⟦明天呢？⟧⟦不知道。⟧"},
		{"german", "⟦Das ist z.B. Herr Dr. Meier.⟧ ⟦Er wohnt hier.⟧"},
		{"german dates", "⟦Die Miete beginnt am 1. Februar 2022 und endet am 31. Januar 2032.⟧ ⟦Es sind 12.⟧ ⟦Mehr nicht.⟧"},
		{"records", "⟦sku,name,price_eur⟧\n⟦A-1,Desk lamp,49.90⟧\n⟦A-2,\"Chair, black\",329.00⟧\n⟦x;y z;3⟧"},
		{"amounts are no records", "⟦It costs 1,250,000 euros in\n2,100,000 cases.⟧"},
		{"commas of prose", "⟦Red, green,\nblue, or 1,2,3, or\nnothing.⟧"},
		{"commas in quotation marks", "⟦“One,” he said and\n“two,” she said, and [1],[2],[3].⟧"},
		{"no text", "  \n\n --- \n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, want := marked(tt.text)
			var got []string
			for _, s := range Sentences(text) {
				got = append(got, text[s.Start:s.End])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Sentences(%q) (-want +got):\n%s", text, diff)
			}
		})
	}
}

// marked takes the brackets out of a text and returns what stands in them.
func marked(s string) (text string, parts []string) {
	for {
		before, rest, ok := strings.Cut(s, "⟦")
		text += before
		if !ok {
			return text, parts
		}
		part, after, _ := strings.Cut(rest, "⟧")
		text += part
		parts = append(parts, strings.TrimSpace(part))
		s = after
	}
}

// TestSentencesKeepAnswersWhole holds the boundaries to a public set of
// questions: a sentence that cuts an answer in two can never be the one that
// is cited for it.
func TestSentencesKeepAnswersWhole(t *testing.T) {
	answers, cut := 0, 0
	for _, p := range xquad(t) {
		spans := Sentences(p.Context)
		for _, q := range p.QAs {
			start := byteOffset(p.Context, q.Answers[0].Start)
			end := start + len(q.Answers[0].Text)
			answers++
			if !holds(spans, Span{start, end}) {
				cut++
				t.Logf("cut: %q", q.Answers[0].Text)
			}
		}
	}
	// The one that is cut is annotated across two sentences.
	t.Logf("%d of %d answers lie in one sentence", answers-cut, answers)
	if answers != 1190 || cut > 1 {
		t.Errorf("%d of %d answers are cut, want at most 1 of 1190", cut, answers)
	}
}

// TestSentencesAreShort keeps the test above from being passed by never
// cutting at all.
func TestSentencesAreShort(t *testing.T) {
	paragraphs, sentences := 0, 0
	for _, p := range xquad(t) {
		paragraphs++
		sentences += len(Sentences(p.Context))
	}
	if mean := float64(sentences) / float64(paragraphs); mean < 4.7 {
		t.Errorf("%.2f sentences a paragraph, want at least 4.7", mean)
	}
}

func holds(spans []Span, want Span) bool {
	for _, s := range spans {
		if s.Start <= want.Start && want.End <= s.End {
			return true
		}
	}
	return false
}

// A paragraph of XQuAD with its questions.
type xquadParagraph struct {
	Context string `json:"context"`
	QAs     []struct {
		Answers []struct {
			Text  string `json:"text"`
			Start int    `json:"answer_start"` // in characters
		} `json:"answers"`
	} `json:"qas"`
}

func xquad(tb testing.TB) []xquadParagraph {
	tb.Helper()
	data, err := os.ReadFile(testenv.Shared(tb, "data", "xquad", "xquad.en.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var file struct {
		Data []struct {
			Paragraphs []xquadParagraph `json:"paragraphs"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		tb.Fatal(err)
	}
	var all []xquadParagraph
	for _, article := range file.Data {
		all = append(all, article.Paragraphs...)
	}
	return all
}

// byteOffset is the byte offset of character n.
func byteOffset(text string, n int) int {
	offset := 0
	for range n {
		_, size := utf8.DecodeRuneInString(text[offset:])
		offset += size
	}
	return offset
}

func FuzzSentences(f *testing.F) {
	f.Add("One. Two (e.g. this. And) that.[3][4] Three\n- four\n\n# five\n```\nx")
	f.Add("Mr. Mr. Mr. ! ! ! 。。。 \xff\xfe ( a. ( b. ) \r\n\u2028x")
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, s := range Sentences(text) {
			if s.Start < end || s.End <= s.Start || s.End > len(text) {
				t.Fatalf("sentence %v after %d in %q", s, end, text)
			}
			if part := text[s.Start:s.End]; part != strings.TrimSpace(part) {
				t.Fatalf("sentence %q has blanks at an end", part)
			}
			end = s.End
		}
	})
}

func BenchmarkSentences(b *testing.B) {
	var text strings.Builder
	for _, p := range xquad(b) {
		text.WriteString(p.Context + "\n\n")
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		Sentences(text.String())
	}
}
