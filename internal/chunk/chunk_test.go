package chunk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/document"
)

// countWords counts the words of a text: tokens that are easy to see.
func countWords(text string) int { return len(strings.Fields(text)) }

func parse(tb testing.TB, name, text string) *document.Document {
	tb.Helper()
	doc, err := document.Parse(tb.Context(), name, []byte(text))
	if err != nil {
		tb.Fatalf("Parse(%q, %q): %v", name, text, err)
	}
	return doc
}

// show writes passages one a line: heading path, line, text.
func show(doc *document.Document, passages []Passage) []string {
	var out []string
	for _, p := range passages {
		out = append(out, fmt.Sprintf("%s %d: %s", strings.Join(p.Headings, ">"), p.Line, doc.Text[p.Start:p.End]))
	}
	return out
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		name, file, text string
		options          Options
		want             []string
	}{
		{
			name: "a text that fits is one passage", file: "a.txt",
			text:    "\n\n One two.\n\nThree. \n",
			options: Options{MaxTokens: 3},
			want:    []string{" 3: One two.\n\nThree."},
		},
		{
			name: "sections are not joined", file: "a.md",
			text:    "# A\nOne.\n\n# B\nTwo.\n",
			options: Options{MaxTokens: 100},
			want:    []string{"A 1: # A\nOne.", "B 4: # B\nTwo."},
		},
		{
			name: "a heading goes with what it heads", file: "a.md",
			text:    "# A\n\n## B\n\nOne two three. Four five six. Seven eight nine.\n\n## C\nTen.\n",
			options: Options{MaxTokens: 10},
			want: []string{
				"A>B 1: # A\n\n## B\n\nOne two three.",
				"A>B 5: Four five six. Seven eight nine.",
				"A>C 7: ## C\nTen.",
			},
		},
		{
			name: "paragraphs before sentences", file: "a.txt",
			text:    "One two three. Four.\n\nFive six. Seven eight.",
			options: Options{MaxTokens: 5},
			want:    []string{" 1: One two three. Four.", " 3: Five six. Seven eight."},
		},
		{
			name: "lengths are alike", file: "a.txt",
			text:    "A b. C d. E f. G h. I j. K l.",
			options: Options{MaxTokens: 10},
			want:    []string{" 1: A b. C d. E f.", " 1: G h. I j. K l."},
		},
		{
			name: "list items before sentences", file: "a.md",
			text:    "- One two. Three.\n- Four five. Six.\n",
			options: Options{MaxTokens: 5},
			want:    []string{" 1: - One two. Three.", " 2: - Four five. Six."},
		},
		{
			name: "clauses before words", file: "a.txt",
			text:    "one two three; four five six seven",
			options: Options{MaxTokens: 5},
			want:    []string{" 1: one two three;", " 1: four five six seven"},
		},
		{
			name: "overlap repeats whole sentences", file: "a.txt",
			text:    "One two. Three four. Five six. Seven eight.",
			options: Options{MaxTokens: 6, Overlap: 2},
			want:    []string{" 1: One two. Three four.", " 1: Three four. Five six. Seven eight."},
		},
		{
			name: "code is cut where a new declaration begins", file: "a.go",
			text:    "func a() {\n\tx := 1\n\n\ty(x)\n}\n\nfunc b() {\n\tz()\n}\n",
			options: Options{MaxTokens: 9},
			want:    []string{" 1: func a() {\n\tx := 1\n\n\ty(x)\n}", " 7: func b() {\n\tz()\n}"},
		},
		{
			name: "rows stay whole", file: "a.csv",
			text:    "a b,c\nd e,f\ng h,i\n",
			options: Options{MaxTokens: 4},
			want:    []string{" 1: a b,c\nd e,f", " 3: g h,i"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, tt.file, tt.text)
			tt.options.Count = countWords
			got := Split(doc, tt.options)
			if diff := cmp.Diff(tt.want, show(doc, got)); diff != "" {
				t.Errorf("Split(%q) (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestSplitWithinWords(t *testing.T) {
	doc := parse(t, "a.txt", strings.Repeat("天", 100)+" "+strings.Repeat("x", 3000))
	runes := func(s string) int { return utf8.RuneCountInString(s) }
	passages := Split(doc, Options{MaxTokens: 30, Count: runes})
	check(t, doc, passages, Options{MaxTokens: 30, Count: runes})
	if len(passages) > 250 {
		t.Errorf("%d passages, want words cut into no more parts than halving makes", len(passages))
	}
}

func TestSplitUnknownWord(t *testing.T) {
	doc := parse(t, "a.txt", strings.Repeat("QUJD", 1<<16))
	one := func(string) int { return 1 } // as WordPiece counts a word it does not know
	for _, p := range Split(doc, Options{MaxTokens: 256, Count: one}) {
		if p.End-p.Start > 256*bytesPerToken {
			t.Fatalf("a passage of %d bytes, want at most %d", p.End-p.Start, 256*bytesPerToken)
		}
	}
}

// check holds passages to the promises of the package comment.
func check(tb testing.TB, doc *document.Document, passages []Passage, o Options) {
	tb.Helper()
	end := 0
	for i, p := range passages {
		if p.Start >= p.End || p.End > len(doc.Text) {
			tb.Fatalf("passage %d is %d:%d of a text of %d", i, p.Start, p.End, len(doc.Text))
		}
		text := doc.Text[p.Start:p.End]
		if text != strings.TrimSpace(text) || !utf8.ValidString(text) {
			tb.Fatalf("passage %d has blanks at an end or half a character: %q", i, text)
		}
		if n := o.Count(text); n > o.MaxTokens && utf8.RuneCountInString(text) > 1 {
			tb.Fatalf("passage %d has %d tokens, want at most %d: %q", i, n, o.MaxTokens, text)
		}
		if i > 0 && p.Start <= passages[i-1].Start || p.End <= end {
			tb.Fatalf("passage %d (%d:%d) is not after the one before it (…:%d)", i, p.Start, p.End, end)
		}
		if o.Overlap == 0 && p.Start < end {
			tb.Fatalf("passage %d starts at %d, want no overlap with the one before it, which ends at %d", i, p.Start, end)
		}
		if gap := doc.Text[min(end, p.Start):p.Start]; strings.TrimSpace(gap) != "" {
			tb.Fatalf("%q before passage %d is in no passage", gap, i)
		}
		end = p.End
	}
	if gap := doc.Text[end:]; strings.TrimSpace(gap) != "" {
		tb.Fatalf("%q at the end is in no passage", gap)
	}
}

// FuzzSplit holds Split to its promises on texts put together from everything
// that means something to it.
func FuzzSplit(f *testing.F) {
	f.Add("# A\n\nOne. Two.\n- three\n\n## B\n| a | b |\n```\ncode\n", uint8(3), uint8(1), uint8(0))
	f.Add("Title\n===\na.b.c 天天天\t\tx\n\n\n1. y\n", uint8(1), uint8(0), uint8(1))
	f.Add("func a() {\n\n}\n\nvar b = 1", uint8(2), uint8(5), uint8(2))
	f.Fuzz(func(t *testing.T, text string, limit, overlap, kind uint8) {
		name := []string{"a.md", "a.txt", "a.go", "a.csv"}[kind%4]
		doc, err := document.Parse(t.Context(), name, []byte(text))
		if err != nil {
			return
		}
		o := Options{MaxTokens: int(limit%40) + 1, Overlap: int(overlap % 20), Count: countWords}
		if limit%3 == 0 { // a token is a character, plus two for every text
			o.Count = func(s string) int { return utf8.RuneCountInString(s) + 2 }
			o.MaxTokens += 2
		}
		check(t, doc, Split(doc, o), o)
	})
}

func TestSplitRandomTexts(t *testing.T) {
	parts := []string{"# Head\n", "## Sub\n", "### Deep\n\n", "\n\n", "\n", "One two three. ", "Mr. X ran (e.g. Far). ",
		"- item\n", "2. second\n", "a\tb\n", "| c | d |\n", "word ", "x", "天地。", "Title\n---\n", "```\n", "    code\n", "\r\n"}
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	for n := range 3000 {
		var text strings.Builder
		for range 1 + random.IntN(40) {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		if strings.TrimSpace(text.String()) == "" {
			continue
		}
		doc := parse(t, []string{"a.md", "a.txt", "a.go"}[n%3], text.String())
		o := Options{MaxTokens: 1 + random.IntN(30), Overlap: random.IntN(8) * (n % 2), Count: countWords}
		check(t, doc, Split(doc, o), o)
		if t.Failed() {
			t.Fatalf("options %+v, text %q, seed %d", o, text.String(), seed)
		}
	}
}

// TestSplitCountsLittle holds Split to counting each part of a text a few
// times at most.
func TestSplitCountsLittle(t *testing.T) {
	doc := parse(t, "a.md", strings.Repeat("Some words of a sentence. And of another one.\n\n# Head\n\n", 2000))
	counted := 0
	Split(doc, Options{MaxTokens: 50, Count: func(s string) int {
		counted += len(s)
		return countWords(s)
	}})
	if times := float64(counted) / float64(len(doc.Text)); times > 3 {
		t.Errorf("each byte was counted %.1f times, want at most 3", times)
	}
}

// TestSplitOneLongLine makes sure that a hostile file costs seconds at most.
func TestSplitOneLongLine(t *testing.T) {
	for _, part := range []string{"Mr. ", "a. (", "! ", "x", "天", "\"a\":1,", "#", "- "} {
		doc := parse(t, "a.txt", strings.Repeat(part, (1<<20)/len(part))+"x")
		Split(doc, Options{MaxTokens: 256, Count: func(s string) int { return 1 + len(s)/4 }})
		Sentences(doc.Text)
	}
}

func TestTrim(t *testing.T) {
	const text = "\u00a0 a b\t\n"
	if got, want := trim(text, Span{0, len(text)}), (Span{3, 6}); got != want {
		t.Errorf("trim(%q) = %v, want %v", text, got, want)
	}
	if strings.TrimFunc(text, unicode.IsSpace) != "a b" {
		t.Error("unicode.IsSpace and trim differ")
	}
}
