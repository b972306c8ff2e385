package document

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHTML(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"blocks", `<p>One  <b>two</b>
			three<br>four</p><div>five<p>six</div>`, "One two three\nfour\n\nfive\n\nsix\n"},
		{"lists", `<ul><li>a<li><p>b</p><ul><li>c</ul><li></ul><ol><li>x<li>y</ol>`, "- a\n- b\n  - c\n1. x\n2. y\n"},
		{"table", `<table><caption>T<tr><th>a<th>b<tr><td><p>c</p><p>d</p><td><br>e</table>`, "T\n\na\tb\nc d\te\n"},
		{"layout table", `<table><tr><td><h2>A</h2><p>b</p><td><p>c</p></table>`, "A\n\nb\n\nc\n"},
		{"preformatted", "<pre>\nfunc a() {\n\tb\n}\n</pre>", "func a() {\n\tb\n}\n"},
		{"invisible", `<script>a</script><style>b</style><p hidden>c</p><p style="display: none">d</p><nav>e</nav><p>f<svg><text>g</text></svg>`, "f\n"},
		{"entities", `<p>a&nbsp;&amp;&shy;&lt;b&gt;`, "a &<b>\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(t, "a.html", "<body>"+tt.body).Text; got != tt.want {
				t.Errorf("%q is read as %q, want %q", tt.body, got, tt.want)
			}
		})
	}
}

func TestHTMLMainContent(t *testing.T) {
	article := strings.Repeat("<p>The quick brown fox, as everyone knows, jumps over the lazy dog and runs away.</p>", 12)
	doc := parse(t, "a.html", `<html><head><title>Foxes</title></head><body><div class="sidebar"><a href="/">Home</a> <a href="/x">Buy now</a></div>
		<article><h2>Jumping</h2>`+article+`</article><footer>Imprint</footer></body></html>`)
	if strings.Contains(doc.Text, "Buy now") || strings.Contains(doc.Text, "Imprint") {
		t.Errorf("the text has what surrounds the article: %q", doc.Text)
	}
	if diff := cmp.Diff([]string{"# Foxes", "## Jumping"}, outline(t, doc)); diff != "" {
		t.Errorf("headings (-want +got):\n%s", diff)
	}
	if doc.Title != "Foxes" {
		t.Errorf("title %q, want %q", doc.Title, "Foxes")
	}
}

func TestHTMLMainElementOfAShortPage(t *testing.T) {
	const around = `<title>Site</title><body><header><h1>Kitchen</h1><p>Search</p></header>%<footer>Imprint</footer>`
	for name, tt := range map[string]struct{ main, want string }{
		"one":            {`<main><p>Rinse the cups.</p></main>`, "Kitchen\n\nRinse the cups.\n"},
		"with a heading": {`<main><h1>Cups</h1><p>Rinse them.</p></main>`, "Cups\n\nRinse them.\n"},
		"an empty one":   {`<main></main><p>Rinse.</p>`, "Kitchen\n\nSearch\n\nRinse.\n\nImprint\n"},
		"a hidden one":   {`<main hidden>Old</main><main>New</main>`, "Kitchen\n\nNew\n"},
		"none":           {`<p>Rinse.</p>`, "Kitchen\n\nSearch\n\nRinse.\n\nImprint\n"},
	} {
		if got := parse(t, "a.html", strings.Replace(around, "%", tt.main, 1)).Text; got != tt.want {
			t.Errorf("%s: %q is read as %q, want %q", name, tt.main, got, tt.want)
		}
	}
}

func TestHTMLEncodings(t *testing.T) {
	const want = "Grüße\n"
	for name, data := range map[string]string{
		"UTF-8":    "<body>Grüße",
		"declared": "<meta charset=iso-8859-1><body>Gr\xFC\xDFe",
		"UTF-16":   "\xFE\xFF\x00<\x00p\x00>\x00G\x00r\x00\xFC\x00\xDF\x00e",
	} {
		if got := parse(t, "a.html", data).Text; got != want {
			t.Errorf("%s: %q is read as %q, want %q", name, data, got, want)
		}
	}
}

func TestHTMLHostile(t *testing.T) {
	if _, err := parseHTML([]byte(strings.Repeat("<div>", 10_000))); err == nil {
		t.Error("10,000 nested elements are read, want an error")
	}
	parse(t, "a.html", strings.Repeat("<table><tr><td>", 100)+"x")
	parse(t, "a.html", strings.Repeat("<p>x", 200_000))
}
