package document

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/testenv"
)

// A pdfLine is a line of text to put on a page.
type pdfLine struct {
	x, y, size int
	text       string
}

// makePDF writes a PDF with the given pages, in Helvetica. extra goes into the
// trailer.
func makePDF(extra string, pages ...[]pdfLine) string {
	var kids strings.Builder
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"}
	for _, lines := range pages {
		var content strings.Builder
		for _, l := range lines {
			fmt.Fprintf(&content, "BT /F1 %d Tf %d %d Td (%s) Tj ET\n", l.size, l.x, l.y, l.text)
		}
		n := len(objects)
		fmt.Fprintf(&kids, "%d 0 R ", n+1)
		objects = append(objects,
			fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>", n+2),
			fmt.Sprintf("<</Length %d>>stream\n%sendstream", content.Len(), content.String()))
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), len(pages))
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	xref := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, o := range objects {
		xref += fmt.Sprintf("%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj%s endobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "%strailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", xref, len(objects)+1, extra, start)
	return b.String()
}

// column puts lines of body text below each other.
func column(x, top int, lines ...string) []pdfLine {
	var out []pdfLine
	for i, text := range lines {
		out = append(out, pdfLine{x, top - 12*i, 10, text})
	}
	return out
}

func TestPDFTwoColumns(t *testing.T) {
	left := column(50, 700, "The left column begins with this line of text", "and goes on below it in a steady flow of words,",
		"line after line of the same width, as a well-", "made paper does. A word is hyphen-", "ated at the end of the line before this one, and",
		"another is well-made. The column ends in the midst of", "a sentence whose second half is found at the top")
	right := column(320, 700, "of the right column, which begins with this line", "and goes on just like the other one did, line by",
		"line, so that both stand side by side and are read", "one after the other. Nothing of this column may", "come between the lines of the left one, whatever",
		"the order in which the file draws them on the page", "as it likes. This is the last line of the columns.")
	page := []pdfLine{{50, 750, 20, "A title above both columns"}}
	for i := range left { // drawn across, as some programs do
		page = append(page, left[i], right[i])
	}
	page = append(page, pdfLine{50, 560, 10, "A last paragraph that spans the width of the page below both of the columns, in one line of text."})
	doc := parse(t, "a.pdf", makePDF("", page, column(50, 700, "Page two.")))
	const want = `A title above both columns

The left column begins with this line of text
and goes on below it in a steady flow of words,
line after line of the same width, as a well-made paper does. A word is hyphenated at the end of the line before this one, and
another is well-made. The column ends in the midst of
a sentence whose second half is found at the top
of the right column, which begins with this line
and goes on just like the other one did, line by
line, so that both stand side by side and are read
one after the other. Nothing of this column may
come between the lines of the left one, whatever
the order in which the file draws them on the page
as it likes. This is the last line of the columns.

A last paragraph that spans the width of the page below both of the columns, in one line of text.

Page two.
`
	if diff := cmp.Diff(want, doc.Text); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"# A title above both columns"}, outline(t, doc)); diff != "" {
		t.Errorf("headings (-want +got):\n%s", diff)
	}
	for text, page := range map[string]int{"A title": 1, "in one line": 1, "Page two": 2} {
		if got := doc.PageAt(strings.Index(doc.Text, text)); got != page {
			t.Errorf("%q is on page %d, want %d", text, got, page)
		}
	}
	checkDocument(t, doc)
}

func TestPDFTable(t *testing.T) {
	var page []pdfLine
	for i, row := range []string{"Name,Days,Part-time", "Full,25,no", "Half,12,-"} {
		for j, cell := range strings.Split(row, ",") {
			page = append(page, pdfLine{50 + 150*j, 700 - 14*i, 10, cell})
		}
	}
	const want = "Name\tDays\tPart-time\nFull\t25\tno\nHalf\t12\t-\n"
	if got := parse(t, "a.pdf", makePDF("", page)).Text; got != want {
		t.Errorf("the table is read as %q, want %q", got, want)
	}
}

