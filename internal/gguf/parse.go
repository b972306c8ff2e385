package gguf

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Limits on what a file may announce. Real files stay far below them.
const (
	// MaxArrayDepth is how deep metadata arrays may nest.
	MaxArrayDepth = 4

	maxNameBytes  = 1<<16 - 1 // the format's own limit for keys
	maxDimensions = 4
	maxAlignment  = 1 << 20

	defaultAlignment = 32
	alignmentKey     = "general.alignment"

	// The smallest encodings of one metadata value and one tensor description:
	// they bound the counts that a file of a given size can have.
	minValueBytes  = 8 + 4 + 1
	minTensorBytes = 8 + 4 + 4 + 8
)

// reader is a cursor over the head of a file. After the first problem it
// stays where it is and every read returns zero; err holds the problem.
type reader struct {
	path string
	data []byte
	pos  int
	err  error
}

func parse(path string, data []byte) (*File, error) {
	r := &reader{path: path, data: data}
	tensors, values := r.header()
	f := &File{meta: map[string]value{}, byName: map[string]int{}}
	r.metadata(f, values)
	r.descriptions(f, tensors)
	if r.err != nil {
		return nil, r.err
	}
	return f, nil
}

// refuse records the first problem with the content.
func (r *reader) refuse(format string, args ...any) {
	if r.err == nil {
		r.err = &FormatError{Path: r.path, Reason: fmt.Sprintf(format, args...)}
	}
}

