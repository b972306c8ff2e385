package state

import "strings"

// Page says which part of a list is wanted. Lists are ordered by creation, and
// what is created at one time by the order of insertion, so that an item keeps
// its place whatever is added.
type Page struct {
	After      string // id of the item before the page; empty for the first page
	Limit      int    // items at most, above 0
	Descending bool   // newest first
}

// clause returns the end of a query for the page of a table, and its arguments:
// one item more than the limit, which tells whether there are further ones.
// After has been looked up as (created, sequence).
func (p Page) clause(hasAfter bool) string {
	comparison, order := ">", "ASC"
	if p.Descending {
		comparison, order = "<", "DESC"
	}
	var b strings.Builder
	if hasAfter {
		b.WriteString(" AND (created_at, sequence) " + comparison + " (?, ?)")
	}
	b.WriteString(" ORDER BY created_at " + order + ", sequence " + order + " LIMIT ?")
	return b.String()
}

// trim cuts the item beyond the page, and reports whether there was one.
func trim[T any](items []T, p Page) ([]T, bool) {
	if len(items) <= p.Limit {
		return items, false
	}
	return items[:p.Limit], true
}
