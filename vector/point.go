package vector

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/vector/internal/payload"
)

// Payload is the JSON object that a point carries: what is searched for is
// found by its vectors, what is shown and filtered by is here. Values are as
// encoding/json has them, except that integers keep all their digits (int64,
// uint64); any other Go value is stored as JSON and comes back so.
type Payload = map[string]any

// Point is what a collection holds. Its ID is unique within its namespace.
type Point struct {
	ID ID `json:"id"`
	// Namespace is a part of the collection that is searched by itself; ""
	// is one too. There may be any number of them.
	Namespace string `json:"namespace,omitempty"`
	// Vector is the dense vector named "".
	Vector []float32 `json:"vector,omitempty"`
	// Vectors are the dense vectors with other names.
	Vectors map[string][]float32 `json:"vectors,omitempty"`
	// Multi are the multi-vectors, by name.
	Multi map[string][][]float32 `json:"multi,omitempty"`
	// Sparse are the sparse vectors, by name.
	Sparse map[string]Sparse `json:"sparse,omitempty"`
	// Payload may be nil, which is an empty object.
	Payload Payload `json:"payload,omitempty"`
}

// Sparse is a vector of which most numbers are zero: the others and where they
// stand.
type Sparse struct {
	Indices []uint32  `json:"indices"`
	Values  []float32 `json:"values"`
}

// sorted checks a sparse vector and returns it in the order of indices, without
// zeros.
func (s Sparse) sorted() (Sparse, error) {
	if len(s.Indices) != len(s.Values) {
		return s, fmt.Errorf("%d indices and %d values: want as many", len(s.Indices), len(s.Values))
	}
	if err := index.CheckFinite(s.Values); err != nil {
		return s, err
	}
	order := make([]int, 0, len(s.Indices))
	for i, v := range s.Values {
		if v != 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return int(s.Indices[a]) - int(s.Indices[b]) })
	var out Sparse
	for i, at := range order {
		if i > 0 && s.Indices[at] == s.Indices[order[i-1]] {
			return s, fmt.Errorf("index %d is there twice", s.Indices[at])
		}
		out.Indices = append(out.Indices, s.Indices[at])
		out.Values = append(out.Values, s.Values[at])
	}
	return out, nil
}

// record is a point as bytes, in the log and in memory: the payload, then each
// vector it has, in stored form. The views point into data.
type record struct {
	data    []byte
	payload payload.Value
	fields  [][]byte // by field number; nil where the point has no such vector
}

// A record's data is the length of the payload and the payload, then for each
// vector its field number plus one, its length in bytes and the bytes; lengths
// and numbers are uvarints.

// encodePoint checks a point against the layout and appends its record.
func (l *layout) encodePoint(dst []byte, p *Point) ([]byte, error) {
	body, err := encodePayload(p.Payload)
	if err != nil {
		return nil, err
	}
	dst = appendBytes(dst, body)
	vectors := 0
	for number, f := range l.fields {
		var stored []byte
		switch f.kind {
		case denseField:
			x := p.Vectors[f.name]
			if x == nil && f.name == "" {
				x = p.Vector
			}
			if x == nil {
				continue
			}
			stored, err = f.spec.encode(nil, x)
		case multiField:
			rows := p.Multi[f.name]
			if len(rows) == 0 {
				continue
			}
			stored, err = f.spec.encode(nil, rows...)
		case sparseField:
			s, has := p.Sparse[f.name]
			if !has || len(s.Indices) == 0 && len(s.Values) == 0 {
				continue
			}
			stored, err = encodeSparse(s)
		}
		if err != nil {
			return nil, fmt.Errorf("vector %q: %w", f.name, err)
		}
		vectors++
		if len(stored) > 0 { // a sparse vector of zeros is none
			dst = appendBytes(binary.AppendUvarint(dst, uint64(number)+1), stored)
		}
	}
	return dst, l.checkNames(p, vectors)
}

// checkNames refuses vectors that the layout does not know: found is how many
// it knew.
func (l *layout) checkNames(p *Point, found int) error {
	given := len(p.Vectors)
	if p.Vector != nil {
		given++
	}
	for name := range p.Vectors {
		if n, ok := l.number[name]; !ok || l.fields[n].kind != denseField {
			return fmt.Errorf("the collection has no dense vector %q", name)
		}
	}
	if n, ok := l.number[""]; p.Vector != nil && (!ok || l.fields[n].kind != denseField) {
		return fmt.Errorf("the collection has no unnamed vector: give the vector by its name")
	}
	for name, rows := range p.Multi {
		if n, ok := l.number[name]; !ok || l.fields[n].kind != multiField {
			return fmt.Errorf("the collection has no multi-vector %q", name)
		}
		if len(rows) > 0 {
			given++
		}
	}
	for name, s := range p.Sparse {
		if _, ok := l.sparse[name]; !ok {
			return fmt.Errorf("the collection has no sparse vector %q", name)
		}
		if len(s.Indices)+len(s.Values) > 0 {
			given++
		}
	}
	if given != found {
		return fmt.Errorf("the unnamed vector is given twice: by itself and among those with names")
	}
	return nil
}

