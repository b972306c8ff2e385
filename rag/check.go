package rag

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector"
)

// Check verifies the index in dir and returns everything that is wrong with
// it, joined; nil also where dir holds no index, or one of an older version. It
// reads all of it: the database by vector.Check, then every document, passage and
// vector. While a Sync is at work on it, it returns ErrIndexInUse.
func Check(dir string) error { return store{disk.OS{}, dir}.check() }

func (s store) check() error {
	if m, err := s.readManifest(); err != nil || m == nil || m.foreign() {
		return err
	}
	if _, real := s.fs.(disk.OS); real {
		lock, err := disk.TryLock(s.path(lockName))
		if errors.Is(err, disk.ErrLocked) {
			return fmt.Errorf("check index %s: %w", s.dir, ErrIndexInUse)
		}
		if err != nil {
			return fmt.Errorf("check index %s: %w", s.dir, err)
		}
		defer lock.Unlock()
	}
	snap, err := s.open()
	if err != nil {
		return err
	}
	defer snap.release()
	if snap.db == nil {
		return nil // removed meanwhile
	}
	c := checking{snap: snap, vectors: map[passageKey][]float32{}}
	if err := vector.CheckFiles(s.fs, snap.dir); err != nil {
		c.problems = append(c.problems, err)
	}
	for i := range snap.documents {
		c.document(&snap.documents[i])
	}
	c.count()
	return errors.Join(c.problems...)
}

// checking collects what is wrong with a snapshot.
type checking struct {
	snap     *snapshot
	vectors  map[passageKey][]float32
	problems []error
}

func (c *checking) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

// count finds points that belong to no document.
func (c *checking) count() {
	n, err := c.snap.view.Count(context.Background(), passageSpace, nil)
	if err != nil || n != c.snap.passages {
		c.problem("there are %d passages, and the documents have %d; %v", n, c.snap.passages, err)
	}
}

func (c *checking) document(d *documentRecord) {
	if (d.problem == "") != (d.count > 0) {
		c.problem("document %s has %d passages, and the problem %q", d.path, d.count, d.problem)
	}
	points, err := c.snap.documentPoints(context.Background(), d, vector.With{AllVectors: true})
	if err != nil {
		c.problem("document %s: %v", d.path, err)
		return
	}
	records := make([]passageRecord, len(points))
	for i, p := range points {
		if records[i], err = decodePassage(p); err != nil {
			c.problem("document %s: %v", d.path, err)
			return
		}
		c.vector(d, records[i].key, p.Vector)
	}
	c.passages(d, records)
}

func (c *checking) passages(d *documentRecord, records []passageRecord) {
	text := joined(records, d.tail)
	line, at := 1, 0
	for _, p := range records {
		if p.end() > len(text) || text[p.start:p.end()] != p.text {
			c.problem("document %s, byte %d: the passages do not add up to a text", d.path, p.start)
			return
		}
		if p.start < at {
			line, at = 1, 0 // passages that overlap
		}
		line += strings.Count(text[at:p.start], "\n")
		at = p.start
		switch {
		case strings.TrimSpace(p.text) == "" || !utf8.ValidString(p.text):
			c.problem("document %s, bytes %d to %d: no text of whole characters", d.path, p.start, p.end())
		case d.unit != unitTextLine && p.line != 0:
			c.problem("document %s, byte %d: a line of the text, which the file does not have", d.path, p.start)
		case d.unit == unitTextLine && p.line != line:
			c.problem("document %s, byte %d is on line %d, and the passage says %d", d.path, p.start, line, p.line)
		}
		for i, m := range p.marks {
			if i > 0 && p.marks[i-1].start > m.start || m.start < 0 || m.start > len(p.text) || m.number < 1 {
				c.problem("document %s, byte %d: mark %d of the file's lines is number %d at %d of %d bytes",
					d.path, p.start, i, m.number, m.start, len(p.text))
			}
		}
	}
}

func (c *checking) vector(d *documentRecord, key passageKey, v []float32) {
	e := c.snap.state.Identity.Embedding
	if e == nil {
		return
	}
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if len(v) != e.Dimensions || !(math.Abs(square-1) < 1e-3) {
		c.problem("document %s has a vector of %d dimensions and norm %v, want %d and 1", d.path, len(v), math.Sqrt(square), e.Dimensions)
	}
	if first, ok := c.vectors[key]; ok && !slices.Equal(v, first) {
		c.problem("document %s: two vectors of one text differ", d.path)
	}
	c.vectors[key] = v
}
