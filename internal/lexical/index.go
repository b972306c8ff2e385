package lexical

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"math"
	"slices"
	"sort"
)

// Index is an immutable inverted index over its encoded bytes.
type Index struct {
	data     []byte
	analyzer string
	analyze  *Analyzer
	params   Params

	lengths []uint32
	total   uint64 // of lengths
	norms   []float64
	raise   float64 // what bounds must be multiplied by: above 1 in an index that Scaled made
	terms   []entry
	names   []byte
	lists   []byte // postings
}

// entry is a term of the dictionary; its name and postings end where those of
// the next begin.
type entry struct {
	list  uint64 // offset in lists
	name  uint32 // offset in names
	count uint32 // documents that hold it
	bound float32
}

// ErrCorrupt reports bytes that are no index, or a damaged one.
var ErrCorrupt = errors.New("corrupt keyword index")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// Load returns the index encoded in data, which must not change while the
// index is in use; it may be mapped memory. The checksum, all lengths and the
// dictionary are checked here, the inside of postings by Verify: damaged
// postings under a right checksum make searches miss documents, never panic.
func Load(data []byte) (*Index, error) {
	if len(data) < headerSize+sumSize || string(data[:8]) != magic {
		return nil, corrupt("no header")
	}
	le := binary.LittleEndian
	if v := le.Uint32(data[8:]); v != version {
		return nil, fmt.Errorf("keyword index has version %d: this program reads version %d", v, version)
	}
	body := data[:len(data)-sumSize]
	if got, want := crc32.Checksum(body, castagnoli), le.Uint32(data[len(body):]); got != want {
		return nil, corrupt("checksum is %08x, want %08x", got, want)
	}
	x := &Index{data: data}
	x.params.K1 = math.Float64frombits(le.Uint64(data[16:]))
	x.params.B = math.Float64frombits(le.Uint64(data[24:]))
	if err := x.params.validate(); err != nil {
		return nil, corrupt("%v", err)
	}
	sections, err := split(body[headerSize:],
		uint64(le.Uint32(data[12:])), 1, // analyser
		le.Uint64(data[32:]), 4, // lengths
		le.Uint64(data[40:]), entrySize,
		le.Uint64(data[56:]), 1, // names
		le.Uint64(data[64:]), 1, // postings
	)
	if err != nil {
		return nil, err
	}
	x.analyzer = string(sections[0])
	x.names, x.lists = sections[3], sections[4]
	if x.analyze, _ = Named(x.analyzer); x.analyze == nil {
		return nil, fmt.Errorf("keyword index was analysed by %q, which this program does not know", x.analyzer)
	}
	if err := x.loadLengths(sections[1], le.Uint64(data[48:])); err != nil {
		return nil, err
	}
	return x, x.loadTerms(sections[2])
}

// split cuts data into sections given as count and size of an element, which
// must fill it exactly.
func split(data []byte, counts ...uint64) ([][]byte, error) {
	var sections [][]byte
	for i := 0; i < len(counts); i += 2 {
		count, size := counts[i], counts[i+1]
		if count > uint64(len(data))/size {
			return nil, corrupt("section %d has %d elements of %d bytes, and %d bytes are left", i/2, count, size, len(data))
		}
		sections = append(sections, data[:count*size])
		data = data[count*size:]
	}
	if len(data) > 0 {
		return nil, corrupt("%d bytes after the last section", len(data))
	}
	return sections, nil
}

func (x *Index) loadLengths(section []byte, total uint64) error {
	x.lengths = make([]uint32, len(section)/4)
	var sum uint64
	for doc := range x.lengths {
		x.lengths[doc] = binary.LittleEndian.Uint32(section[4*doc:])
		sum += uint64(x.lengths[doc])
	}
	if sum != total {
		return corrupt("documents have %d terms together, and the header says %d", sum, total)
	}
	x.total, x.raise = total, 1
	x.norms = norms(x.params, x.lengths, average(total, len(x.lengths)))
	return nil
}

func (x *Index) loadTerms(section []byte) error {
	x.terms = make([]entry, len(section)/entrySize)
	for i := range x.terms {
		raw := section[entrySize*i:]
		e := entry{
			list:  binary.LittleEndian.Uint64(raw),
			name:  binary.LittleEndian.Uint32(raw[8:]),
			count: binary.LittleEndian.Uint32(raw[12:]),
			bound: math.Float32frombits(binary.LittleEndian.Uint32(raw[16:])),
		}
		if e.list >= uint64(len(x.lists)) || uint64(e.name) >= uint64(len(x.names)) {
			return corrupt("term %d lies beyond its section", i)
		}
		if i == 0 && (e.list != 0 || e.name != 0) {
			return corrupt("term 0 does not begin its section")
		}
		if i > 0 && (e.list <= x.terms[i-1].list || e.name <= x.terms[i-1].name) {
			return corrupt("term %d lies before the one ahead of it", i)
		}
		if e.count == 0 || uint64(e.count) > uint64(len(x.lengths)) {
			return corrupt("term %d is in %d of %d documents", i, e.count, len(x.lengths))
		}
		if !(e.bound >= 0 && e.bound <= 1) {
			return corrupt("term %d has the score bound %v", i, e.bound)
		}
		x.terms[i] = e
	}
	return nil
}

// Bytes returns the encoding, which Load reads. It must not be changed.
func (x *Index) Bytes() []byte { return x.data }

// Len returns the number of documents.
func (x *Index) Len() int { return len(x.lengths) }

// Analyzer returns the analyser of documents and questions.
func (x *Index) Analyzer() *Analyzer { return x.analyze }

// Params returns BM25's constants.
func (x *Index) Params() Params { return x.params }

// term returns the name of term t.
func (x *Index) term(t int) []byte {
	end := len(x.names)
	if t+1 < len(x.terms) {
		end = int(x.terms[t+1].name)
	}
	return x.names[x.terms[t].name:end]
}

// lookup finds a term by name.
func (x *Index) lookup(name string) (t int, ok bool) {
	return sort.Find(len(x.terms), func(t int) int {
		return slices.Compare([]byte(name), x.term(t))
	})
}

// postings iterates over the postings of term t.
func (x *Index) postings(t int) iter.Seq[posting] {
	return func(yield func(posting) bool) {
		c := newCursor(x, t)
		for c.next(); c.doc != noDocument; c.next() {
			if !yield(posting{uint32(c.doc), c.tf()}) {
				return
			}
		}
	}
}

// Verify walks every posting and returns what is wrong: order, counts, lengths
// of documents and bounds of scores.
func (x *Index) Verify() error {
	lengths := make([]uint32, len(x.lengths))
	var before []byte
	for t := range x.terms {
		name := x.term(t)
		if t > 0 && slices.Compare(before, name) >= 0 {
			return corrupt("term %q stands after %q", name, before)
		}
		before = name
		n := uint32(0)
		c := newCursor(x, t)
		for c.next(); c.doc != noDocument; c.next() {
			got := factor(c.tf(), x.norms[c.doc])
			if bound := float64(min(c.bound, x.terms[t].bound)); got > bound {
				return corrupt("term %q in document %d has the factor %v above its bound %v", name, c.doc, got, bound)
			}
			lengths[c.doc] += c.tf()
			n++
		}
		if n != x.terms[t].count || len(c.rest) > 0 {
			return corrupt("term %q has %d readable postings of %d", name, n, x.terms[t].count)
		}
	}
	if !slices.Equal(lengths, x.lengths) {
		return corrupt("the postings do not add up to the lengths of the documents")
	}
	return nil
}