func TestPDFBroken(t *testing.T) {
	sound := makePDF("", column(50, 700, "Some text."))
	const lock = "/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" +
		">/U<" + "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100" + ">>>/ID[<00><00>]"
	for _, tt := range []struct {
		name, data string
		want       error // nil: any
		says       string
	}{
		{"encrypted", makePDF(lock, column(50, 700, "Secret.")), ErrEncrypted, "it is encrypted and needs a password"},
		{"no bytes", "", ErrNoText, "it holds no text: the file is empty"},
		{"header only", sound[:20], nil, "read PDF: the file is damaged or cut short"},
		{"garbage", "%PDF-1.7\n" + strings.Repeat("\x00\xff<<", 1000), nil, "read PDF: the file is damaged or cut short"},
		{"no text", makePDF("", nil), ErrNoText, "it holds no text: its pages are images or empty, and scans are not read"},
	} {
		_, err := Parse(t.Context(), "a.pdf", []byte(tt.data))
		if err == nil || err.Error() != tt.says || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.says)
		}
	}
	// PDFium repairs what it can: cut before the place of its table of objects
	// a file is read.
	if doc, err := Parse(t.Context(), "a.pdf", []byte(sound[:strings.Index(sound, "startxref")])); err != nil || doc.Text != "Some text.\n" {
		t.Errorf("a PDF without its end: %v, %v, want its text", doc, err)
	}
}

// TestPDFDamaged overwrites and cuts PDFs at random. Each is read or refused;
// none hangs, and none spoils the next.
func TestPDFDamaged(t *testing.T) {
	const seed, rounds = 1, 60
	random := rand.New(rand.NewPCG(seed, seed))
	sound := []byte(makePDF("", column(50, 700, "Some text.", "More of it."), []pdfLine{{50, 700, 20, "Title"}}))
	for range rounds {
		data := bytes.Clone(sound)
		for range 1 + random.IntN(8) {
			at := random.IntN(len(data))
			switch random.IntN(3) {
			case 0:
				data[at] = byte(random.IntN(256))
			case 1:
				data = append(data[:at], data[min(len(data), at+random.IntN(40)):]...)
			default: // a number becomes another
				if i := bytes.IndexAny(data[at:], "0123456789"); i >= 0 {
					data[at+i] = '9'
				}
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		doc, err := Parse(ctx, "a.pdf", data)
		cancel()
		if err == nil {
			checkDocument(t, doc)
		} else if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no end in two minutes: %q", data)
		}
	}
	parse(t, "a.pdf", string(sound))
}

// TestPDFTimeout stops PDFium in the middle of a file and goes on with the
// next one.
func TestPDFTimeout(t *testing.T) {
	pages := make([][]pdfLine, 400)
	for i := range pages {
		pages[i] = column(50, 700, "A page of text.", "Another line.")
	}
	long := []byte(makePDF("", pages...))
	parse(t, "warm.pdf", makePDF("", pages[0])) // so that starting is not what times out
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := Parse(ctx, "long.pdf", long); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("400 pages in 50 ms: error %v, want a deadline exceeded", err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it went on for %v after its deadline", took)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			doc, err := Parse(t.Context(), "next.pdf", []byte(makePDF("", pages[0])))
			if err != nil || doc.Text != "A page of text.\nAnother line.\n" {
				t.Errorf("a PDF after one that was stopped: %v, %v", doc, err)
			}
		})
	}
	group.Wait()
}

