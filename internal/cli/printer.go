package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"golang.org/x/term"

	"github.com/ragstone/ragstone/rag"
)

// printer writes answers for people: coloured and wrapped on a terminal,
// plain lines elsewhere. Words of documents and models go to a terminal without
// their control characters, which could drive it; elsewhere byte for byte.
type printer struct {
	w     io.Writer
	width int
	said  bool

	foreign             func(string) string // makes others' words fit to show
	strong, mark, faint func(string) string
}

func (a *app) newPrinter() *printer {
	plain := func(s string) string { return s }
	p := &printer{w: a.stdout, width: 0, foreign: plain, strong: plain, mark: plain, faint: plain}
	if f, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.foreign = printable
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			p.width = min(width, 100)
		}
		if !a.config.NoColor {
			render := func(s lipgloss.Style) func(string) string {
				return func(text string) string { return s.Render(text) }
			}
			p.strong = render(lipgloss.NewStyle().Bold(true))
			p.mark = render(lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("2")))
			p.faint = render(lipgloss.NewStyle().Faint(true))
		}
	}
	return p
}

// say writes a piece of the answer as it comes.
func (p *printer) say(text string) {
	p.said = true
	fmt.Fprint(p.w, p.strong(p.foreign(text)))
}

// reply writes what follows the answer: the citations, or why there is none.
func (p *printer) reply(r *rag.Reply, note string) {
	a := r.Answer
	if p.said {
		fmt.Fprint(p.w, "\n\n")
	}
	if !a.Answered {
		if len(a.Citations) == 0 {
			fmt.Fprintln(p.w, "The documents do not answer this, and nothing in them is near it.")
			return
		}
		fmt.Fprint(p.w, "The documents do not answer this. The nearest passages:\n\n")
	}
	for _, c := range a.Citations {
		p.citation(c)
	}
	if note != "" {
		fmt.Fprintln(p.w, p.faint(note))
	}
}

// citation writes `[1] path:line`, the heading, and the quote.
func (p *printer) citation(c rag.Citation) {
	fmt.Fprintf(p.w, "[%d] %s\n", c.N, p.place(c.Path, c.Place))
	p.heading(c.Heading)
	if len(c.Columns) > 0 {
		fmt.Fprintln(p.w, "    "+p.faint(p.foreign(strings.Join(c.Columns, " | "))))
	}
	before, marked, after := c.Quote[:c.Mark[0]], c.Quote[c.Mark[0]:c.Mark[1]], c.Quote[c.Mark[1]:]
	if marked != "" {
		marked = p.mark(p.foreign(marked))
	}
	fmt.Fprintln(p.w, p.indent("“"+p.foreign(before)+marked+p.foreign(after)+"”"))
	fmt.Fprintln(p.w)
}

// place is where words stand: path:line, path (page 3) or path (paragraph 7).
func (p *printer) place(path string, place rag.Place) string {
	return place.In(p.foreign(relative(path)))
}

// heading writes the headings above words, if there are any.
func (p *printer) heading(headings []string) {
	if len(headings) > 0 {
		fmt.Fprintln(p.w, "    "+p.faint(p.foreign(rag.HeadingPath(headings))))
	}
}

// passages writes a search's results in rank order.
func (p *printer) passages(r *rag.Results) {
	if len(r.Hits) == 0 {
		fmt.Fprintln(p.w, "Nothing in the documents fits the query.")
	}
	for _, h := range r.Hits {
		fmt.Fprintf(p.w, "[%d] %s  %s\n", h.Rank, p.place(h.Path, h.Place), p.faint(standings(h)))
		p.heading(h.Headings)
		fmt.Fprintln(p.w, p.indent(p.foreign(h.Text)))
		fmt.Fprintln(p.w)
	}
}

// standings tells where each retriever placed the hit.
func standings(h rag.Hit) string {
	place := func(name string, s rag.Standing) string {
		if s.Rank == 0 {
			return name + " –"
		}
		return fmt.Sprintf("%s #%d (%.2f)", name, s.Rank, s.Score)
	}
	return fmt.Sprintf("score %.2f, %s, %s", h.Score, place("keyword", h.Keyword), place("vector", h.Vector))
}

// indent sets text four columns in, wrapped on a terminal, without blanks at
// the ends of lines.
func (p *printer) indent(text string) string {
	style := lipgloss.NewStyle()
	if p.width > 20 {
		text = style.Width(p.width - 4).Render(text)
	}
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimRight(line, " \r"); line != "" { // lipgloss fills lines up
			b.WriteString("    " + line)
		}
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}

// printable shows control characters other than tabs and line breaks as
// pictures, so that a document or a file's name cannot drive the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', !unicode.IsControl(r):
			return r
		case r < ' ':
			return '\u2400' + r // the Unicode block of their pictures
		}
		return unicode.ReplacementChar
	}, s)
}

// relative shows a path from the working directory where that is shorter.
func relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
