package document

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Reading order by recursive cuts, after Nagy and Seth, "Hierarchical
// representation of optically scanned documents" (1984), with two deviations.
// A cut between columns may be crossed by lines that span them (a title, a
// wide table): these divide the columns into bands, read one after the other.
// And a region is only cut into columns that hold prose; what else stands side
// by side is a table, read row by row.

// A region is what is read in one go: rows from top to bottom.
type region []pdfRow

// A pdfRow is what stands on one line of a region, from left to right.
type pdfRow []*fragment

const (
	minColumnLines = 6   // a region with fewer lines of prose side by side has no columns
	minProseRunes  = 14  // a line of prose is as long, most cells of tables are not
	minProseShare  = 0.6 // of a column's characters stand in such lines
	maxColumnDepth = 3   // cuts within cuts: up to eight columns
)

// readingOrder arranges the fragments of a page. Turned text, such as a note
// in the margin, comes last.
func readingOrder(fragments []fragment) []region {
	var upright []*fragment
	var turned region
	for i := range fragments {
		if f := &fragments[i]; f.upright {
			upright = append(upright, f)
		} else {
			turned = append(turned, pdfRow{f})
		}
	}
	regions := cutColumns(upright, maxColumnDepth)
	if len(turned) > 0 {
		regions = append(regions, turned)
	}
	return regions
}

// cutColumns cuts a part of a page at its best gutter, if it has one.
func cutColumns(fragments []*fragment, depth int) []region {
	if len(fragments) == 0 {
		return nil
	}
	x, ok := gutter(fragments)
	if depth == 0 || !ok {
		return []region{rowsOf(fragments)}
	}
	var regions []region
	for _, b := range bands(fragments, x) {
		if b.spanning || b.isTable() {
			regions = append(regions, rowsOf(append(b.left, b.right...)))
			continue
		}
		regions = append(regions, cutColumns(b.left, depth-1)...)
		regions = append(regions, cutColumns(b.right, depth-1)...)
	}
	return regions
}

// gutter finds the x at which a part of a page is best cut: the middle of the
// widest strip that the fewest fragments cross.
func gutter(fragments []*fragment) (float64, bool) {
	if len(fragments) < 2*minColumnLines {
		return 0, false
	}
	left, right := fragments[0].x0, fragments[0].x1
	for _, f := range fragments {
		left, right = min(left, f.x0), max(right, f.x1)
	}
	const strips = 200
	width := (right - left) / strips
	if width <= 0 {
		return 0, false
	}
	var crossed [strips + 1]int
	for _, f := range fragments {
		// A strip counts as crossed where it is covered whole, so that glyphs
		// that reach a little into the gutter do not fill it.
		from, to := int((f.x0-left)/width+0.99), int((f.x1-left)/width)
		if to > from {
			crossed[min(from, strips)]++
			crossed[min(to, strips)]--
		}
	}
	for i := 1; i <= strips; i++ {
		crossed[i] += crossed[i-1]
	}
	best, bestLen := -1, 0
	for i := strips / 6; i < strips*5/6; {
		j := i
		for j < strips*5/6 && crossed[j] == crossed[i] {
			j++
		}
		if best < 0 || crossed[i] < crossed[best] || crossed[i] == crossed[best] && j-i > bestLen {
			best, bestLen = i, j-i
		}
		i = j
	}
	x := left + (float64(best)+float64(bestLen)/2)*width
	return x, isGutter(fragments, x)
}

// isGutter tells whether both sides of x are columns of prose.
func isGutter(fragments []*fragment, x float64) bool {
	var left, right []*fragment
	for _, f := range fragments {
		switch side(f, x) {
		case -1:
			left = append(left, f)
		case 1:
			right = append(right, f)
		}
	}
	spanning := len(fragments) - len(left) - len(right)
	return isProse(left, minColumnLines) && isProse(right, minColumnLines) && spanning <= len(left)+len(right)
}

