package rag

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ragstone/ragstone/internal/disk"
)

// Check verifies the index in dir and returns everything that is wrong with
// it, joined; nil also where dir holds no index. It reads all of it: checksums,
// the order of documents, every passage's range, place and text, every posting,
// and that vectors are numbers of norm 1.
func Check(dir string) error { return store{disk.OS{}, dir}.check() }

func (s store) check() error {
	snap, err := s.open()
	if err != nil {
		return err
	}
	defer snap.release()
	c := checking{snap: snap}
	c.documents()
	if err := snap.keywords.Verify(); err != nil {
		c.problem("keyword index: %w", err)
	}
	c.vectors()
	return errors.Join(c.problems...)
}

// checking collects what is wrong with a snapshot.
type checking struct {
	snap     *snapshot
	problems []error
}

func (c *checking) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

func (c *checking) documents() {
	for i, d := range c.snap.documents {
		if i > 0 && c.snap.documents[i-1].path >= d.path {
			c.problem("document %s stands after %s", d.path, c.snap.documents[i-1].path)
		}
		if (d.problem == "") != (d.count > 0) {
			c.problem("document %s has %d passages, and the problem %q", d.path, d.count, d.problem)
		}
		text := c.snap.documentText(d)
		if !utf8.ValidString(text) {
			c.problem("document %s: its text is no UTF-8", d.path)
		}
		c.marks(d)
		c.passages(d, text)
	}
}

func (c *checking) passages(d documentRecord, text string) {
	line, at := 1, 0
	for _, p := range c.snap.passages[d.first : d.first+d.count] {
		quoted := text[p.start:p.end]
		if p.start < at {
			line, at = 1, 0 // passages that overlap
		}
		line += strings.Count(text[at:p.start], "\n")
		at = p.start
		switch {
		case strings.TrimSpace(quoted) == "" || !utf8.ValidString(quoted):
			c.problem("document %s, bytes %d to %d: no text of whole characters", d.path, p.start, p.end)
		case d.unit != unitTextLine && p.line != 0:
			c.problem("document %s, byte %d: a line of the text, which the file does not have", d.path, p.start)
		case d.unit == unitTextLine && p.line != line:
			c.problem("document %s, byte %d is on line %d, and the passage says %d", d.path, p.start, line, p.line)
		}
	}
}

func (c *checking) marks(d documentRecord) {
	for i, m := range d.marks {
		if i > 0 && d.marks[i-1].start > m.start || m.start > d.length {
			c.problem("document %s: mark %d of the file's lines stands at %d of %d bytes", d.path, i, m.start, d.length)
		}
	}
}

func (c *checking) vectors() {
	if c.snap.vectors == nil {
		return
	}
	rows := map[passageKey]int{}
	for id, p := range c.snap.passages {
		v := c.snap.vectors.Vector(id)
		var square float64
		for _, x := range v {
			square += float64(x) * float64(x)
		}
		if !(math.Abs(square-1) < 1e-3) {
			c.problem("vector %d has norm %v, want 1", id, math.Sqrt(square))
		}
		if first, ok := rows[p.key]; ok && !slices.Equal(v, c.snap.vectors.Vector(first)) {
			c.problem("vectors %d and %d of one text differ", first, id)
		}
		rows[p.key] = id
	}
}
