package rag

import (
	"slices"
	"strings"
	"unicode"
)

// borders are the offsets in a line of the marks that part its cells, in order.
type borders []int

// at says whether the byte at offset i is such a mark.
func (b borders) at(i int) bool {
	_, is := slices.BinarySearch(b, i)
	return is
}

// inside says whether a mark lies in the bytes from start to end.
func (b borders) inside(start, end int) bool {
	next, _ := slices.BinarySearch(b, start)
	return next < len(b) && b[next] < end
}

// bordersOf finds the borders in a row of a table of so many columns, or of
// one that nothing is known of with 0. Bars and tabs always part cells; commas
// and semicolons do where no space follows, unless they look like part of a
// number. If that gives another number of cells than there are columns, a row
// of separated values is read as RFC 4180 has it: "Gannets,7,3,2" has four
// cells in a table of four columns, and in one of three "Bolts,1,250" has
// three.
func bordersOf(row string, columns int) borders {
	plain := marksIn(row, func(i int, r rune) bool { return endsCell(row, i, r) })
	if columns == 0 || len(plain)+1 == columns || strings.ContainsAny(row, "|\t") {
		return plain
	}
	for _, separator := range ",;" {
		if strict := marksIn(row, func(_ int, r rune) bool { return r == separator }); len(strict)+1 == columns {
			return strict
		}
	}
	return plain
}

// marksIn lists the runes that part cells, but for those inside a cell in
// quotation marks.
func marksIn(row string, parts func(i int, r rune) bool) borders {
	var marks borders
	quoted, begun := false, 0
	for i, r := range row {
		switch {
		case r == '"' && (quoted || strings.HasSuffix(row[:i], `"`) || strings.TrimSpace(row[begun:i]) == ""):
			quoted = !quoted // twice for "", which stands for one inside quotation marks
		case !quoted && parts(i, r):
			marks = append(marks, i)
			begun = i + 1
		}
	}
	return marks
}

// endsCell says whether the rune at offset i looks as if it parted cells.
func endsCell(s string, i int, r rune) bool {
	switch r {
	case '|', '\t':
		return true
	case ',', ';':
		next := runeAfter(s, i+1)
		return next != 0 && !unicode.IsSpace(next) && !inNumber(s, i)
	}
	return false
}

// inNumber says whether the mark at offset i stands inside a number, as in
// "1,250" and "3,5": between digits that are no other number, word, date or
// time of their own. "8,1949", "M6,0.34", "2,3,4" and "8:00,18:00" are cells.
func inNumber(s string, i int) bool {
	before, after := i, i+1
	for isDigitAt(s, before-1) {
		before--
	}
	for isDigitAt(s, after) {
		after++
	}
	return isGroup(i-before, runeBefore(s, before), isDigitAt(s, before-2)) &&
		isGroup(after-(i+1), runeAfter(s, after), isDigitAt(s, after+1))
}

// isGroup says whether so many digits can belong to the number beside them. The
// rune on their other side tells: a letter, or what joins dates and times, makes
// them something else, and between two marks of a number stand three.
func isGroup(digits int, beyond rune, moreDigits bool) bool {
	const most, thousands = 3, 3
	switch {
	case digits == 0 || digits > most:
		return false
	case unicode.IsLetter(beyond):
		return false
	case moreDigits && strings.ContainsRune(":/-", beyond):
		return false
	case moreDigits && strings.ContainsRune(".,", beyond):
		return digits == thousands
	}
	return true
}

func isDigitAt(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }

// cellsOf cuts a row of so many columns into its cells, without blanks and
// quotation marks; a rule such as |---|---| has none.
func cellsOf(row string, columns int) []string {
	row = strings.TrimSpace(row)
	if isRule(row) {
		return nil
	}
	if strings.HasPrefix(row, "|") {
		row = strings.TrimSuffix(row[1:], "|")
	}
	var cells []string
	start := 0
	add := func(end int) { cells = append(cells, strings.Trim(row[start:end], " \t\"")) }
	for _, at := range bordersOf(row, columns) {
		add(at)
		start = at + 1
	}
	add(len(row))
	return cells
}

// isRule tells the line between a head and its rows in Markdown.
func isRule(row string) bool {
	return strings.Contains(row, "-") && strings.Trim(row, "|-: \t") == ""
}