// isProse tells whether fragments are mostly lines of running text, and not
// fewer than so many.
func isProse(fragments []*fragment, lines int) bool {
	long, all := 0, 0
	for _, f := range fragments {
		n := utf8.RuneCountInString(f.text)
		all += n
		if n >= minProseRunes {
			long += n
			lines--
		}
	}
	return lines <= 0 && float64(long) >= minProseShare*float64(all)
}

// side is -1 for a fragment left of x, 1 right of it and 0 across.
func side(f *fragment, x float64) int {
	switch slack := f.height() / 4; {
	case f.x1 <= x+slack:
		return -1
	case f.x0 >= x-slack:
		return 1
	}
	return 0
}

// A band is a horizontal part of a cut region: lines that span it, held in
// left, or two columns.
type band struct {
	spanning    bool
	left, right []*fragment
}

// isTable tells columns that are rather cells side by side, as those of a
// table across the page.
func (b *band) isTable() bool {
	return len(b.left) > 0 && len(b.right) > 0 && !(isProse(b.left, 1) && isProse(b.right, 1))
}

// bands parts the fragments of a region cut at x.
func bands(fragments []*fragment, x float64) []band {
	sorted := slices.Clone(fragments)
	slices.SortStableFunc(sorted, func(a, b *fragment) int { return cmp.Compare(a.middle(), b.middle()) })
	var out []band
	for _, f := range sorted {
		where := side(f, x)
		if n := len(out); n == 0 || out[n-1].spanning != (where == 0) {
			out = append(out, band{spanning: where == 0})
		}
		b := &out[len(out)-1]
		if where == 1 {
			b.right = append(b.right, f)
		} else {
			b.left = append(b.left, f)
		}
	}
	return out
}

// rowsOf gathers fragments that stand on one line.
func rowsOf(fragments []*fragment) region {
	sorted := slices.Clone(fragments)
	slices.SortStableFunc(sorted, func(a, b *fragment) int { return cmp.Compare(a.middle(), b.middle()) })
	var rows region
	var top, bottom float64 // of the current row
	for _, f := range sorted {
		overlap := min(bottom, f.y1) - max(top, f.y0)
		if n := len(rows); n > 0 && overlap > 0.4*min(bottom-top, f.height()) {
			rows[n-1] = append(rows[n-1], f)
			// The row's extent follows its tallest part, not all of them, or
			// slanting lines would pull each other in.
			if f.height() > bottom-top {
				top, bottom = f.y0, f.y1
			}
			continue
		}
		rows = append(rows, pdfRow{f})
		top, bottom = f.y0, f.y1
	}
	for _, r := range rows {
		slices.SortStableFunc(r, func(a, b *fragment) int { return cmp.Compare(a.x0, b.x0) })
	}
	return rows
}

// cellHeights is how wide a gap parts the cells of a table, in heights. The
// spaces of a justified line and after a section's number are narrower.
const cellHeights = 2.5

// text joins a row: a tab between cells, else a space.
func (r pdfRow) text() string {
	var b strings.Builder
	for i, f := range r {
		if i > 0 {
			switch gap, unit := f.x0-r[i-1].x1, max(f.height(), r[i-1].height()); {
			case gap > cellHeights*unit:
				b.WriteByte('\t')
			case gap > unit/8:
				b.WriteByte(' ')
			}
		}
		b.WriteString(f.text)
		if f.hyphen && i < len(r)-1 {
			b.WriteByte('-')
		}
	}
	return b.String()
}

// size is the size of the font of most of the row.
func (r pdfRow) size() float64 {
	longest := r[0]
	for _, f := range r {
		if len(f.text) > len(longest.text) {
			longest = f
		}
	}
	return longest.size
}

// hyphen tells whether the row ends in a hyphen of the line break.
func (r pdfRow) hyphen() bool { return r[len(r)-1].hyphen }