// encode appends the stored form of vectors.
func (v VectorSpec) encode(dst []byte, rows ...[]float32) ([]byte, error) {
	for _, x := range rows {
		if err := v.check(x); err != nil {
			return nil, err
		}
		var err error
		if dst, err = v.Storage.append(dst, x); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// check refuses a vector of the wrong length or with numbers that are none.
func (v VectorSpec) check(x []float32) error {
	if len(x) != v.Dimensions {
		return fmt.Errorf("it has %d dimensions: want %d", len(x), v.Dimensions)
	}
	return index.CheckFinite(x)
}

func encodeSparse(s Sparse) ([]byte, error) {
	s, err := s.sorted()
	var dst []byte
	for i, at := range s.Indices {
		dst = binary.LittleEndian.AppendUint32(dst, at)
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(s.Values[i]))
	}
	return dst, err
}

func encodePayload(p Payload) ([]byte, error) {
	if len(p) == 0 {
		return nil, nil
	}
	body, err := payload.Encode(nil, p)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return body, nil
}

func appendBytes(dst, content []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(content))), content...)
}

// cutBytes is the inverse of appendBytes.
func cutBytes(data []byte) (content, rest []byte, ok bool) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > uint64(len(data)-size) {
		return nil, nil, false
	}
	end := size + int(n)
	return data[size:end:end], data[end:], true
}

// parseRecord checks a record's structure and returns its views.
func (l *layout) parseRecord(data []byte) (record, error) {
	r := record{data: data, fields: make([][]byte, len(l.fields))}
	body, rest, ok := cutBytes(data)
	if !ok {
		return r, fmt.Errorf("a record's payload runs beyond its end")
	}
	r.payload = body
	for before := -1; len(rest) > 0; {
		number, size := binary.Uvarint(rest)
		if size <= 0 || number == 0 || number > uint64(len(l.fields)) || int(number)-1 <= before {
			return r, fmt.Errorf("a record has a vector with the number %d", number)
		}
		before = int(number) - 1
		var stored []byte
		if stored, rest, ok = cutBytes(rest[size:]); !ok {
			return r, fmt.Errorf("vector %q of a record runs beyond its end", l.fields[before].name)
		}
		if err := l.fields[before].checkStored(stored); err != nil {
			return r, err
		}
		r.fields[before] = stored
	}
	return r, nil
}

// checkStored checks the length of a stored vector, and the order of a sparse
// one.
func (f field) checkStored(stored []byte) error {
	if f.kind == sparseField {
		if len(stored) == 0 || len(stored)%8 != 0 {
			return fmt.Errorf("sparse vector %q has %d bytes", f.name, len(stored))
		}
		return nil
	}
	size := f.spec.Storage.size(f.spec.Dimensions)
	if len(stored) == size || f.kind == multiField && len(stored) > 0 && len(stored)%size == 0 {
		return nil
	}
	return fmt.Errorf("vector %q has %d bytes: want %d", f.name, len(stored), size)
}

// decodePoint fills in what was asked for.
func (l *layout) decodePoint(p *Point, r record, with With) error {
	if !with.WithoutPayload && len(r.payload) > 0 {
		body, err := r.payload.Decode()
		if err != nil {
			return fmt.Errorf("payload of point %v: %w", p.ID, err)
		}
		p.Payload, _ = body.(map[string]any)
	}
	for number, stored := range r.fields {
		f := l.fields[number]
		if stored == nil || !with.vector(f.name) {
			continue
		}
		switch f.kind {
		case denseField:
			x := f.spec.decode(stored)[0]
			if f.name == "" {
				p.Vector = x
				break
			}
			if p.Vectors == nil {
				p.Vectors = map[string][]float32{}
			}
			p.Vectors[f.name] = x
		case multiField:
			if p.Multi == nil {
				p.Multi = map[string][][]float32{}
			}
			p.Multi[f.name] = f.spec.decode(stored)
		case sparseField:
			if p.Sparse == nil {
				p.Sparse = map[string]Sparse{}
			}
			p.Sparse[f.name] = decodeSparse(stored)
		}
	}
	return nil
}

// decode returns the vectors of a stored dense or multi-vector.
func (v VectorSpec) decode(stored []byte) [][]float32 {
	size := v.Storage.size(v.Dimensions)
	slab := make([]float32, len(stored)/size*v.Dimensions)
	rows := make([][]float32, len(stored)/size)
	for i := range rows {
		rows[i] = slab[i*v.Dimensions : (i+1)*v.Dimensions : (i+1)*v.Dimensions]
		v.Storage.read(rows[i], stored[i*size:])
	}
	return rows
}

func decodeSparse(stored []byte) Sparse {
	s := Sparse{Indices: make([]uint32, len(stored)/8), Values: make([]float32, len(stored)/8)}
	for i := range s.Indices {
		s.Indices[i] = binary.LittleEndian.Uint32(stored[8*i:])
		s.Values[i] = math.Float32frombits(binary.LittleEndian.Uint32(stored[8*i+4:]))
	}
	return s
}

// With says which parts of points are wanted. The zero value is the payload
// without vectors.
type With struct {
	// WithoutPayload leaves the payload out.
	WithoutPayload bool
	// Vectors names the vectors that are wanted, dense, multi and sparse.
	Vectors []string
	// AllVectors wants every vector.
	AllVectors bool
}

func (w With) vectors() bool { return w.AllVectors || len(w.Vectors) > 0 }

func (w With) vector(name string) bool { return w.AllVectors || slices.Contains(w.Vectors, name) }
