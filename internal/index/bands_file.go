package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

const (
	bandsMagic      = "RAGBAND\n"
	bandsVersion    = 1
	bandsHeaderSize = 64
	bandsEntrySize  = 24 // of a band in the table
)

// IsBands reports whether bytes begin like those that Bands.WriteTo writes.
func IsBands(data []byte) bool { return bytes.HasPrefix(data, []byte(bandsMagic)) }

// WriteTo writes the index; docs/formats/graph.md has the layout. One graph at a time is
// held in memory once more.
func (b *Bands) WriteTo(w io.Writer) (int64, error) {
	le := binary.LittleEndian
	h := make([]byte, bandsHeaderSize)
	copy(h, bandsMagic)
	le.PutUint32(h[8:], bandsVersion)
	le.PutUint32(h[12:], uint32(len(b.bands)))
	var table []byte
	graphs := make([]bytes.Buffer, len(b.bands))
	for i, band := range b.bands {
		if _, err := band.graph.WriteTo(&graphs[i]); err != nil {
			return 0, err
		}
		table = le.AppendUint64(table, uint64(len(band.rows)))
		table = le.AppendUint64(table, uint64(graphs[i].Len()))
		table = le.AppendUint64(table, math.Float64bits(band.most))
	}
	f := &fileWriter{w: w}
	f.section(h)
	f.section(table)
	for i, band := range b.bands {
		f.section(wordBytes(band.rows))
		f.section(graphs[i].Bytes())
	}
	return f.finish()
}

// OpenBands reads what WriteTo wrote, in place as OpenGraph does. All of it is checked.
func OpenBands(data []byte) (*Bands, error) {
	h, r, err := openSections("bands of graphs", bandsMagic, bandsVersion, bandsHeaderSize, data)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	count := le.Uint32(h[12:])
	if count < 1 || count > bandsMost {
		r.fail("it says it has %d bands", count)
	}
	table := r.section("table", uint64(count), bandsEntrySize)
	b := &Bands{}
	for ; len(table) > 0; table = table[bandsEntrySize:] {
		rows := wordsOf(r.section("rows", le.Uint64(table), 4))
		file := r.section("graph", le.Uint64(table[8:]), 1)
		if r.err != nil {
			return nil, r.err
		}
		g, err := OpenGraph(file)
		if err != nil {
			return nil, fmt.Errorf("open band %d: %w", len(b.bands), err)
		}
		if g.Len() != len(rows) || len(b.bands) > 0 && (g.Dimensions() != b.Dimensions() || g.Metric() != b.Metric()) {
			r.fail("band %d has %d rows and a graph of %d, %d dimensions under %v", len(b.bands), len(rows), g.Len(), g.Dimensions(), g.Metric())
			return nil, r.err
		}
		b.bands = append(b.bands, band{g, rows, math.Float64frombits(le.Uint64(table[16:]))})
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	b.checkRows(r)
	if r.err != nil {
		return nil, r.err
	}
	return b, nil
}

// checkRows checks that every row is in one band.
func (b *Bands) checkRows(r *sectionReader) {
	seen := make([]bool, b.Len())
	for i, band := range b.bands {
		for _, row := range band.rows {
			if int64(row) >= int64(len(seen)) || seen[row] {
				r.fail("row %d of %d is in band %d and in another, or in none", row, len(seen), i)
				return
			}
			seen[row] = true
		}
	}
}
