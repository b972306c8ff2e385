package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"golang.org/x/term"

	"github.com/ragstone/ragstone/rag"
)

// printer writes answers for people: coloured and wrapped on a terminal,
// plain lines elsewhere.
type printer struct {
	w     io.Writer
	width int
	said  bool

	strong, mark, faint func(string) string
}

func (a *app) newPrinter() *printer {
	plain := func(s string) string { return s }
	p := &printer{w: a.stdout, width: 0, strong: plain, mark: plain, faint: plain}
	if f, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
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
	fmt.Fprint(p.w, p.strong(text))
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

// citation writes `[1] path:line (page 3)`, the heading, and the quote.
func (p *printer) citation(c rag.Citation) {
	page := ""
	if c.Page > 0 {
		page = fmt.Sprintf(" (page %d)", c.Page)
	}
	fmt.Fprintf(p.w, "[%d] %s:%d%s\n", c.N, relative(c.Path), c.Line, page)
	if len(c.Heading) > 0 {
		fmt.Fprintln(p.w, "    "+p.faint(rag.HeadingPath(c.Heading)))
	}
	quote := c.Quote
	if c.Mark != [2]int{} {
		quote = quote[:c.Mark[0]] + p.mark(quote[c.Mark[0]:c.Mark[1]]) + quote[c.Mark[1]:]
	}
	fmt.Fprintln(p.w, p.indent("“"+quote+"”"))
	fmt.Fprintln(p.w)
}

// passages writes a search's results in rank order.
func (p *printer) passages(r *rag.Results) {
	if len(r.Hits) == 0 {
		fmt.Fprintln(p.w, "Nothing in the documents fits the query.")
	}
	for _, h := range r.Hits {
		page := ""
		if h.Page > 0 {
			page = fmt.Sprintf(" (page %d)", h.Page)
		}
		fmt.Fprintf(p.w, "[%d] %s:%d%s  %s\n", h.Rank, relative(h.Path), h.Line, page, p.faint(standings(h)))
		if len(h.Headings) > 0 {
			fmt.Fprintln(p.w, "    "+p.faint(rag.HeadingPath(h.Headings)))
		}
		fmt.Fprintln(p.w, p.indent(h.Text))
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

// indent sets text four columns in, wrapped on a terminal.
func (p *printer) indent(text string) string {
	style := lipgloss.NewStyle()
	if p.width > 20 {
		text = style.Width(p.width - 4).Render(text)
	}
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
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