func TestParserCloseAndCache(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles PDFium twice more")
	}
	dir := filepath.Join(t.TempDir(), "cache")
	p := &Parser{CacheDir: dir}
	data := []byte(makePDF("", column(50, 700, "Text.")))
	if _, err := p.Parse(t.Context(), "a.pdf", data); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) == 0 {
		t.Errorf("the cache folder has %d entries, error %v; want compiled code", len(entries), err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := p.Parse(t.Context(), "a.pdf", data); !errors.Is(err, errEngineClosed) {
		t.Errorf("after Close: error %v, want %v", err, errEngineClosed)
	}

	// Folders in place of its files, which can be neither read nor replaced,
	// stand for a disk that is full.
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the cache holds %q, error %v; want compiled code", files, err)
	}
	for _, file := range files {
		if err := errors.Join(os.Remove(file), os.MkdirAll(filepath.Join(file, "full"), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	next := &Parser{CacheDir: dir}
	defer next.Close()
	if doc, err := next.Parse(t.Context(), "a.pdf", data); err != nil || doc.Text != "Text.\n" {
		t.Errorf("with an unusable cache: got %v, error %v, want the text", doc, err)
	}
}

// TestPDFWords compares the words of every PDF of the shared data with those
// that pdftotext finds (test/oracle/pdfwords.py).
func TestPDFWords(t *testing.T) {
	root := testenv.Shared(t, "data", "documents")
	found, all := 0, 0
	for name, want := range goldenWords(t) {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		doc := parse(t, path.Base(name), string(data))
		checkDocument(t, doc)
		got := hashedWords(doc.Text)
		here, total := 0, 0
		for word, n := range want {
			here += min(n, got[word])
			total += n
		}
		t.Logf("%.3f of %5d words: %s", float64(here)/float64(total), total, name)
		found += here
		all += total
	}
	share := float64(found) / float64(all)
	t.Logf("%.4f of %d words", share, all)
	if share < 0.975 {
		t.Errorf("%.4f of pdftotext's words are found, want at least 0.975", share)
	}
}

// TestPDFReadingOrder follows a paper in two columns from one column to the
// next, past a table and over a page.
func TestPDFReadingOrder(t *testing.T) {
	data, err := os.ReadFile(testenv.Shared(t, "data", "documents", "unstructured", "pdf", "multi-column.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(parse(t, "a.pdf", string(data)).Text), " ")
	at := 0
	for _, want := range []string{
		"Dense Passage Retrieval for Open-Domain Question Answering",
		"Open-domain question answering relies on efficient passage retrieval to select candidate contexts",
		"helps our end-to-end QA system establish new state-of-the-art on multiple open-domain QA benchmarks.",
		"Table 4: End-to-end QA (Exact Match) Accuracy.",
		"four out of the five datasets, with 1% to 12% absolute differences in exact match accuracy. It is interesting to contrast our results to those of ORQA",
		"Learning deep structured semantic models for Web search using clickthrough data.",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("%q is not in the text after offset %d: %.300q", want, at, text[at:])
		}
		at += i
	}
}

// goldenWords reads the hashed words of each file.
func goldenWords(t *testing.T) map[string]map[uint32]int {
	t.Helper()
	data, err := os.ReadFile("testdata/pdfwords.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	golden := map[string]map[uint32]int{}
	for line := range strings.Lines(string(text)) {
		name, words, _ := strings.Cut(strings.TrimSpace(line), "\t")
		golden[name] = map[uint32]int{}
		for _, word := range strings.Fields(words) {
			hash, count, _ := strings.Cut(word, ":")
			h, err := strconv.ParseUint(hash, 16, 32)
			n, err2 := strconv.Atoi(count)
			if err != nil || err2 != nil {
				t.Fatalf("testdata/pdfwords.txt.gz: %q in the line of %s", word, name)
			}
			golden[name][uint32(h)] = n
		}
	}
	return golden
}

// hashedWords counts the words of a text as the oracle's script does.
func hashedWords(text string) map[uint32]int {
	words := map[uint32]int{}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		h := fnv.New32a()
		h.Write([]byte(word))
		words[h.Sum32()]++
	}
	return words
}

func FuzzPDF(f *testing.F) {
	parse(f, "warm.pdf", makePDF("", column(50, 700, "Text."))) // or starting PDFium counts as a hang
	f.Add([]byte(makePDF("", column(50, 700, "Some text.", "More of it."), []pdfLine{{50, 700, 20, "Title"}})))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = append([]byte("%PDF-1.4\n"), data...)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if doc, err := Parse(ctx, "a.pdf", data); err == nil {
			checkDocument(t, doc)
		}
	})
}

func BenchmarkPDF(b *testing.B) {
	data, err := os.ReadFile(testenv.Shared(b, "data", "documents", "unstructured", "pdf", "multi-column.pdf"))
	if err != nil {
		b.Fatal(err)
	}
	pages := len(parse(b, "a.pdf", string(data)).Pages)
	for b.Loop() {
		parse(b, "a.pdf", string(data))
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*pages), "ms/page")
}

// BenchmarkParse reads what needs no PDFium.
func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"markitdown/test_wikipedia.html", "unstructured/handbook-872p.docx", "unstructured/norwich-city.txt",
		"unstructured/LICENSE.md", "unstructured/book-war-and-peace-1225p.txt"} {
		data, err := os.ReadFile(filepath.Join(testenv.Shared(b, "data", "documents"), filepath.FromSlash(name)))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(path.Base(name), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				parse(b, path.Base(name), string(data))
			}
		})
	}
}
