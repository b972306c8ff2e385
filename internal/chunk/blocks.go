package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A blockKind says whether the text of a block is divided further.
type blockKind int

const (
	prose    blockKind = iota // a paragraph or list item: lines that run on
	headline                  // a heading with its mark
	single                    // a table row, a line of a code block: one unit
)

// A block is one or more lines that belong together. Blocks tile a text but
// for blank lines before the first.
type block struct {
	Span
	kind  blockKind
	body  int  // where the text begins, after a list marker, heading mark or fence
	apart bool // a blank line or the start of the text goes before it
}

// blocks finds the line structure of a text in the notations that Markdown and
// plain text share: blank lines, list markers, headings, rows, fenced code.
func blocks(text string) []block {
	var out []block
	sc := blockScanner{apart: true}
	for start := 0; start < len(text); {
		end := lineEnd(text, start)
		line := strings.TrimRight(text[start:end], " \t\r\n")
		if strings.TrimSpace(line) == "" {
			sc.apart, sc.inProse = true, false
		} else if b, ok := sc.next(start, line); ok {
			out = append(out, b)
		}
		if len(out) > 0 {
			out[len(out)-1].End = end
		}
		start = end
	}
	return out
}

// A blockScanner remembers what the lines before mean for the next one.
type blockScanner struct {
	apart   bool   // a blank line went before
	inProse bool   // the line before was prose, which may run on
	inList  bool   // the block of the line before began with a number
	fence   string // closes the code block the line stands in
}

// next returns the block that a line begins, or false if the line goes on with
// the one before.
func (sc *blockScanner) next(start int, line string) (block, bool) {
	trimmed := strings.TrimLeft(line, " \t")
	indent := len(line) - len(trimmed)
	b := block{Span: Span{Start: start}, body: start + indent, apart: sc.apart}
	goesOn := sc.inProse
	sc.apart, sc.inProse = false, false
	if sc.fence != "" {
		if strings.HasPrefix(trimmed, sc.fence) && strings.Trim(trimmed, sc.fence[:1]) == "" {
			sc.fence = ""
			b.body = start + len(line)
		}
		b.kind = single
		return b, true
	}
	marker, numbered := listMarker(trimmed)
	switch {
	case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
		sc.fence = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, trimmed[:1]))]
		b.kind, b.body = single, start+len(line)
	case headingMark(trimmed) > 0:
		b.kind = headline
		b.body += headingMark(trimmed)
	case goesOn && isUnderline(trimmed):
		return b, false // of a setext heading: no text of its own
	case isRow(trimmed):
		b.kind = single
	case marker > 0 && (!numbered || !goesOn || sc.inList || trimmed[0] == '1'):
		b.body += marker
		sc.inProse, sc.inList = true, numbered
	case goesOn:
		sc.inProse = true
		return b, false
	default:
		sc.inProse, sc.inList = true, false
	}
	return b, true
}

// headingMark is the length of a Markdown heading's # signs and the blanks
// after them, or 0.
func headingMark(line string) int {
	rest := strings.TrimLeft(line, "#")
	level := len(line) - len(rest)
	body := strings.TrimLeft(rest, " \t")
	if level == 0 || level > 6 || len(body) == len(rest) && rest != "" {
		return 0
	}
	return len(line) - len(body)
}

// isUnderline tells a line of = or - signs alone.
func isUnderline(line string) bool {
	return len(line) >= 3 && (strings.Trim(line, "=") == "" || strings.Trim(line, "-") == "")
}

// IsRow tells a line that is a row of a table, as Sentences and Split take it.
func IsRow(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && isRow(line)
}

// isRow tells a row of a table: cells between bars, or parted by tabs, or by
// commas or semicolons as in CSV. Markdown also allows rows that neither begin
// nor end with a bar; two of them must part cells then, or a rule's dashes.
func isRow(line string) bool {
	return line[0] == '|' && strings.Count(line, "|") > 1 || strings.Contains(line, "\t") ||
		strings.Count(line, " | ") > 1 || strings.Contains(line, "-|-") && strings.Trim(line, "|-: ") == "" ||
		isRecord(line, ',') || isRecord(line, ';')
}

// isRecord tells a line of at least three cells whose separators, outside
// quotation marks, are followed by a cell at once, where prose has a blank or a
// mark. The commas of an amount ("1,250,000") part no cells.
func isRecord(line string, separator byte) bool {
	cells, quoted := 1, false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case quoted || line[i] != separator:
		case !beginsCell(line[i+1:], separator):
			return false
		case !inAmount(line, i):
			cells++
		}
	}
	return cells >= 3 && !quoted
}

// beginsCell tells what can follow a separator: a cell, an empty one, or the end
// of the line.
func beginsCell(rest string, separator byte) bool {
	r, size := utf8.DecodeRuneInString(rest)
	return size == 0 || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Sc, r) ||
		r == rune(separator) || strings.ContainsRune(`"+-.`, r)
}

// inAmount tells a comma between digits of which exactly three follow it.
func inAmount(line string, i int) bool {
	digit := func(i int) bool { return i >= 0 && i < len(line) && line[i] >= '0' && line[i] <= '9' }
	return digit(i-1) && digit(i+1) && digit(i+2) && digit(i+3) && !digit(i+4)
}

// listMarker is the length of a list item's marker and the blanks after it, or
// 0, and whether the marker is a number.
func listMarker(line string) (length int, numbered bool) {
	digits := 0
	for digits < len(line) && line[digits] >= '0' && line[digits] <= '9' {
		digits++
	}
	rest := line[digits:]
	switch {
	case digits > 3:
		return 0, false
	case digits > 0:
		if !strings.HasPrefix(rest, ".") && !strings.HasPrefix(rest, ")") {
			return 0, false
		}
		rest = rest[1:]
	case len(rest) > 1 && rest[1] == ')' && rest[0] >= 'a' && rest[0] <= 'z':
		rest = rest[2:]
	default:
		bullet := strings.TrimLeft(rest, "-*+>•◦▪‣·–—")
		if len(rest) == len(bullet) || len(rest)-len(bullet) > 3 {
			return 0, false
		}
		rest = bullet
	}
	body := strings.TrimLeftFunc(rest, unicode.IsSpace)
	if len(body) == len(rest) {
		return 0, false
	}
	return len(line) - len(body), digits > 0
}