// shown is a name as an error tells it: in a damaged file it may be 64 KiB of
// anything.
func shown(name string) string {
	const most = 80
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// truncated records that what, which needs bytes from..to, goes past the end.
func (r *reader) truncated(what string, from, to uint64) {
	if r.err == nil {
		reason := fmt.Sprintf("%s needs bytes %d–%d, the file has %d", what, from, to, len(r.data))
		r.err = &FormatError{Path: r.path, Truncated: true, Reason: reason}
	}
}

// bytes takes the next n bytes, which hold what.
func (r *reader) bytes(what string, n uint64) []byte {
	if r.err != nil {
		return nil
	}
	if n > uint64(len(r.data)-r.pos) {
		from := uint64(r.pos)
		to := from + n
		if to < from {
			to = math.MaxUint64
		}
		r.truncated(what, from, to)
		return nil
	}
	b := r.data[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return b
}

func (r *reader) uint32(what string) uint32 {
	if b := r.bytes(what, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64(what string) uint64 {
	if b := r.bytes(what, 8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// name takes a string of at most maxNameBytes.
func (r *reader) name(what string) string {
	n := r.uint64(what)
	if n > maxNameBytes {
		r.refuse("%s is %d bytes long, at most %d are allowed", what, n, maxNameBytes)
		return ""
	}
	return string(r.bytes(what, n))
}

// header takes the fixed part and returns the counts of tensors and metadata
// values, both checked against the size of the file.
func (r *reader) header() (tensors, values uint64) {
	if n := min(len(r.data), 4); string(r.data[:n]) != "GGUF"[:n] {
		r.refuse("it does not start with the letters GGUF")
		return 0, 0
	}
	r.bytes("the header", 4)
	switch v := r.uint32("the header"); {
	case r.err != nil:
	case v&0xffff == 0 && v != 0:
		r.refuse("it is big-endian; only little-endian files are read")
	case v != 2 && v != 3:
		r.refuse("its version is %d; versions 2 and 3 are read", v)
	}
	tensors, values = r.uint64("the header"), r.uint64("the header")
	rest := uint64(len(r.data) - r.pos)
	if values > rest/minValueBytes {
		r.refuse("it announces %d metadata values in %d bytes", values, rest)
	}
	if tensors > rest/minTensorBytes {
		r.refuse("it announces %d tensors in %d bytes", tensors, rest)
	}
	return tensors, values
}

// metadata takes n keys with their values.
func (r *reader) metadata(f *File, n uint64) {
	for i := uint64(0); i < n && r.err == nil; i++ {
		key := r.name(fmt.Sprintf("the name of metadata value %d", i))
		what := fmt.Sprintf("metadata value %q", shown(key))
		kind := Kind(r.uint32(what))
		v := r.value(what, kind, 0)
		if r.err != nil {
			return
		}
		if _, ok := f.meta[key]; ok {
			r.refuse("metadata key %q appears twice", shown(key))
			return
		}
		f.meta[key] = v
		f.keys = append(f.keys, key)
	}
}

// descriptions takes n tensor descriptions and finds each tensor's data.
func (r *reader) descriptions(f *File, n uint64) {
	alignment := r.alignment(f)
	var offsets []uint64
	for i := uint64(0); i < n && r.err == nil; i++ {
		t, offset := r.description(i)
		if r.err != nil {
			return
		}
		if _, ok := f.byName[t.Name]; ok {
			r.refuse("tensor %q appears twice", shown(t.Name))
			return
		}
		if offset%alignment != 0 {
			r.refuse("tensor %q starts at offset %d, which is no multiple of the alignment %d", shown(t.Name), offset, alignment)
			return
		}
		f.byName[t.Name] = len(f.tensors)
		f.tensors = append(f.tensors, t)
		offsets = append(offsets, offset)
	}
	if r.err != nil {
		return
	}
	start := (uint64(r.pos) + alignment - 1) / alignment * alignment
	r.locate(f.tensors, offsets, start)
}

// alignment returns the alignment that the metadata asks for.
func (r *reader) alignment(f *File) uint64 {
	if r.err != nil || !f.Has(alignmentKey) {
		return defaultAlignment
	}
	a, err := f.Uint(alignmentKey)
	if err != nil {
		r.refuse("%v", err)
		return defaultAlignment
	}
	if a == 0 || a > maxAlignment || a&(a-1) != 0 {
		r.refuse("%s is %d, want a power of two up to %d", alignmentKey, a, maxAlignment)
		return defaultAlignment
	}
	return a
}

// description takes tensor i's name, shape and type; its data is still
// missing. The offset counts from the start of the data section.
func (r *reader) description(i uint64) (t Tensor, offset uint64) {
	t.Name = r.name(fmt.Sprintf("the name of tensor %d", i))
	what := fmt.Sprintf("the description of tensor %q", shown(t.Name))
	dims := r.uint32(what)
	if dims > maxDimensions {
		r.refuse("tensor %q has %d dimensions, at most %d are allowed", shown(t.Name), dims, maxDimensions)
		return t, 0
	}
	values := 1
	t.Shape = make([]int, dims)
	for j := range t.Shape {
		d := r.uint64(what)
		if r.err != nil {
			return t, 0
		}
		ok := d > 0 && d <= math.MaxInt
		if ok {
			values, ok = product(values, int(d))
		}
		if !ok {
			r.refuse("tensor %q has an impossible dimension %d", shown(t.Name), d)
			return t, 0
		}
		t.Shape[j] = int(d)
	}
	t.Type = Type(r.uint32(what))
	if n, _ := t.Type.Block(); n == 0 {
		r.refuse("tensor %q has the unknown type %d", shown(t.Name), uint32(t.Type))
	}
	return t, r.uint64(what)
}

// locate points each tensor at its data and checks that no two share bytes.
func (r *reader) locate(tensors []Tensor, offsets []uint64, start uint64) {
	order := make([]int, len(tensors))
	for i := range tensors {
		order[i] = i
		t := &tensors[i]
		size, ok := t.bytes()
		if !ok {
			r.refuse("tensor %q cannot have shape %v in type %s", shown(t.Name), t.Shape, t.Type)
			return
		}
		from := start + offsets[i]
		to := from + uint64(size)
		if from < start || to < from || to > uint64(len(r.data)) {
			r.truncated(fmt.Sprintf("tensor %q", shown(t.Name)), from, max(to, from))
			return
		}
		t.Data = r.data[from:to:to]
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(offsets[a], offsets[b]) })
	for i := 1; i < len(order); i++ {
		a, b := order[i-1], order[i]
		if offsets[a]+uint64(len(tensors[a].Data)) > offsets[b] {
			r.refuse("tensors %q and %q overlap", shown(tensors[a].Name), shown(tensors[b].Name))
			return
		}
	}
}

// bytes is the size of the tensor's data as its shape and type say.
func (t *Tensor) bytes() (int, bool) {
	row, rows := 1, 1
	for i, d := range t.Shape {
		if i == 0 {
			row = d
		} else {
			rows *= d // the product of all dimensions is known to fit
		}
	}
	n, ok := t.Type.RowBytes(row)
	if !ok {
		return 0, false
	}
	return product(n, rows)
}
